import { type Command, type Expecting, FIELDS, type SlotKind } from '../commands.ts';
import { type Flow, findConfirms, type Scope } from '../flow.ts';
import { LOCALES } from '../message.ts';
import { showPhone } from '../prompts/format.ts';
import { findGift } from '../prompts/gifts.ts';
import { isStaff, pickIdentity } from '../prompts/identity.ts';
import { findGiftCode } from '../prompts/receipts.ts';
import { CANCEL, type Choice, choice, type Decision, type Line, type Reply, say } from '../reply.ts';
import { HISTORY_TYPES, missingSlots, PERIOD_CHOICES, resolvePeriod, SLOTS } from '../slots.ts';
import { type Asking, type Confirming, findTakenTicket, type State, type Step } from '../state.ts';
import { isNamedPeriod } from '../values/calendar.ts';
import { askDoubt, findDoubtedSlot } from './doubts.ts';
import { mentionStaff, toConfirmationId } from './operations.ts';

/*
 * The current question: how the bot asks it, and which buttons answer it.
 */

/** A step that waits for a slot. */
export function slotStep({ name }: Flow, slot: SlotKind, more: Partial<Asking> = {}): Asking {
  return { at: 'asking', flow: name, slot, tries: 0, ...more };
}

/** Asks the question of `step` under a fresh view: earlier buttons are dead now. */
export function askStep(state: State, step: Step, scope: Scope): Decision {
  const isEmail = step.at === 'asking' && step.slot === 'email';
  const posed: State = { ...state, step, view: scope.ids.view, ...(isEmail && { emailAsked: true }) };
  return say(posed, toQuestion(posed, scope));
}

/** Asks the live question once more, its buttons still alive. A summary comes as one line. */
export function askAgain(state: State, scope: Scope, ...before: readonly Reply[]): Decision {
  const live = ensureView(state, scope);
  return say(live, ...before, toRepeat(live, scope));
}

/** The live question, when it was asked in full before. */
function toRepeat(state: State, scope: Scope): Reply {
  const { step, draft, view } = state;
  const flow = step.at === 'confirming' ? scope.flows.get(step.flow) : undefined;
  const confirms = flow && findConfirms(flow);
  if (step.at !== 'confirming' || !confirms) return toQuestion(state, scope);
  const { key, choices = [], asks } = summarize(state, step, scope);
  // Each of several codes has a button in the full summary only.
  const isRemoving = ({ id }: Choice) => id.startsWith('remove:');
  const others = choices.flatMap((one, at) => (!isRemoving(one) ? one : at === 1 ? choice('edit:code') : []));
  return { key, ...confirms.brief(draft, scope), choices: others, asks, view };
}

/** The live question as it was shown last. */
function toLastQuestion(state: State, scope: Scope): Reply {
  const isRepeat = state.step.at === 'confirming' && !state.step.isLast;
  return isRepeat ? toRepeat(state, scope) : toQuestion(state, scope);
}

/** Sets a view if the state lacks one, so that buttons work before the first question. */
export function ensureView(state: State, { ids }: Scope): State {
  return state.view === undefined ? { ...state, view: ids.view } : state;
}

/**
 * Says something that changes nothing, with the current question after it. The remark's buttons come first.
 */
export function remark(state: State, scope: Scope, reply: Reply): Decision {
  const { at } = state.step;
  const live = ensureView(state, scope);
  if (findTakenTicket(live)) return say(live, addMenu(live, reply, scope));
  const { choices: offered = [], ...statement } = reply;
  const { choices = [], ...asked } = toRepeat(live, scope);
  const others = choices.filter(({ id }) => !offered.some((choice) => choice.id === id));
  const isAsked = at !== 'idle' && at !== 'browsing';
  // If the bot asks nothing, the likely meanings are the only buttons.
  const isAlone = !isAsked && statement.context === 'maybe';
  const question = { ...asked, choices: isAlone ? offered : [...offered, ...others] };
  return isAsked ? say(live, statement, question) : say(live, { ...question, ...statement });
}

/** Ends the flow and shows the menu. A number that was shared while no flow ran stays for the next flow. */
export function goHome(state: State, scope: Scope, reply: Reply): Decision {
  const isKept = state.step.at === 'idle' && !isStaff(scope);
  const draft = isKept ? state.draft : {};
  const customer = isStaff(scope) ? pickIdentity(state.draft) : {};
  const next: State = {
    ...state,
    step: { at: 'idle' },
    draft,
    view: scope.ids.view,
    ...((customer.phone ?? customer.email) && { before: customer }),
  };
  return say(next, addMenu(next, reply, scope));
}

/** The same reply, the menu's buttons after its own. */
export function addMenu(state: State, reply: Reply, scope: Scope): Reply {
  const choices = [...(reply.choices ?? []), ...menuChoices(state, scope)];
  return { ...reply, choices, asks: 'menu', view: state.view };
}

/** While a person answers, no flow begins. */
function menuChoices(state: State, { flows }: Scope): readonly Choice[] {
  if (findTakenTicket(state)) return [choice('person:leave')];
  const unfinished = (state.parked ?? []).map(({ flow }) => flow).reverse();
  const params = (flow: string) => ({ flow: { key: `flow.${flow}` } });
  return [
    ...unfinished.map((flow) => choice(flow, { key: 'choice.resume', params: params(flow) })),
    ...flows.all.flatMap(({ name }) => (unfinished.includes(name) ? [] : choice(name))),
  ];
}

/** Points at the confirm button. */
export function pointAtButton(state: State, scope: Scope): Decision {
  return askAgain(state, scope, { key: 'confirm.press' });
}

/** The question that the state waits on, as a reply. */
export function toQuestion(state: State, scope: Scope): Reply {
  const { step, view } = state;
  switch (step.at) {
    case 'idle':
      return addMenu(state, { key: 'menu' }, scope);
    case 'browsing': {
      const choices = [...menuChoices(state, scope), ...PERIOD_CHOICES];
      return { key: 'menu', choices, asks: 'menu', view };
    }
    case 'asking':
      return { ...askValue(state, step, scope), view };
    case 'confirming':
      return { ...summarize(state, step, scope), view };
  }
}

function askValue(state: State, step: Asking, scope: Scope): Reply {
  const { offer } = step;
  const takesPhone = scope.sender.proof === 'contact';
  return offer ? askDoubt({ step, offer, takesPhone }) : askSlot(state, step, scope);
}

function askSlot(state: State, step: Asking, scope: Scope): Reply {
  const { draft } = state;
  const flow = scope.flows.get(step.flow);
  if (!flow) return { key: 'menu' };
  const asked = SLOTS[step.slot].ask({ flow, step, draft }, scope);
  const choices = [...(asked.choices ?? []), ...offerBefore(state, step, scope), CANCEL];
  const form = step.editing ? [] : missingSlots(flow, draft).flatMap((kind) => SLOTS[kind].form ?? []);
  return { ...asked, choices, ...(form.length > 1 && { form }) };
}

/** The button that names staff's last customer again. */
function offerBefore({ before }: State, { slot }: Asking, scope: Scope): readonly Choice[] {
  const name = before?.phone ? showPhone(before.phone.value) : before?.email?.value;
  if (!isStaff(scope) || slot !== 'phone' || name === undefined) return [];
  return [choice('before', { params: { name } })];
}

/** What is about to be asked of AntCRM. Its button carries the operation. */
function summarize(state: State, { flow: name, operation }: Confirming, scope: Scope): Reply {
  const { draft, profile } = state;
  const flow = scope.flows.get(name);
  const confirms = flow && findConfirms(flow);
  const confirm = choice(`confirm:${operation}`, { key: `choice.confirm.${name}` });
  // The last operations of staff may be another customer's.
  const isTheirs = !isStaff(scope) || state.before?.phone?.value === draft.phone?.value;
  const mentioned =
    isTheirs && confirms ? [...mentionRepeat(state, scope), ...mentionStaff(state, confirms)] : [];
  return {
    key: `${name}.summary`,
    lines: [...mentioned, ...(confirms?.summary(draft, profile, scope) ?? [])],
    image: findGift(draft.gift, scope)?.image,
    choices: [confirm, ...(confirms?.edits(draft) ?? []), CANCEL],
    asks: 'confirm',
  };
}

const JUST_NOW_MS = 10 * 60_000;

/** Says that the same gift was redeemed a moment ago: it may be meant once only. */
function mentionRepeat({ draft, operations }: State, scope: Scope): readonly Line[] {
  const last = operations.findLast(({ gift, status }) => status === 'done' && gift !== undefined);
  if (last?.gift === undefined || last.gift !== draft.gift || scope.nowMs - last.atMs > JUST_NOW_MS)
    return [];
  const params = { gift: findGift(draft.gift, scope)?.name ?? last.gift, at: last.atMs };
  return [{ key: 'summary.repeat', params }];
}

/** The buttons that answer whether phone and e-mail may be remembered. */
export const CONSENT_CHOICES = [choice('consent:accept'), choice('consent:decline')];

/** A part of a value and the rest of it come within this time. */
export const PIECE_MS = 20_000;

/** What the conversation waits for. */
export function toExpecting(state: State, scope: Scope): Expecting {
  const { step, draft } = state;
  const isAsking = step.at === 'asking';
  // A text from before the consent question was shown cannot answer it.
  const isConsentLast = state.consentQuestion?.open?.isLast === true;
  const asksConsent = scope.current && isConsentLast;
  const isResting = step.at === 'idle' || step.at === 'browsing';
  const isConsentOpen = isResting && state.consentQuestion?.open !== undefined && !isConsentLast;
  const kind = isAsking ? (step.offer ? findDoubtedSlot(step.offer) : step.slot) : undefined;
  const { piece } = state;
  const isFresh = piece !== undefined && scope.nowMs - piece.atMs <= PIECE_MS;
  return {
    place: AT[isAsking && step.offer ? 'doubt' : step.at],
    flow: 'flow' in step ? step.flow : undefined,
    kind,
    ...(isStaff(scope) && { isStaff: true }),
    ...(asksConsent && { asksConsent }),
    ...(isConsentOpen && { offersConsent: true }),
    // Only a number or a place picks a button, so most texts need none.
    buttons() {
      const choices = asksConsent ? CONSENT_CHOICES : (toLastQuestion(state, scope).choices ?? []);
      const isUnseen = isConsentLast && !scope.current;
      const isPress = (id: string) => isUnseen || id === 'forget' || id.startsWith('confirm:');
      return choices.map(({ id }) => (isPress(id) ? null : id));
    },
    codes: draft.codes ?? [],
    gift: draft.gift,
    redeemed: state.lastEvent === 'redeemed' ? state.operations.findLast(isRedeemed)?.gift : undefined,
    phone: draft.phone?.value,
    email: draft.email?.value,
    ...(isFresh && { piece: piece.value }),
    references: state.operations.flatMap(({ id }) => [id, toConfirmationId(id)]),
  };
}

const isRedeemed = ({ gift, status }: State['operations'][number]): boolean =>
  gift !== undefined && status === 'done';

const AT = {
  idle: 'nothing',
  asking: 'slot',
  doubt: 'doubt',
  confirming: 'summary',
  browsing: 'page',
} as const;

/** The commands of a button; `expired` if the current question has no such button. */
export function parseChoice(id: string, state: State, scope: Scope): readonly Command[] {
  return readButton(id, state, scope) || [{ do: 'expired' }];
}

function readButton(id: string, state: State, scope: Scope): readonly Command[] | false | undefined {
  const [, name = '', value = ''] = /^([^:]*):?(.*)$/s.exec(id) ?? [];
  switch (name) {
    case 'use':
      return [{ do: 'accept', ...(value !== '' && { option: Number(value) }) }];
    case 'keep':
    case 'other':
      return [{ do: name }];
    case 'skip':
      return [{ do: 'none' }];
    case 'gift':
      return [{ do: 'set', slot: 'gift', value }];
    case 'before':
      return nameBefore(state);
    case 'period':
      return isNamedPeriod(value) && [{ do: 'period', period: resolvePeriod(value, scope) }];
    case 'confirm':
      return [{ do: 'confirm', operation: value }];
    case 'remove': {
      const code = state.draft.codes?.[Number(value) - 1];
      return code !== undefined && [{ do: 'remove', which: [{ code }] }];
    }
    case 'edit': {
      const field = FIELDS.find((name) => name === value);
      return field && [{ do: 'change', field }];
    }
    case 'next':
    case 'previous':
      return [{ do: 'page', to: name }];
    case 'consent':
      return state.consentQuestion?.open && [{ do: 'consent', given: value === 'accept' }];
    case 'language': {
      const locale = LOCALES.find((known) => known === value);
      return [locale ? { do: 'speak', locale } : { do: 'show', what: 'languages' }];
    }
    case 'qr':
      return isOwnGift(value, state, scope) && [{ do: 'showQr', code: value }];
    case 'code':
      return (value === 'send' || value === 'again') && [{ do: 'sendCode' }];
    case 'person':
    case 'help':
    case 'menu':
    case 'privacy':
      return [{ do: 'show', what: name }];
    case 'answer':
      return [{ do: 'ask', about: 'answer', id: value }];
    case 'cancel':
    case 'forget':
      return [{ do: name }];
    default:
      return startByButton(id, state, scope);
  }
}

/** The code of another's gift, or of one that was forgotten, is a dead button. */
const isOwnGift = (code: string, { operations }: State, scope: Scope): boolean =>
  operations.some((operation) => operation.status === 'done' && findGiftCode(operation, scope) === code);

function nameBefore({ before }: State): readonly Command[] | undefined {
  if (!before) return undefined;
  const { phone, email } = before;
  return [
    ...(phone ? [{ do: 'set', slot: 'phone', value: phone.value } as const] : []),
    ...(email ? [{ do: 'set', slot: 'email', value: email.value } as const] : []),
  ];
}

/** Begins a flow (`<flow>`), with a gift (`<flow>:<gift>`) or a list of the history (`<flow>:<list>`). */
function startByButton(id: string, { step }: State, { flows }: Scope): readonly Command[] | undefined {
  const [name = '', ...rest] = id.split(':');
  const flow = flows.get(name);
  const value = rest.join(':');
  if (!flow) return undefined;
  const start = { do: 'start', flow: name } as const;
  if (value === '') return [start];
  if (flow.slots.includes('gift')) return [start, { do: 'set', slot: 'gift', value }];
  const of = HISTORY_TYPES.find((type) => type === value);
  if (of === undefined || !flow.slots.includes('list')) return undefined;
  const isAsked = step.at === 'asking' && step.slot === 'list';
  const isHere = (isAsked || step.at === 'browsing') && step.flow === name;
  return isHere ? [{ do: 'kind', of }] : [start, { do: 'kind', of }];
}
