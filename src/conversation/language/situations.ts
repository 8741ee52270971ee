import type { CodeRef, Expecting, Reading, SlotKind, TextCommand } from '../commands.ts';
import { namedPeriod, toPeriod } from '../values/calendar.ts';
import { hasBeginning, looksLikeContact } from '../values/code.ts';
import type { EmailResult, Phone } from '../values/contact.ts';
import { isSure } from './acts.ts';
import { findSigns, isReport, type PartSpan, type Sign, splitTorn } from './frames.ts';
import type { Meaning } from './meaning.ts';
import { bringsValue, fieldIn, lacksEmail, type ParsedText, type SpokenFlow, says } from './parser.ts';
import type { SaidPeriod } from './period.ts';
import { actOf, isIn, isPaused, type Part } from './phrases.ts';

/* What a parsed text means: one function a situation, then what holds anywhere, then values alone. */

/** A parsed text, and where it is said. */
export type Situation = {
  readonly said: ParsedText;
  /** Its command, as it is meant here. */
  readonly act: string;
  readonly at: Expecting;
  readonly reading: Reading;
  /** The live flow, and the one that the text would begin. */
  readonly flow: SpokenFlow | undefined;
  readonly starts: SpokenFlow | undefined;
  /** A yes and nothing else, by the lists: points depend on it. */
  readonly isYes: boolean;
  readonly isBare: boolean;
  readonly isQuestion: boolean;
  /** It asks for something to be done: "giúp mình". */
  readonly isRequest: boolean;
  /** It speaks of later. */
  readonly isPlan: boolean;
  /** What its words say, and how sure that is. */
  readonly meaning: Meaning;
  /** The command of its act, where it is one by itself. */
  readonly command: TextCommand | undefined;
  readonly isPolite: (part: Part) => boolean;
  /** The commands of its values, by the kinds of slots. */
  readonly values: Readonly<Record<SlotKind, readonly TextCommand[]>>;
};

/** The commands of a text; undefined: the next function decides. */
export type Meant = readonly TextCommand[] | undefined;

const YES: Meant = [{ do: 'yes' }];
/** Nearly a yes is none: the answer shows which button takes it. */
export const NEARLY: readonly TextCommand[] = [{ do: 'unclear', likely: [{ do: 'yes' }] }];
const NO: Meant = [{ do: 'no' }];
const NO_EMAIL: readonly TextCommand[] = [{ do: 'none', field: 'email' }];
const MANGLED = { codes: 'code.vietnamese', email: 'email.vietnamese' } as const;

/** Acts that decline to answer: no, skip, never mind. */
const SKIPS: ReadonlySet<string> = new Set(['none', 'no', 'cancel mild']);
/** "What is wrong with the e-mail": at a summary, said without asking, it is to be changed. */
const WRONG: ReadonlySet<string> = new Set(['ask code.wrong', 'ask phone.wrong', 'ask email.wrong']);
/** Commands that only ask: they change no codes that they name by a place. */
const ASIDE: ReadonlySet<string> = new Set(['ask', 'show', 'status']);
/** Acts beside which the name of a gift may still choose it: "ok loa", "không, loa". */
const BESIDE_GIFT: ReadonlySet<string> = new Set([
  '',
  'yes',
  'no',
  'none',
  'cancel mild',
  'talk remark',
]).union(new Set(['talk greeting', 'change', 'other', 'keep']));

const isLive = ({ at }: Expecting): boolean => at === 'slot' || at === 'doubt' || at === 'summary';

const someOf = (commands: readonly TextCommand[]): Meant => (commands.length > 0 ? commands : undefined);

export const wrong = (kind: SlotKind, reason: string): TextCommand & { do: 'unclear' } => ({
  do: 'unclear',
  wrong: { kind, reason },
});

const isReference = ({ said: { reference }, act, at }: Situation): boolean =>
  reference !== undefined && (act === 'status' || at.references.includes(reference));

/** What the text means where the conversation is. */
export function meantHere(here: Situation): Meant {
  if (isReference(here)) return [{ do: 'status', reference: here.said.reference ?? '' }];
  const question = asksAnswer(here);
  if (question) return [question];
  switch (here.at.at) {
    case 'nothing':
      return here.isYes ? YES : undefined;
    case 'page':
      return here.isBare ? atPage(here) : undefined;
    case 'doubt':
      return atDoubt(here) ?? aboutSlots(here) ?? endings(here);
    case 'summary':
      return atSummary(here) ?? aboutSlots(here) ?? endings(here);
    case 'slot':
      return atSlot(here) ?? endings(here);
  }
}

/** Questions that are about the gift that is named, or the one that is being redeemed. */
const isOfGift = (id: string): boolean => id.startsWith('gift.');

/** A usual question. With a gift it asks about that one: "loa bao nhiêu điểm". */
function asksAnswer({ said, act, command, at, isBare, isQuestion }: Situation): TextCommand | undefined {
  if (!isBare || command?.do !== 'ask' || command.about !== 'answer' || lacksEmail(said)) return undefined;
  if (at.at === 'summary' && WRONG.has(act) && !isQuestion) return undefined;
  // "Còn quà thì sao" at a page is the other list.
  if (at.at === 'page' && said.type !== undefined && said.gifts.length === 0) return undefined;
  const [named, ...others] = said.gifts;
  const gift =
    others.length === 0 ? (named?.code ?? (command.id === 'gift.price' ? at.gift : undefined)) : undefined;
  // "Sai chỗ nào?" is asked about whatever was refused last.
  if (command.id === 'code.wrong' && fieldIn(said) !== 'code') return { do: 'ask', about: 'wrong' };
  return isOfGift(command.id) && gift !== undefined ? { ...command, gift } : command;
}

/** A page is shown: another one, the other list, another period, or both. */
function atPage({ said, act, command, flow, starts, isYes, values }: Situation): Meant {
  if (isYes) return YES;
  // "Second week of October" asks nobody to wait.
  const isElsewhere = starts !== undefined || (command !== undefined && command.do !== 'talk');
  const isPeriod = said.period !== undefined && (said.rest.length === 0 || !isElsewhere);
  const isList = says(said, 'points list', 'gifts list') && said.rest.length === 0;
  if ((isPeriod || isList) && said.type !== 'both') return [...values.list, ...values.period];
  if (act === 'page next' || act === 'page previous')
    return [{ do: 'page', to: act === 'page next' ? 'next' : 'previous' }];
  const isOther = act !== '' && (starts === undefined || starts !== flow);
  return isOther || said.type === 'both' ? undefined : someOf([...values.list, ...values.period]);
}

/** A value is doubted: it is taken over, kept as it was typed, or neither. */
function atDoubt(here: Situation): Meant {
  const { said, act, at, isYes, isBare, isQuestion } = here;
  const picked = isBare ? pickPlace(said, at, 'use:') : undefined;
  if (picked) return picked;
  const isCovered = said.rest.length === 0;
  if (!isBare) return undefined;
  if (at.kind === 'email' && (act === 'none' || act === 'cancel mild')) return NO_EMAIL;
  if (act === 'yes' && (isYes || (isCovered && !isQuestion && !says(said, 'faults')))) return [{ do: 'use' }];
  if (act === 'no') return NO;
  if (act === 'keep') return [{ do: 'keep' }];
  return act === 'other' || act === 'change' ? [{ do: 'other' }] : undefined;
}

/** The summary waits: only a text that is a yes and nothing else confirms it. */
function atSummary({ said, act, starts, flow, isYes, isBare, isQuestion, isPolite }: Situation): Meant {
  const isOther =
    said.gifts.length > 0 || said.deniesGift || said.places.length > 0 || said.tail !== undefined;
  if (!isBare || lacksEmail(said) || isOther) return undefined;
  if (act === 'none' && fieldIn(said) === 'email') return NO_EMAIL;
  if (act === 'no' || act === 'none') return fieldIn(said) ? changeOf(said) : NO;
  if (act === 'other') return [{ do: 'other' }];
  if (WRONG.has(act) && !isQuestion) return changeOf(said);
  // "Mã chưa đúng", "sai số điện thoại".
  if (act === '' && !isQuestion && fieldIn(said) && says(said, 'faults')) return changeOf(said);
  if (act === 'yes' && fieldIn(said) === undefined) return isYes ? YES : NEARLY;
  // "Ok đổi đi": a yes with the flow's own verb.
  const isOwn = starts !== undefined && starts === flow;
  const hasYes = said.parts.some((part) => actOf(part) === 'yes') || said.parts.every(isPolite);
  return isOwn && hasYes ? NEARLY : undefined;
}

function atSlot(here: Situation): Meant {
  const { said, act, at, flow, starts, isYes, isBare, isQuestion } = here;
  const isFault = says(said, 'faults');
  const isPlain = !isFault && !lacksEmail(said);
  if (isBare && at.kind === 'email' && SKIPS.has(act) && isPlain) return NO_EMAIL;
  const found = aboutSlots(here);
  if (found) return found;
  // "0912345678 mà điểm của tui có mấy rồi": the value is kept, and the question drops nothing.
  if (starts && starts !== flow && isQuestion && answersQuestion(here))
    return [...valuesFor(here, flow), { do: 'start', flow: starts.name, asked: true }];
  if (!isBare) return undefined;
  if (act === 'no' && isFault) return [{ do: 'no', wrong: true }];
  if (isYes) return YES;
  if (!isPlain || !SKIPS.has(act)) return undefined;
  return act === 'cancel mild' ? [{ do: 'cancel', mild: true }] : NO;
}

function aboutSlots(here: Situation): Meant {
  const slots = here.flow?.slots ?? [];
  return (
    (slots.includes('codes') ? aboutCodes(here) : undefined) ??
    (slots.includes('gift') ? aboutGift(here) : undefined) ??
    (slots.includes('period') && here.at.at === 'slot' ? aboutPeriod(here) : undefined)
  );
}

/** Changes of the listed codes; an e-mail that is left out. */
function aboutCodes(here: Situation): Meant {
  const { said, act, at, isBare, values } = here;
  const field = fieldIn(said);
  const isSkip = act === 'change' || SKIPS.has(act);
  const isDropped = act === 'remove' || (isSkip && says(said, 'codes drop'));
  if (isDropped && field === 'email' && isBare) return NO_EMAIL;
  const corrected = correctTail(said, at);
  if (corrected) return corrected;
  const isAside = ASIDE.has(here.command?.do ?? '');
  // "Xoá hết đi" ends; no code is named.
  const isOther = here.meaning.p === 1 && !CORRECTS.has(act);
  const isNamed = said.codes.length > 0 || (said.places.length > 0 && !isAside);
  const edit = (isAside || isOther) && !isNamed ? undefined : editOf(here);
  if (edit) return [edit, ...contactsOf(values)];
  return isBare && act === 'change' && field === 'code' && at.codes.length > 0 ? changeOf(said) : undefined;
}

/**
 * A value that stands gets other last digits: a guess. Undefined: the text has none, or they fit several
 * codes.
 */
function correctTail(said: ParsedText, { codes, kind, phone }: Expecting): Meant {
  const { tail } = said;
  if (tail === undefined || bringsValue(said)) return undefined;
  const field = fieldIn(said) ?? (kind === 'phone' ? 'phone' : 'code');
  const withTail = (value: string) => value.slice(0, -tail.length) + tail;
  if (field === 'phone' && phone !== undefined)
    return [{ do: 'set', slot: 'phone', doubt: { why: 'spoken', meant: withTail(phone) } }];
  const differing = (code: string) => [...code.slice(-tail.length)].filter((digit, at) => digit !== tail[at]);
  const wrongEnds = said.parts.flatMap(({ value }) =>
    value?.kind === 'end' && value.end !== tail ? value.end : [],
  );
  // "113 chứ không phải 112": the other digits say which code is meant.
  const named = codes.filter((code) => wrongEnds.some((end) => code.endsWith(end)));
  const nearest = codes.filter((code) => differing(code).length === 1);
  const [code, ...others] = [named, nearest, codes].find((some) => some.length > 0) ?? [];
  if (
    field !== 'code' ||
    code === undefined ||
    code.endsWith(tail) ||
    codes.some((one) => one.endsWith(tail))
  )
    return undefined;
  if (others.length > 0) return [{ do: 'change', field }];
  const guess = `${code.slice(0, -tail.length)} ${tail}`;
  return [{ do: 'replace', old: [{ code }], codes: [guess] }];
}

/** A gift is chosen, by its name or its place, or another one is wanted. */
function aboutGift(here: Situation): Meant {
  const { said, act, at, flow, starts, isBare, isQuestion } = here;
  const isOwn = starts !== undefined && starts === flow;
  const again: Meant = flow && [{ do: 'start', flow: flow.name }];
  if (said.deniesGift && said.gifts.length === 0 && isBare) return again;
  if (at.kind !== 'gift') {
    const isAsked = at.at === 'summary' || at.kind === 'phone';
    // "Thôi lấy loa" chooses another gift.
    const isOther = act !== '' && act !== 'cancel mild' && !isOwn && !said.deniesGift;
    if (!isAsked || isOther) return undefined;
    if (said.gifts.length > 0) return valuesFor(here, flow);
    return isOwn && (isBare || said.mangled) ? again : undefined;
  }
  const named = someOf(valuesFor(here, flow));
  const isChosen = (isOwn || BESIDE_GIFT.has(act)) && said.period?.isPast !== true;
  if (said.gifts.length > 0) return isChosen && (!isQuestion || said.rest.length === 0) ? named : undefined;
  if (isBare && SKIPS.has(act) && !says(said, 'faults')) return [{ do: 'none' }];
  if (isBare && act === 'other') return again;
  return isBare ? pickPlace(said, at, 'gift:') : undefined;
}

/** The button that a text names by its place: "cái thứ hai". */
function pickPlace({ places }: ParsedText, at: Expecting, ids: string): Meant {
  const [place, ...others] = places;
  if (!place || others.length > 0) return undefined;
  const choice = at
    .buttons()
    .filter((id) => id?.startsWith(ids))
    .at(place > 0 ? place - 1 : place);
  return choice ? [{ do: 'pick', choice }] : undefined;
}

function aboutPeriod({ said, act, at, values }: Situation): Meant {
  const isAnswer = said.period !== undefined || (at.kind !== 'period' && said.type !== undefined);
  if (!isAnswer || (at.kind === 'phone' && act !== '')) return undefined;
  return [...values.list, ...values.period, ...contactsOf(values)];
}

/** What ends or replaces what is gathered must be surer than what begins: else it is offered. */
function endings(here: Situation): Meant {
  const { said, act, at, flow, starts, isBare, isQuestion, meaning } = here;
  if (at.at === 'summary' && act === 'change') return someOf(valuesFor(here, flow)) ?? changeOf(said);
  if (act === 'cancel' && said.codes.length > 0) return [{ do: 'unclear', likely: [{ do: 'cancel' }] }];
  const isAtStake = at.gift !== undefined || (!isQuestion && at.codes.length > 0);
  if (!starts || starts === flow || !isAtStake || !isBare || isSure('costly', meaning.p)) return undefined;
  return [{ do: 'unclear', likely: [{ do: 'start', flow: starts.name }] }];
}

/** What means the same wherever it is said. */
export function meantAnywhere(here: Situation): Meant {
  const { said, act, at, command, flow, starts, isBare, isQuestion } = here;
  if (starts) {
    const product = besideProduct(here, starts);
    if (product) return product;
    const isAsked = isBare && isQuestion;
    return [{ do: 'start', flow: starts.name, ...(isAsked && { asked: true }) }, ...valuesFor(here, starts)];
  }
  // Values in the wish for a person are kept while the person answers.
  if (act === 'show person' || act === 'show complaint')
    return [...(flow ? asKept(valuesFor(here, flow)) : []), ...(command ? [command] : [])];
  if (command || isLive(at)) return command && [command];
  if (act === 'remove')
    return said.codes.length > 0
      ? [{ do: 'remove', which: said.codes.map((code) => ({ code })) }]
      : [{ do: 'cancel' }];
  return act === 'no' && isBare && fieldIn(said) === undefined ? NO : undefined;
}

/**
 * Another wish beside the codes of products, where nothing runs: the points are earned first. A gift that is
 * named waits, anything else is offered.
 */
function besideProduct({ said, at, reading, values, isQuestion }: Situation, starts: SpokenFlow): Meant {
  const { gifts, codePrefixes } = reading.settings;
  const isOfGift = starts.slots.includes('gift') && gifts.length === 0;
  const areProducts = said.codes.length > 0 && said.codes.every((code) => hasBeginning(code, codePrefixes));
  if (
    isLive(at) ||
    !areProducts ||
    isOfGift ||
    starts.slots.some((kind) => kind === 'codes' || kind === 'list')
  )
    return undefined;
  const { name: flow } = starts;
  if (starts.slots.includes('gift') && values.gift.length > 0 && !isQuestion)
    return [{ do: 'start', flow }, ...values.gift, ...values.codes, ...contactsOf(values)];
  return [...values.codes, ...contactsOf(values), { do: 'start', flow, asked: true }];
}

export function valuesAlone(here: Situation): Meant {
  const { said, at, reading, isQuestion, values } = here;
  const { codes, gifts } = said;
  const flow = isLive(at) ? here.flow : undefined;
  if (!flow) return mentionedOnly(here) ?? someOf(valuesFor(here, undefined));
  const hasContact = contactsOf(values).length > 0;
  const areContacts = codes.every(looksLikeContact);
  const takesCodes = flow.slots.includes('codes');
  const isGift = flow.slots.includes('gift') && (gifts.length > 0 || reading.settings.gifts.length === 0);
  if (at.kind === 'gift' && gifts.length > 0 && isQuestion && said.rest.length > 0) return undefined;
  // A product's code at another flow's question begins earning.
  const isProduct = !takesCodes && codes.length > 0 && !isGift && !areContacts;
  if (isProduct && (at.kind !== 'gift' || hasBeginning(codes[0] ?? '', reading.settings.codePrefixes)))
    return [{ do: 'add', codes }, ...contactsOf(values)];
  // A mistyped phone or e-mail may look like a code: alone and uncalled for, it is none.
  const isUncalled = fieldIn(said) !== 'code' && (at.codes.length > 0 || at.gift !== undefined);
  const isContact =
    (at.kind === 'phone' || at.kind === 'email') && codes.length > 0 && areContacts && isUncalled;
  const isNothing = !takesCodes && !said.mangled && gifts.length === 0 && !(isGift && codes.length > 0);
  if ((isContact || isNothing) && !hasContact) return undefined;
  const isMention = codes.length > 0 && at.codes.length > 0 && mentionedOnly(here) !== undefined;
  return someOf(isMention ? asKept(valuesFor(here, flow)) : valuesFor(here, flow));
}

/** Values in a plan, a report or a question begin nothing: they are kept. */
function mentionedOnly(here: Situation): Meant {
  const { said, isPlan, isQuestion } = here;
  const values = asKept(valuesFor(here, undefined));
  if (values.length === 0) return undefined;
  if (isPlan) return [...values, { do: 'talk', about: 'wait' }];
  if (isReport(said.parts) || says(said, 'fails', 'troubles'))
    return [...values, { do: 'show', what: 'complaint' }];
  const isAsked = isQuestion && !here.isRequest;
  return isAsked ? [...values, { do: 'ask', about: 'unknown' }] : undefined;
}

/** What a text says for a flow; without one, all that can be kept. */
function valuesFor(here: Situation, flow: SpokenFlow | undefined): readonly TextCommand[] {
  const { said, values } = here;
  const slots = flow?.slots ?? ['codes', 'phone', 'email'];
  const edit = slots.includes('codes') && said.codes.length > 0 ? editOf(here) : undefined;
  const others = slots.filter((kind) => kind !== 'codes' && kind !== 'phone' && kind !== 'email');
  return [
    ...(edit ? [edit] : slots.includes('codes') ? values.codes : []),
    ...others.flatMap((kind) => values[kind]),
    ...contactsOf(values),
    ...(slots.includes('email') && lacksEmail(said) ? NO_EMAIL : []),
    ...(said.mangled ? [wrong(said.mangled, MANGLED[said.mangled])] : []),
  ];
}

function changeOf(said: ParsedText): readonly TextCommand[] {
  const field = fieldIn(said);
  return [{ do: 'change', ...(field && { field }) }];
}

function answersQuestion({ said, at: { kind } }: Situation): boolean {
  if (kind === 'phone') return said.phones.length > 0;
  return kind === 'email' ? said.emails.length > 0 : said.codes.length > 0;
}

export function valuesIn(said: ParsedText, { nowMs, settings }: Reading): Situation['values'] {
  const { phones, emails, codes, gifts, period, type } = said;
  const denied = mentionsIn(said.parts).flatMap(({ refs, sign }) => (sign === 'drop' ? refs : []));
  const isDenied = (code: string) => denied.some((ref) => 'code' in ref && ref.code === code);
  const meant = codes.filter((code) => !isDenied(code));
  // "Mã ABC123 sai chỗ nào" asks about the code.
  const added = meant.length > 0 || says(said, 'stops') ? meant : codes;
  const [gift, ...others] = gifts.map(({ code }) => code);
  // Where there is no list, any code is a gift's.
  const code = gift ?? (settings.gifts.length === 0 ? codes[0] : undefined);
  const isSeveral = gift !== undefined && says(said, 'several');
  const set: TextCommand = {
    do: 'set',
    slot: 'gift',
    value: code ?? '',
    ...(isSeveral && { several: true }),
  };
  const all = { do: 'period', period: namedPeriod('all', nowMs, settings.timeZone) } as const;
  return {
    codes: addedCodes(added, said.others),
    phone: severalOf('phone', phones) ?? phones.map(setPhone),
    email: severalOf('email', emails) ?? emails.flatMap(setEmail),
    gift:
      others.length > 0 ? [{ do: 'among', gifts: [...new Set([gift ?? '', ...others])] }] : code ? [set] : [],
    list: type ? [{ do: 'kind', of: type }] : [],
    period: period ? [periodOf(period, settings.timeZone)] : says(said, 'ever') ? [all] : [],
    proof: [],
  };
}

const periodOf = ({ span, fault = 'period.shape' }: SaidPeriod, timeZone: string): TextCommand =>
  span ? { do: 'period', period: toPeriod(span, timeZone) } : wrong('period', fault);

const contactsOf = ({ phone, email }: Situation['values']): readonly TextCommand[] => [...phone, ...email];

/** `others` are no codes, and the answer says so. */
function addedCodes(codes: readonly string[], others: readonly string[]): readonly TextCommand[] {
  if (codes.length > 0) return [{ do: 'add', codes, ...(others.length > 0 && { others }) }];
  return others.length > 0 ? [wrong('codes', 'code.order')] : [];
}

/** The values of a kind, where a text has more than one. */
function severalOf(
  slot: 'phone' | 'email',
  some: readonly (Phone | EmailResult)[],
): readonly TextCommand[] | undefined {
  const values = some.flatMap((one) => (one.ok ? one.value : []));
  return values.length > 1 ? [{ do: 'several', slot, values }] : undefined;
}

/**
 * The commands, after those of values that none of them has: no value is lost. The customer who cancels drops
 * them.
 */
export function keepOthers(
  commands: readonly TextCommand[],
  { said, values }: Pick<Situation, 'said' | 'values'>,
): readonly TextCommand[] {
  if (commands.some((command) => command.do === 'cancel')) return commands;
  const taken = new Set(commands.flatMap(valuesOf));
  const isTaken = (command: TextCommand) => valuesOf(command).some((value) => taken.has(value));
  const codes = values.codes.flatMap((command) => (command.do === 'add' ? command.codes : []));
  const others = codes.filter(
    (code) => !taken.has(code) && code !== said.reference && !looksLikeContact(code),
  );
  const added: readonly TextCommand[] = others.length > 0 ? [{ do: 'add', codes: others }] : [];
  const contacts = contactsOf(values).filter((command) => valuesOf(command).length > 0 && !isTaken(command));
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
const asKept = (commands: readonly TextCommand[]): readonly TextCommand[] =>
  commands.map((command) =>
    command.do === 'add' || (command.do === 'set' && command.slot !== 'gift')
      ? { ...command, kept: true }
      : command,
  );

export const setPhone = ({ value, ask: why }: Phone): TextCommand =>
  why
    ? { do: 'set', slot: 'phone', value, doubt: { why, meant: value } }
    : { do: 'set', slot: 'phone', value };

export function setEmail(email: EmailResult): readonly TextCommand[] {
  if (!email.ok) return [];
  const { value, suggestion: meant, isGuess } = email;
  if (isGuess) return [{ do: 'set', slot: 'email', doubt: { why: 'spoken', meant: value } }];
  if (meant === undefined) return [{ do: 'set', slot: 'email', value }];
  return [{ do: 'set', slot: 'email', value, doubt: { why: 'typo', meant } }];
}

/*
 * Changes of the list of codes. The word next to a named code says whether it is removed ("bỏ X"), is the
 * only one kept ("chỉ lấy X") or replaces another ("thay bằng X"). If no code is named, the customer is
 * asked which one.
 */

/** Codes that a text names together, and their sign. */
type Mention = { readonly refs: readonly CodeRef[]; readonly sign: Sign | undefined };

function refOf({ value }: Part): CodeRef | undefined {
  switch (value?.kind) {
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

/** The codes that a text names, those that stand together as one. */
function mentionsIn(parts: readonly Part[]): readonly Mention[] {
  const spans: PartSpan[] = [];
  for (let at = 0; at < parts.length; at++) {
    const from = at;
    let to = at;
    for (let next = at; next < parts.length; next++) {
      const part = parts[next];
      // "Bỏ A; mã B" does not remove B, unlike "bỏ mã A, mã B".
      if (to > from && part && isNewMention(parts, from, part)) break;
      if (part && refOf(part)) to = next + 1;
      else if (!part || to === from || actOf(part) !== '' || !isIn(part, 'codes join', 'code')) break;
    }
    if (to > from) spans.push(...splitTorn(parts, { from, to }));
    at = Math.max(at, to - 1);
  }
  const signs = findSigns(parts, spans);
  return spans.map(({ from, to }, at) => ({
    refs: parts.slice(from, to).flatMap((part) => refOf(part) ?? []),
    sign: signs[at],
  }));
}

/** Whether "mã" after a pause begins another mention: the one before has no "mã". */
function isNewMention(parts: readonly Part[], from: number, part: Part): boolean {
  const before = parts[from - 1];
  return isPaused(part) && isIn(part, 'code') && !(before && isIn(before, 'code'));
}

/** How a text changes the listed codes; undefined if it only adds to them, or names none. */
function editOf({ said, act, meaning, at: { codes } }: Situation): TextCommand | undefined {
  const likeliest = meaning.guesses[0]?.act ?? '';
  if (codes.length === 0) return undefined;
  const mentions = mentionsIn(said.parts);
  const signed = (sign: Sign) => mentions.flatMap((mention) => (mention.sign === sign ? mention.refs : []));
  const named = mentions.flatMap(({ refs }) => refs.flatMap((ref) => ('code' in ref ? ref.code : [])));
  const fresh = [...new Set(named)].filter((code) => !codes.includes(code));
  const isNew = (ref: CodeRef) => 'code' in ref && fresh.includes(ref.code);
  const dropped = [...signed('drop'), ...signed('deny').filter((ref) => !isNew(ref))];
  if (fresh.length > 0) return replacement({ said, act, mentions, fresh });
  const only = signed('only');
  if (dropped.length > 0) return { do: 'remove', which: dropped };
  if (only.length > 0) return { do: 'keepOnly', which: [...only, ...signed('keep')] };
  return speaksOfCodes(said, act === '' ? likeliest : act) ? { do: 'remove', which: [] } : undefined;
}

/** Acts with which new codes take the place of others. */
const CORRECTS: ReadonlySet<string> = new Set(['no', 'none', 'change', 'remove']);

/** New codes take the place of those that are wrong, unless the text only adds them. */
function replacement({
  said,
  act,
  mentions,
  fresh,
}: Pick<Situation, 'said' | 'act'> & {
  readonly mentions: readonly Mention[];
  readonly fresh: readonly string[];
}): TextCommand | undefined {
  const isNew = (ref: CodeRef) => 'code' in ref && fresh.includes(ref.code);
  const has = (sign: Sign) => mentions.some((mention) => mention.sign === sign);
  const old = mentions.flatMap(({ refs, sign }) => (sign === 'add' ? [] : refs.filter((ref) => !isNew(ref))));
  const denied = mentions.flatMap(({ refs, sign }) =>
    refs.filter((ref) => sign === 'drop' || (sign === 'deny' && !isNew(ref))),
  );
  const wrong = has('replace') ? old : old.filter((ref) => denied.includes(ref));
  const meant = fresh.filter((code) => !denied.some((ref) => 'code' in ref && ref.code === code));
  if (wrong.length > 0 && meant.length > 0) return { do: 'replace', old: wrong, codes: meant };
  if (denied.length > 0) return { do: 'remove', which: denied };
  if (old.length > 0 || has('add')) return undefined;
  const isCorrection = has('replace') || has('deny') || says(said, 'faults') || CORRECTS.has(act);
  const isOfCodes = (fieldIn(said) ?? 'code') === 'code';
  return isCorrection && isOfCodes && !says(said, 'codes add')
    ? { do: 'replace', old: [], codes: meant }
    : undefined;
}

/** Whether the text removes or keeps codes without naming them. */
function speaksOfCodes(said: ParsedText, act: string): boolean {
  if (act !== 'remove' && !CORRECTS.has(act)) return false;
  if (fieldIn(said) === 'email' || says(said, 'stops') || said.phones.length > 0) return false;
  const isDrop = act === 'remove' || said.parts.some((part) => isIn(part, 'codes drop'));
  return isDrop && says(said, 'code', 'codes other');
}
