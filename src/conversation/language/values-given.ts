import type { CodeRef, Expecting, Reading, TextCommand } from '../commands.ts';
import { namedPeriod, toPeriod } from '../values/calendar.ts';
import { looksLikeContact } from '../values/code.ts';
import { type EmailResult, moveEmail, type Phone } from '../values/contact.ts';
import { wrong } from './exact.ts';
import { isOff, type Mechanism } from './mechanisms.ts';
import { fieldIn, lacksEmail, type Mention, type SpokenFlow, says, type Values } from './values.ts';

/*
 * The commands of values. What is not denied is taken; what would replace a value that stands is applied
 * where a change is asked for or that value is asked, else it is a doubt.
 */

type Commands = readonly TextCommand[];

export type GivenValues = {
  readonly codes: Commands;
  readonly phone: Commands;
  readonly email: Commands;
  readonly gift: Commands;
  readonly list: Commands;
  readonly period: Commands;
  /** All that change something. */
  readonly all: Commands;
  /** Codes that do not stand yet. */
  readonly fresh: readonly string[];
  /** Gifts that are named, denied or not. */
  readonly named: readonly string[];
  /** The text is nothing but the code of a gift. */
  readonly isCoded: boolean;
  /** The button that it names by its place. */
  readonly picked: Commands;
  readonly denied: { readonly gifts: readonly string[] };
  /** What a flow takes of them; without one, all that can be kept. */
  for(flow: SpokenFlow | undefined): Commands;
};

type Place = {
  readonly values: Values;
  readonly expecting: Expecting;
  readonly reading: Reading;
  /** The act asks for a change of what stands. */
  readonly isChange: boolean;
  readonly isRemoval: boolean;
  /** The act only asks. */
  readonly isAside: boolean;
  readonly isQuestion: boolean;
  readonly off: Mechanism | undefined;
};

const MANGLED = { codes: 'code.vietnamese', email: 'email.vietnamese' } as const;

export function toGiven(place: Place): GivenValues {
  const { values, reading, off } = place;
  const mentions = isOff(off, 'signs of values')
    ? values.mentions.map(({ value }) => ({ value, sign: undefined }))
    : values.mentions;
  const phone = contactsOf('phone', mentions, place);
  const named = contactsOf('email', mentions, place);
  const none: Commands =
    named.length === 0 && !place.isQuestion && lacksEmail(values) ? [{ do: 'none', field: 'email' }] : [];
  const email = [...named, ...none];
  const { codes, fresh } = codesOf(mentions, place);
  const { gift, named: gifts, denied, isCoded } = giftsOf(mentions, place);
  const { timeZone } = reading.settings;
  const { period: spoken, type } = values;
  const { span, fault = 'period.shape' } = spoken ?? {};
  const ever = { do: 'period', period: namedPeriod('all', reading.nowMs, timeZone) } as const;
  const period: Commands = spoken
    ? [span ? { do: 'period', period: toPeriod(span, timeZone) } : wrong('period', fault)]
    : says(values, 'ever')
      ? [ever]
      : [];
  const list: Commands = type ? [{ do: 'kind', of: type }] : [];
  const mangled = mangledIn(mentions);
  return {
    codes,
    phone,
    email,
    gift,
    list,
    period,
    fresh,
    named: gifts,
    isCoded: isCoded && values.rest.length === 0,
    picked: placedChoice(values, place.expecting),
    denied: { gifts: denied },
    all: [
      ...codes,
      ...phone,
      ...email,
      ...gift,
      ...(isOfHistory(place.expecting) ? [...period, ...list] : []),
      ...mangled,
    ],
    for(flow) {
      const slots = flow?.slots ?? ['codes', 'phone', 'email'];
      return [
        ...(slots.includes('codes') ? codes : []),
        ...(slots.includes('gift') ? gift : []),
        ...(slots.includes('list') ? list : []),
        ...(slots.includes('period') ? period : []),
        ...phone,
        ...(slots.includes('email') && (flow ?? fresh[0])
          ? email
          : email.filter(({ do: does }) => does !== 'none')),
        ...mangled,
      ];
    },
  };
}

const isOfHistory = ({ place, flow }: Expecting): boolean => place === 'page' || flow === 'history';

function mangledIn(mentions: readonly Mention[]): Commands {
  const isCode = mentions.some(({ value }) => value.kind === 'mangled');
  const isEmail = mentions.some(({ value }) => value.kind === 'email' && !value.email.ok);
  const kind = isCode ? 'codes' : isEmail ? 'email' : undefined;
  return kind ? [wrong(kind, MANGLED[kind])] : [];
}

/* Phones and e-mails. */

type Contact = Phone | EmailResult;

const textOf = (contact: Contact): string => (contact.ok ? contact.value : '');

function contactsOf(slot: 'phone' | 'email', mentions: readonly Mention[], place: Place): Commands {
  const { expecting, values } = place;
  const standing = expecting[slot];
  const all = mentions.flatMap(({ value, sign }) => {
    const contact = value.kind === slot ? (value.kind === 'phone' ? value.phone : value.email) : undefined;
    return contact?.ok ? [{ contact, sign }] : [];
  });
  const meant = all.filter(
    ({ sign, contact }) => sign !== 'denied' || (all.length === 1 && textOf(contact) !== standing),
  );
  const corrected = meant.filter(({ sign }) => sign === 'corrects');
  const wanted = new Map(
    (corrected.length === 1 ? corrected : meant).map(({ contact }) => [textOf(contact), contact]),
  );
  const [only, ...others] = wanted.values();
  if (!only) return all.length > 0 ? [] : slot === 'email' ? movedEmail(place) : tailOf(place);
  if (others.length > 0) return [{ do: 'several', slot, values: [...wanted.keys()] }];
  const set = slot === 'phone' ? setPhone(only) : setEmail(only);
  const isOther = standing !== undefined && standing !== textOf(only);
  const isAsked = expecting.kind === slot || (expecting.kind === 'phone' && expecting.flow !== 'accumulate');
  const isMeant = isAsked || place.isChange || all.length > meant.length || corrected.length > 0;
  const isAlone = values.rest.length === 0 && !place.isQuestion;
  const isBesides = isOther && !isMeant && !isAlone && !says(values, 'faults', 'corrects');
  if (!isBesides || set.do !== 'set' || set.slot === 'gift') return [set];
  // A number in a question or for another purpose never overwrites: it is shown.
  return [{ do: 'set', slot, doubt: { why: 'spoken', meant: textOf(only) } }];
}

function setPhone(phone: Contact): TextCommand {
  const value = textOf(phone);
  const why = 'ask' in phone ? phone.ask : undefined;
  return { do: 'set', slot: 'phone', value, ...(why && { doubt: { why, meant: value } }) };
}

function setEmail(email: Contact): TextCommand {
  const value = textOf(email);
  if ('isGuess' in email && email.isGuess)
    return { do: 'set', slot: 'email', doubt: { why: 'spoken', meant: value } };
  const suggested = 'suggestion' in email ? email.suggestion : undefined;
  return {
    do: 'set',
    slot: 'email',
    value,
    ...(suggested !== undefined && { doubt: { why: 'typo', meant: suggested } }),
  };
}

/** "Yahoo, not gmail": the e-mail that stands, at the other provider. */
function movedEmail({ values, expecting: { email = '', kind, place }, isQuestion }: Place): Commands {
  if (isQuestion || (email === '' && kind !== 'email')) return [];
  const [moved, ...others] = new Set(values.words.flatMap(({ text }) => moveEmail(email, text) ?? []));
  if (moved === undefined) return [];
  if (email === '') return [wrong('email', 'email.shape')];
  if (others.length > 0) return [];
  return place === 'summary' ? [{ do: 'set', slot: 'email', doubt: { why: 'spoken', meant: moved } }] : [];
}

/** Other last digits of the phone that stands: a guess. */
function tailOf({ values, expecting, off }: Place): Commands {
  const { tail } = values;
  const { phone, codes } = expecting;
  if (tail === undefined || phone === undefined || isOff(off, 'last digits')) return [];
  const isOfPhone =
    fieldIn(values, codes.length === 0 && expecting.kind !== 'codes') === 'phone' ||
    expecting.kind === 'phone' ||
    (codes.length === 0 && expecting.kind !== 'codes') ||
    endsIn(values, tail, [phone]);
  const meant = phone.slice(0, -tail.length) + tail;
  return isOfPhone && meant !== phone ? [{ do: 'set', slot: 'phone', doubt: { why: 'spoken', meant } }] : [];
}

/** "465, not 456": other digits of the text say which value is meant. */
function endsIn({ words }: Values, tail: string, standing: readonly string[]): boolean {
  return words.some(
    ({ source: { text } }) =>
      /^\d{2,6}$/.test(text) && text !== tail && standing.some((value) => value.endsWith(text)),
  );
}

/* Codes. */

function refOf({ value }: Mention): CodeRef | undefined {
  switch (value.kind) {
    case 'code':
      return { code: value.code };
    case 'place':
      return { place: value.place };
    case 'end':
      return { end: value.end };
    default:
      return undefined;
  }
}

function codesOf(
  mentions: readonly Mention[],
  place: Place,
): { readonly codes: Commands; readonly fresh: readonly string[] } {
  const { values, expecting } = place;
  const standing = expecting.codes;
  const all = mentions.flatMap((mention) => {
    const ref = refOf(mention);
    return ref && ('code' in ref || !place.isAside) ? [{ ref, sign: mention.sign }] : [];
  });
  const isNew = ({ ref }: { readonly ref: CodeRef }) => 'code' in ref && !standing.includes(ref.code);
  const codes = all.filter(isNew);
  const isContactAsked =
    (expecting.kind === 'phone' || expecting.kind === 'email') && fieldIn(values) !== 'code';
  const isContact = ({ ref }: { readonly ref: CodeRef }) =>
    isContactAsked && 'code' in ref && looksLikeContact(ref.code);
  const isListed = ({ ref }: { readonly ref: CodeRef }) =>
    'code' in ref &&
    place.reading.settings.gifts.some(({ code }) => code.toLowerCase() === ref.code.toLowerCase());
  // A mistyped phone is no code, and neither is a gift's.
  const isOfOthers = (one: { readonly ref: CodeRef }) =>
    isListed(one) || (isContact(one) && (standing.length > 0 || expecting.gift !== undefined));
  const meant = codes.filter((one) => one.sign !== 'denied' && !isOfOthers(one));
  // "Mã ABC123 sai chỗ nào" asks about the code.
  const taken = meant.length > 0 || says(values, 'stops') || standing.length > 0 ? meant : codes;
  const named = [...new Set(taken.flatMap(({ ref }) => ('code' in ref ? ref.code : [])))];
  const fresh = withTail(named, place);
  const others = mentions.flatMap(({ value }) => (value.kind === 'other' ? value.text : []));
  const add: Commands =
    fresh.length > 0
      ? [{ do: 'add', codes: fresh, ...(others.length > 0 && { others }) }]
      : others.length > 0
        ? [wrong('codes', 'code.order')]
        : [];
  const edit = standing.length === 0 ? undefined : editOf({ all, fresh }, place);
  return { codes: edit ?? add, fresh };
}

type Named = { readonly ref: CodeRef; readonly sign: Mention['sign'] };

/** How a text changes the codes that stand; undefined: it only adds to them. */
function editOf(
  { all, fresh }: { readonly all: readonly Named[]; readonly fresh: readonly string[] },
  place: Place,
) {
  const { values, expecting, isChange, isRemoval } = place;
  const isNew = ({ ref }: Named) => 'code' in ref && !expecting.codes.includes(ref.code);
  const old = all.filter((one) => !isNew(one));
  const denied = old.filter(({ sign }) => sign === 'denied').map(({ ref }) => ref);
  if (fresh.length > 0) {
    const corrects = all.some((one) => isNew(one) && (one.sign === 'corrects' || one.sign === 'denied'));
    const isOfCodes = (fieldIn(values) ?? 'code') === 'code';
    const isCorrection = isOfCodes && (isChange || says(values, 'faults', 'corrects'));
    const wrongs = denied.length > 0 ? denied : corrects ? old.map(({ ref }) => ref) : [];
    if (wrongs.length > 0) return toEdit({ do: 'replace', old: wrongs, codes: fresh });
    const isMore = all.some(({ sign }) => sign === 'more');
    const isReplaced = !isMore && (corrects || isCorrection) && old.length === 0;
    return isReplaced ? toEdit({ do: 'replace', old: [], codes: fresh }) : undefined;
  }
  const only = old.filter(({ sign }) => sign === 'only').map(({ ref }) => ref);
  if (only.length > 0) return toEdit({ do: 'keepOnly', which: only });
  const tail = codeTail(place);
  if (tail.length > 0 && denied.every((ref) => 'end' in ref)) return tail;
  const unknown = all.filter((one) => isNew(one) && one.sign === 'denied').map(({ ref }) => ref);
  const removed = isRemoval && denied.length === 0 ? old.map(({ ref }) => ref) : denied;
  if (removed.length + unknown.length > 0) return toEdit({ do: 'remove', which: [...removed, ...unknown] });
  const places = old.filter(({ ref }) => !('code' in ref)).map(({ ref }) => ref);
  if (places.length > 0 && isChange) return toEdit({ do: 'remove', which: places });
  const again = old.flatMap(({ ref, sign }) => ('code' in ref && sign === undefined ? ref.code : []));
  return again.length > 0 ? toEdit({ do: 'add', codes: again }) : undefined;
}

const toEdit = (command: TextCommand): Commands => [command];

/** "Code is TIVI000000330, wait no, 331 at the end": the text corrects its own code, which is a guess. */
function withTail(codes: readonly string[], { values: { tail }, off }: Place): readonly string[] {
  const [code, ...others] = codes;
  if (code === undefined || others.length > 0 || tail === undefined || code.endsWith(tail)) return codes;
  return isOff(off, 'last digits') ? codes : [`${code.slice(0, -tail.length)} ${tail}`];
}

/** A code that stands gets other last digits: a guess. */
function codeTail({ values, expecting, off }: Place): Commands {
  const { tail } = values;
  const { codes, kind } = expecting;
  if (tail === undefined || isOff(off, 'last digits') || codes.some((code) => code.endsWith(tail))) return [];
  if ((fieldIn(values) ?? (kind === 'phone' ? 'phone' : 'code')) !== 'code') return [];
  if (expecting.phone !== undefined && endsIn(values, tail, [expecting.phone])) return [];
  const differing = (code: string) => [...code.slice(-tail.length)].filter((digit, at) => digit !== tail[at]);
  const named = codes.filter((code) => endsIn(values, tail, [code]));
  const nearest = codes.filter((code) => differing(code).length === 1);
  const [code, ...others] = [named, nearest, codes].find((some) => some.length > 0) ?? [];
  if (code === undefined) return [];
  if (others.length > 0) return [{ do: 'change', field: 'code' }];
  return [{ do: 'replace', old: [{ code }], codes: [`${code.slice(0, -tail.length)} ${tail}`] }];
}

/* Gifts. */

function giftsOf(mentions: readonly Mention[], { values, expecting, reading, isQuestion }: Place) {
  const { gifts: listed } = reading.settings;
  const of = (isDenied: boolean) =>
    mentions.flatMap(({ value, sign }) =>
      value.kind === 'gift' && (sign === 'denied') === isDenied ? value.gifts.map(({ code }) => code) : [],
    );
  const denied = of(true);
  const codes = mentions.flatMap(({ value }) => (value.kind === 'code' ? value.code : []));
  const coded = listed.filter(({ code }) => codes.some((one) => one.toLowerCase() === code.toLowerCase()));
  const byName = of(false).length > 0 || denied.length > 0 ? of(false) : coded.map(({ code }) => code);
  const named = [
    ...new Set(byName.length > 0 || denied.length > 0 ? byName : pricedGift(values, expecting, reading)),
  ];
  const [gift, ...others] = named;
  // Where there is no list, any code is a gift's.
  const code = gift ?? (listed.length === 0 ? codes[0] : undefined);
  const isSeveral = gift !== undefined && says(values, 'several');
  const chosen: Commands =
    others.length > 0
      ? [{ do: 'among', gifts: named }]
      : code === undefined
        ? []
        : [{ do: 'set', slot: 'gift', value: code, ...(isSeveral && { several: true as const }) }];
  return {
    gift: isQuestion && expecting.kind !== 'gift' && code === undefined ? [] : chosen,
    named,
    denied,
    isCoded: byName.length > 0 && of(false).length === 0,
  };
}

/** "The 250 one", "loại 250 điểm": the only gift of this price, where gifts are asked for. */
function pricedGift({ text }: Values, { kind, gift }: Expecting, { settings }: Reading): readonly string[] {
  if (kind !== 'gift' && gift === undefined) return [];
  const numbers = text.match(/\d[\d.,]*/g) ?? [];
  const [price, ...others] = numbers.map((number) => Number(number.replace(/[.,]/g, '')));
  const priced = settings.gifts.filter(({ score }) => score === price);
  return others.length === 0 && priced.length === 1 ? priced.map(({ code }) => code) : [];
}

/** The button that a text names by its place: "cái thứ hai". */
function placedChoice({ mentions }: Values, expecting: Expecting): Commands {
  const [place, ...others] = mentions.flatMap(({ value }) => (value.kind === 'place' ? value.place : []));
  const ids = expecting.kind === 'gift' ? 'gift:' : expecting.place === 'doubt' ? 'use:' : undefined;
  if (!place || others.length > 0 || ids === undefined) return [];
  const buttons = expecting.buttons().filter((id) => id?.startsWith(ids));
  const choice = buttons.at(place > 0 ? place - 1 : place);
  return choice ? [{ do: 'pick', choice }] : [];
}

/* No value is lost. */

/**
 * The commands, after those of values that none of them has: no value is lost. The customer who cancels drops
 * them.
 */
export function keepOthers(
  commands: Commands,
  { values, given }: { readonly values: Values; readonly given: GivenValues },
): Commands {
  if (commands.some((command) => command.do === 'cancel')) return commands;
  const taken = new Set(commands.flatMap(valuesOf));
  const fresh = given.fresh.filter(
    (code) => !taken.has(code) && code.toUpperCase() !== values.reference && !looksLikeContact(code),
  );
  const added: Commands = fresh.length > 0 ? [{ do: 'add', codes: fresh }] : [];
  const contacts = [...given.phone, ...given.email].filter((command) => {
    const some = valuesOf(command);
    return some.length > 0 && !some.some((value) => taken.has(value));
  });
  return [...asKept([...added, ...contacts]), ...commands];
}

/** The values that a command has. */
function valuesOf(command: TextCommand): readonly string[] {
  switch (command.do) {
    case 'add':
      return command.codes;
    case 'remove':
    case 'keepOnly':
      return command.which.flatMap((ref) => ('code' in ref ? ref.code : []));
    case 'replace':
      return [...command.codes, ...command.old.flatMap((ref) => ('code' in ref ? ref.code : []))];
    case 'set':
      return command.slot === 'gift' ? [command.value] : [command.value ?? command.doubt?.meant ?? ''];
    case 'several':
      return command.values;
    default:
      return [];
  }
}

/** Values that the text only mentions: they are noted, and begin nothing. */
export const asKept = (commands: Commands): Commands =>
  commands.map((command) =>
    command.do === 'add' || (command.do === 'set' && command.slot !== 'gift')
      ? { ...command, kept: true as const }
      : command,
  );
