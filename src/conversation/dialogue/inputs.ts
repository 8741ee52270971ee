import { type Command, SLOT_KINDS } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { MAX_TEXT, type Message, type MessageOf, type Photo } from '../message.ts';
import { isStaff } from '../prompts/identity.ts';
import { findCode, hideCode } from '../proof.ts';
import { changeLast, type Decision, type FormField, type Line, type Reply, sayFirst } from '../reply.ts';
import { SLOTS } from '../slots.ts';
import { findTakenTicket, type State } from '../state.ts';
import { runningFlow } from './advance.ts';
import { takeEdit } from './edits.ts';
import { addCustomerNote, callPerson, closeTicket, noteLead, noteMedia, offerLeave } from './handover.ts';
import { noteUnclear } from './privacy.ts';
import { askAgain, PIECE_MS, parseChoice, remark, toExpecting } from './questions.ts';
import { run } from './run.ts';

/*
 * Where commands come from: a text, a press, a form, a photo, a link, a contact.
 */

type CustomerMessage = Exclude<Message, { kind: 'settle' | 'group' | 'person' }>;
type NewMessage = Exclude<CustomerMessage, { kind: 'edit' }>;

export function onMessage(stored: State, message: CustomerMessage, scope: Scope): Decision {
  const text =
    message.kind === 'text' ? message.text : message.kind === 'photo' ? message.caption : undefined;
  const state = text === undefined ? stored : noteAddress(noteLanguage(stored, text, scope), text, scope);
  if (message.kind === 'edit') {
    const shown = message.text === undefined ? undefined : hideCode(message.text, state, scope.nowMs);
    return takeEdit(state, message, { read: (left, text) => onText(left, text, scope), shown, scope });
  }
  const passed = findTakenTicket(state) && passToStaff(state, message, scope);
  return passed ?? answer(keepMedia(state, message, scope), message, scope);
}

function answer(state: State, message: NewMessage, scope: Scope): Decision {
  switch (message.kind) {
    case 'text':
      return onText(state, message.text, scope);
    case 'choice':
      return onPress(state, message, scope);
    case 'contact':
      return onContact(state, message, scope);
    case 'form':
      return onForm(state, message, scope);
    case 'start':
      return onLink(state, message, scope);
    case 'photo':
      return onPhoto(state, message, scope);
    case 'unknown':
      return remark(state, scope, { key: 'unreadable', context: message.what });
  }
}

/** Keeps pictures and files for a ticket that may open next: often a code in them was not read. */
function keepMedia(state: State, message: NewMessage, scope: Scope): State {
  switch (message.kind) {
    case 'text':
    case 'photo':
    case 'unknown':
      return noteMedia(state, { text: describe(message, state, scope), media: message.media }, scope);
    default:
      return state;
  }
}

/**
 * Notes the language of a clear sentence. The first one decides; later, the second in a row turns the
 * answers. "Hello" is enough if no language is known.
 */
function noteLanguage(state: State, text: string, { language, sender }: Scope): State {
  const { turning, ...settled } = state;
  if (settled.locale) return settled;
  const { textLocale, clientLocale } = settled;
  const first = (textLocale ?? sender.locale ?? clientLocale) === undefined;
  const written = language.localeOf(text) ?? (first ? language.localeOf(text, { first }) : undefined);
  if (written === undefined) return state;
  const isTurned = textLocale === undefined || textLocale === written || turning === written;
  return isTurned ? { ...settled, textLocale: written } : { ...settled, turning: written };
}

/** Takes up how customers call themselves. Staff are colleagues. */
function noteAddress(state: State, text: string, scope: Scope): State {
  const address = isStaff(scope) ? undefined : scope.language.addressIn(text);
  return address === undefined ? state : { ...state, address };
}

function onText(state: State, text: string, scope: Scope): Decision {
  if (scope.language.slash(text) === 'show erasing') return run(state, [{ do: 'forget' }], scope);
  const code = readCode(state, text);
  if (code !== undefined) return run(state, [{ do: 'prove', code }], scope);
  const commands = interpret(state, text, scope);
  const { piece, ...rest } = state;
  const decision = run(rest, commands, scope);
  const pieced = commands.some(isUnread) ? notePiece(decision, { piece, text }, scope) : decision;
  const shown = state.codeSentMs === undefined ? text : hideCode(text, state, scope.nowMs);
  return noteUnclear(noteLead(pieced, state, shown), { before: state, text: shown }, scope);
}

/** A one-time code where one is asked for. A text with it is never interpreted, noted or shown. */
function readCode({ step }: State, text: string): string | undefined {
  return step.at === 'asking' && step.slot === 'proof' ? findCode(text) : undefined;
}

function isUnread(command: Command): boolean {
  if (command.do !== 'unclear' || command.likely || command.script) return false;
  return !command.wrong || SLOTS[command.wrong.kind].form !== undefined;
}

/** Longer texts are no part of a value, nor are more words. */
const PIECE = /^(?:\S{1,40}(?:\s|$)){1,4}$/;

/** Keeps a text that is no value: the next text may be the rest of it. */
function notePiece(decision: Decision, { piece, text }: PieceNote, { nowMs }: Scope): Decision {
  const isNext = piece !== undefined && nowMs - piece.atMs <= PIECE_MS;
  const whole = isNext ? `${piece.value} ${text.trim()}` : text.trim();
  if (!PIECE.test(whole)) return decision;
  return { ...decision, state: { ...decision.state, piece: { value: whole, atMs: nowMs } } };
}
type PieceNote = Pick<State, 'piece'> & { readonly text: string };

const interpret = (state: State, text: string, scope: Scope): readonly Command[] =>
  scope.language.interpret(text, toExpecting(state, scope), scope).commands;

/** The commands that the bot answers while a person does. */
const OWN = ['show help', 'show languages', 'show privacy', 'show erasing'];
const UNWRITTEN = { voice: '🎤', sticker: '🙂', other: '📎' } as const;

/**
 * While a ticket is open, messages go to staff as they were written. Undefined: a button or a command of the
 * bot.
 */
function passToStaff(state: State, message: NewMessage, scope: Scope): Decision | undefined {
  switch (message.kind) {
    case 'text': {
      if (readCode(state, message.text) !== undefined) return undefined;
      const act = scope.language.slash(message.text);
      const leaves = act === undefined ? scope.language.leaves(message.text) : undefined;
      if (act === 'cancel' || leaves === 'all') return closeTicket(state, { by: 'customer' }, scope);
      if (act && OWN.includes(act)) return undefined;
      const { media, ref } = message;
      const note = { text: describe(message, state, scope), media, ref };
      const noted = addCustomerNote(state, note, scope);
      return leaves === 'part' ? offerLeave(noted, scope) : noted;
    }
    case 'choice':
      return message.choice === 'person:leave' ? closeTicket(state, { by: 'customer' }, scope) : undefined;
    case 'form':
      return undefined;
    case 'contact':
      return addCustomerNote(state, { text: `📱 ${message.phone}` }, scope);
    // The customer may have cleared the chat, so the reply says who answers.
    case 'start':
      return message.payload
        ? addCustomerNote(state, { text: `/start ${message.payload}` }, scope)
        : callPerson(state, { why: 'asked' }, scope);
    case 'photo':
    case 'unknown': {
      const { media, ref } = message;
      const note = { text: describe(message, state, scope), media, ref };
      return addCustomerNote(state, note, scope);
    }
  }
}

/** The message as staff read it. */
function describe(message: MessageOf<'text' | 'photo' | 'unknown'>, state: State, { nowMs }: Scope): string {
  switch (message.kind) {
    case 'text':
      return hideCode(message.text, state, nowMs);
    case 'photo':
      return `${'📷'.repeat(message.pictures.length)} ${message.caption ?? ''}`.trim();
    case 'unknown':
      return UNWRITTEN[message.what];
  }
}

/** A button works while its question is the current one; a menu, while no flow runs. */
function onPress(state: State, { choice, view }: MessageOf<'choice'>, scope: Scope): Decision {
  if (choice === 'person:leave') return closeTicket(state, { by: 'customer' }, scope);
  const { at } = state.step;
  const commands = parseChoice(choice, state, scope);
  const isMenu = commands.every((command) => command.do === 'start' || command.do === 'show');
  const isOfConsent = choice.startsWith('consent:') && view === state.consentQuestion?.open?.view;
  const isOld = view !== undefined && view !== state.view && choice !== 'person' && !isOfConsent;
  // A receipt's picture can be asked for as long as the receipt is known.
  const isLive = !isOld || choice.startsWith('qr:') || (isMenu && (at === 'idle' || at === 'browsing'));
  return run(state, isLive ? commands : [{ do: 'expired' }], scope);
}

/** A shared contact. Telegram leaves the plus sign out. */
function onContact(state: State, { phone, own }: MessageOf<'contact'>, scope: Scope): Decision {
  const number = /^\d{9,15}$/.test(phone) && !phone.startsWith('0') ? `+${phone}` : phone;
  const commands = scope.language
    .read('phone', number, scope)
    .map(
      (command): Command =>
        command.do === 'set' && command.slot === 'phone' ? { ...command, proved: own } : command,
    );
  return run(state, commands, scope);
}

/** A deep link, or the first contact: a code, for the flow that takes the codes of links. */
function onLink(state: State, { payload }: MessageOf<'start'>, scope: Scope): Decision {
  const flow = scope.flows.codeFlow;
  if (!payload || !flow) return run(state, [{ do: 'show', what: 'welcome' }], scope);
  return run(state, [{ do: 'start', flow: flow.name }, ...scope.language.link(payload)], scope);
}

/*
 * Photos. Their codes count as if typed, with the caption. Nothing else in a picture counts, because anybody
 * can print "yes" or a command.
 */

function onPhoto(state: State, photo: Photo, scope: Scope): Decision {
  const isRead = photo.pictures.every(({ kind }) => kind !== 'remote');
  return isRead ? onPictures(state, photo, scope) : { state, replies: [], effect: { kind: 'photo', photo } };
}

/** How much of the pictures of a message is read, in characters: many links. */
const MAX_PRINTED = 4 * MAX_TEXT;

/** Answers pictures that were read. */
export function onPictures(state: State, photo: Photo, scope: Scope): Decision {
  const { pictures, caption } = photo;
  let left = MAX_PRINTED;
  const found = pictures.map((picture) => {
    if (picture.kind !== 'read') return [];
    return picture.texts.flatMap((text) => {
      left -= text.length;
      return left < 0 ? [] : scope.language.scan(text, scope);
    });
  });
  const read = found.filter((codes) => codes.length > 0).length;
  if (read === 0) return answerNoCode(state, photo, scope);
  const codes = [...new Set(found.flat())];
  const text = [caption ?? [], codes].flat().join(' ');
  const commands = caption === undefined ? [] : interpret(state, text, scope);
  const captionCodes = new Set(commands.flatMap((command) => ('codes' in command ? command.codes : [])));
  const others = codes.filter((code) => !captionCodes.has(code));
  const kept = commands.filter(
    (command) => others.length === 0 || (command.do !== 'unclear' && command.do !== 'set'),
  );
  const all: readonly Command[] = others.length > 0 ? [...kept, { do: 'add', codes: others }] : commands;
  const some: Reply = { key: 'photo.some', params: { read, all: pictures.length } };
  return sayFirst(read < pictures.length ? [some] : [], run(state, all, scope));
}

/** Answers the caption. If it has a code, the picture needs none. */
function answerNoCode(state: State, { pictures, caption }: Photo, scope: Scope): Decision {
  const kinds = pictures.map(({ kind }) => (kind === 'read' ? 'noCode' : kind));
  const why = PICTURE_FAULTS.find((fault) => kinds.includes(fault)) ?? 'unavailable';
  const isOther = why === 'noCode' && pictures.some(({ kind }) => kind === 'read');
  const reply: Reply = { key: `photo.${why}`, context: isOther ? 'other' : undefined };
  if (caption === undefined) return remark(state, scope, reply);
  const hasCode = interpret(state, caption, scope).some((command) => 'codes' in command);
  return sayFirst(hasCode ? [] : [reply], onText(state, caption, { ...scope, current: false }));
}

/** Why no picture has a code, the most useful reason first. */
const PICTURE_FAULTS = ['unavailable', 'elsewhere', 'noCode', 'unreadable'] as const;

type Form = MessageOf<'form'>;
type FieldFault = { readonly slot: FormField['slot']; readonly reason: Line };

const FORM_FIELDS = SLOT_KINDS.flatMap((kind) => {
  const { form } = SLOTS[kind];
  return form ? [{ kind, form, slot: form.slot }] : [];
});

function onForm(state: State, form: Form, scope: Scope): Decision {
  if (form.view !== undefined && form.view !== state.view) return run(state, [{ do: 'expired' }], scope);
  const flow = runningFlow(state, scope) ?? scope.flows.codeFlow;
  if (!flow) return askAgain(state, scope);
  const commands: Command[] = [{ do: 'start', flow: flow.name }];
  const faults: FieldFault[] = [];
  for (const { kind, slot } of FORM_FIELDS) {
    const text = form[slot]?.trim();
    if (slot === 'email' && text === '') commands.push({ do: 'none', field: slot });
    for (const command of text ? scope.language.read(kind, text, scope) : [])
      if (command.do !== 'unclear') commands.push(command);
      else if (command.wrong) faults.push({ slot, reason: { key: command.wrong.reason } });
  }
  // The bot asks about a value in doubt once the others are right.
  const isLater = (command: Command) =>
    faults.length > 0 && 'doubt' in command && command.doubt !== undefined;
  const values = commands.filter((command) => !isLater(command));
  // The codes of a form replace those that it was filled with.
  const { codes: _, ...draft } = state.draft;
  const isFilled = form.view !== undefined && form.code !== undefined;
  const done = run(isFilled ? { ...state, draft } : state, values, { ...scope, isForm: true });
  return faults.length === 0 ? done : markFaults(done, form, faults);
}

function markFaults(decision: Decision, form: Form, faults: readonly FieldFault[]): Decision {
  const asked = decision.replies.at(-1)?.form ?? [];
  const fields = FORM_FIELDS.filter(
    ({ slot }) => form[slot] !== undefined || asked.some((field) => field.slot === slot),
  );
  const marked = fields.map(({ slot, form: field }): FormField => {
    const value = form[slot]?.trim() || undefined;
    const reason = faults.find((fault) => fault.slot === slot)?.reason;
    return { ...field, ...(value !== undefined && { value }), ...(reason && { reason }) };
  });
  return changeLast(decision, { form: marked });
}
