import type { CodeRef, Expecting, Reading, SlotKind, Spoken } from '../commands.ts';
import { LOCALES } from '../message.ts';
import { atPlace } from './lists.ts';
import type { Near } from './nearest.ts';
import type { Said, SpokenFlow } from './reading.ts';

/*
 * What a text means where it is said: one table, the first line that fits. A line has conditions on where we are, the act,
 * what came along and what is left over, and the commands that they make. Nothing here sees the text.
 */

/** What a text says, and where. The functions look at it again, where a line asks. */
export type Heard = {
  readonly text: string;
  readonly said: Said;
  readonly expecting: Expecting;
  readonly reading: Reading;
  /** The flow at hand, and the one that the text would begin. */
  readonly flow: SpokenFlow | undefined;
  readonly started: SpokenFlow | undefined;
  /** The flow that a code begins. */
  readonly linked: SpokenFlow | undefined;
  /** The codes of the gifts that it names. */
  readonly gifts: readonly string[];
  /** No value came along. */
  readonly bare: boolean;
  /** Nothing but verbs that ask for a gift. */
  readonly isWish: boolean;
  /** The whole text is a yes. */
  isYes(): boolean;
  /** Its first or its last words are a yes. */
  hasYes(): boolean;
  asks(): boolean;
  /** Says no more of gifts than what they are called. */
  isAboutGifts(): boolean;
  /** How many of a gift. */
  count(): number | undefined;
  /** The places that it names, from 1. */
  places(): readonly number[];
  page(): Extract<Spoken, { do: 'page' }>['to'] | undefined;
  /** What it makes of the codes at hand. */
  list(): Spoken | undefined;
  period(): Spoken | undefined;
  /** What answers it, where it is a usual question; `isSure`: whatever else its words could mean. */
  question(): Found | undefined;
  /** Its values, for a flow; for none, all that can be kept. */
  values(flow: SpokenFlow | undefined, act?: string): readonly Spoken[];
};

/** A question, and the one of the files or the operator's that it is like. */
export type Found = {
  readonly commands: readonly Spoken[];
  readonly isSure: boolean;
  readonly like: Near;
};

const YES: readonly Spoken[] = [{ do: 'yes' }];
/** Nearly a yes is none: it is shown which button takes it. */
const NEARLY: readonly Spoken[] = [{ do: 'unclear', maybe: YES }];
const NO: readonly Spoken[] = [{ do: 'no' }];
const USE: readonly Spoken[] = [{ do: 'use' }];
const MILD: readonly Spoken[] = [{ do: 'cancel', mild: true }];
const CANCEL: readonly Spoken[] = [{ do: 'cancel' }];
const NO_EMAIL: readonly Spoken[] = [{ do: 'none', field: 'email' }];
const SAME: readonly Spoken[] = [{ do: 'page', to: 'same' }];
const WRONG: readonly Spoken[] = [{ do: 'no', wrong: true }];

/** Where a flow waits for an answer, and where none does. */
const LIVE: readonly Expecting['at'][] = ['slot', 'doubt', 'summary'];
export const FREE: readonly Expecting['at'][] = ['nothing', 'page', 'consent'];
/** What declines to answer: no, skip, never mind. */
export const SKIPS: readonly string[] = ['none', 'no', 'cancel mild'];

const takes = ({ flow }: Heard, kind: SlotKind) => flow?.slots.includes(kind) ?? false;

/** What a line may ask of a text, beside where it is said and what it wants. */
const CONDITIONS = {
  bare: ({ bare }) => bare,
  valued: ({ bare }) => !bare,
  'with a code': ({ said }) => said.codes.length > 0,
  whole: ({ isYes }) => isYes(),
  /** Nothing is wrong, and no e-mail is declined. */
  plain: ({ said }) => !said.noEmail && !said.fault,
  fault: ({ said }) => said.fault,
  faultless: ({ said }) => !said.fault,
  agrees: ({ said }) => said.agrees,
  nameless: ({ said }) => said.names === undefined,
  'of e-mail': ({ said }) => said.names === 'email',
  'of codes': ({ said, expecting }) => said.names === 'code' && expecting.codes.length > 0,
  'e-mail stays': ({ said }) => !said.noEmail,
  'known reference': ({ said: { act, reference = '' }, expecting }) =>
    reference !== '' && (act === 'status' || expecting.references.includes(reference)),
  'sure question': ({ question }) => question()?.isSure === true,
  'earns codes': (heard) => takes(heard, 'codes'),
  'spends on a gift': (heard) => takes(heard, 'gift'),
  'shows a period': (heard) => takes(heard, 'period'),
  'gift asked': ({ expecting }) => expecting.kind === 'gift',
  'phone asked': ({ expecting }) => expecting.kind === 'phone',
  'e-mail asked': ({ expecting }) => expecting.kind === 'email',
  'own verb': ({ started, flow }) => started !== undefined && started === flow,
  'another flow': ({ started, flow }) => started !== undefined && started !== flow,
  'not own verb': ({ started, flow }) => started === undefined || started !== flow,
  'answers the question': (heard) => answersItself(heard),
  'answers another': (heard) => !answersItself(heard),
  covered: ({ said }) => said.rest === '',
  leftover: ({ said }) => said.rest !== '',
  /** Something would be dropped, and not all words ask for that. */
  inexact: ({ bare, said, expecting: { at, codes, gift } }) =>
    bare && !said.exact && (codes.length > 0 || gift !== undefined) && LIVE.includes(at),
  question: ({ asks }) => asks(),
  statement: ({ asks }) => !asks(),
  /** "Loa này hãng gì vậy?" picks nothing. */
  'names gifts': ({ gifts, asks, isAboutGifts }) => gifts.length > 0 && (!asks() || isAboutGifts()),
  'no gift': ({ gifts }) => gifts.length === 0,
  'one place': ({ places }) => places().length === 1,
} satisfies Readonly<Record<string, (heard: Heard) => boolean>>;
type Condition = keyof typeof CONDITIONS;

type Line = readonly [
  where: string,
  act: string,
  conditions: readonly Condition[],
  commands: readonly Spoken[] | ((heard: Heard) => readonly Spoken[] | undefined),
];

/** `*`: anywhere, anything. */
const LINES: readonly Line[] = [
  ['*', '*', ['known reference'], ({ said }) => [{ do: 'status', reference: said.reference ?? '' }]],
  ['*', '*', ['e-mail stays', 'sure question'], ({ question }) => question()?.commands],

  ['consent', 'yes', ['bare', 'whole'], YES],
  ['consent', 'yes', ['bare'], NEARLY],
  ['consent', 'none|no|cancel mild|cancel', ['bare'], NO],
  ['nothing|page', 'yes', ['bare'], YES],
  ['page', '*', ['bare'], ({ page }) => made(page(), (to) => ({ do: 'page', to }))],
  ['page', '*', ['bare'], otherPage],

  ['slot', 'none|no|cancel mild', ['bare', 'e-mail asked', 'plain'], NO_EMAIL],
  ['doubt', 'none|cancel mild', ['bare', 'e-mail asked', 'plain'], NO_EMAIL],
  ['doubt', 'yes', ['bare', 'whole'], USE],
  ['doubt', 'yes', ['bare', 'faultless', 'statement', 'covered'], USE],
  ['doubt', 'no', ['bare', 'agrees', 'covered'], USE],
  ['doubt', 'no', ['bare'], NO],
  ['doubt', 'keep', ['bare'], [{ do: 'keep' }]],
  ['doubt', 'other|change', ['bare'], [{ do: 'other' }]],
  // "Ok, 0912345678" takes the code that is offered, and the phone as well.
  ['doubt', 'yes', ['valued', 'answers another'], ({ values, flow }) => [...USE, ...values(flow, '')]],

  ['summary', 'no|none', ['bare', 'e-mail stays', 'nameless'], NO],
  ['summary', 'no|none', ['bare', 'e-mail stays'], change],
  ['summary', 'yes', ['bare', 'e-mail stays', 'nameless', 'whole'], YES],
  ['summary', 'yes', ['bare', 'e-mail stays', 'nameless'], NEARLY],
  ['summary', 'page same', ['bare'], SAME],
  ['summary', 'cancel mild', ['whole'], NEARLY],
  // "Ok đổi đi": a yes with the flow's own verb.
  [
    'summary',
    '*',
    ['bare', 'own verb', 'no gift'],
    ({ isWish, hasYes }) => (isWish || hasYes() ? NEARLY : undefined),
  ],

  [LIVE.join('|'), 'remove', ['earns codes', 'of e-mail'], NO_EMAIL],
  [LIVE.join('|'), '*', ['earns codes'], ofList],
  [LIVE.join('|'), 'change', ['bare', 'earns codes', 'of codes'], [{ do: 'change', field: 'code' }]],
  ['summary', '*', ['spends on a gift', 'not own verb'], howMany],
  ['summary', '*', ['spends on a gift', 'own verb'], otherGift],
  ['slot|doubt', '*', ['spends on a gift', 'phone asked'], otherGift],
  ['slot|doubt', 'none|no|cancel mild', ['bare', 'gift asked', 'faultless'], [{ do: 'none' }]],
  ['slot|doubt', '*', ['bare', 'gift asked', 'no gift', 'one place'], giftAt],
  ['slot|doubt', '*', ['gift asked', 'names gifts'], ({ values, flow }) => values(flow)],
  ['slot', '*', ['shows a period'], periodOfFlow],
  ['summary', 'change', [], ({ values, flow }) => someOf(values(flow))],
  ['summary', 'change', [], change],

  // "0912345678 mà điểm của tui có mấy rồi": the value is kept, and nothing is dropped for the question.
  ['slot', '*', ['another flow', 'answers the question', 'question'], valuesAndQuestion],
  [
    'slot',
    'no',
    ['bare', 'fault'],
    (heard) => (heard.expecting.editing && heard.said.names ? change(heard) : WRONG),
  ],
  ['slot', '*', ['bare', 'whole'], YES],
  ['slot', 'cancel mild', ['bare', 'plain', 'covered'], MILD],
  ['slot', 'no|none', ['bare', 'plain', 'covered'], NO],

  // What phrases do not cover drops nothing that is at hand: it is offered.
  [LIVE.join('|'), 'cancel|cancel mild', ['bare', 'leftover'], [{ do: 'unclear', maybe: CANCEL }]],
  [LIVE.join('|'), 'cancel', ['with a code'], [{ do: 'unclear', maybe: CANCEL }]],
  // "Thôi dùng số 0912345678": what is said instead takes its place.
  ['*', 'cancel mild', ['valued'], ({ values, flow }) => someOf(values(flow))],
  ['*', '*', ['another flow', 'inexact', 'statement'], ({ started }) => made(started, offer)],
  ['*', '*', [], begin],
  // What was asked for is kept while a person answers.
  [
    '*',
    'show person|show complaint',
    [],
    ({ said: { act = '' }, values, flow }) => [...(flow ? values(flow) : []), ...(simple(act) ?? [])],
  ],
  ['*', '*', [], ({ said: { act = '' }, bare }) => (bare || !ONLY_BARE.test(act) ? simple(act) : undefined)],
  [FREE.join('|'), 'remove', [], ({ said: { codes } }) => (codes.length > 0 ? removal(codes) : CANCEL)],
  ['nothing|page', 'no', ['bare', 'nameless'], NO],
];

/** The commands of the first line that fits and makes some. */
export function compose(heard: Heard): readonly Spoken[] | undefined {
  const { at } = heard.expecting;
  const act = heard.said.act ?? '';
  for (const { where, acts, conditions, commands } of TABLE) {
    const isHere = (where === undefined || where.has(at)) && (acts === undefined || acts.has(act));
    if (!isHere || !conditions.every((name) => CONDITIONS[name](heard))) continue;
    const made = typeof commands === 'function' ? commands(heard) : commands;
    if (made) return made;
  }
  return undefined;
}

const setOf = (names: string) => (names === '*' ? undefined : new Set(names.split('|')));
const TABLE = LINES.map(([where, act, conditions, commands]) => ({
  where: setOf(where),
  acts: setOf(act),
  conditions,
  commands,
}));

const someOf = (commands: readonly Spoken[]) => (commands.length > 0 ? commands : undefined);

function made<Value>(
  value: Value | undefined,
  command: (value: Value) => Spoken,
  more: readonly Spoken[] = [],
): readonly Spoken[] | undefined {
  return value === undefined ? undefined : [command(value), ...more];
}

const removal = (codes: readonly string[]): readonly Spoken[] => [
  { do: 'remove', which: codes.map((code): CodeRef => ({ code })) },
];
const offer = ({ name }: SpokenFlow): Spoken => ({ do: 'unclear', maybe: [{ do: 'start', flow: name }] });
const identity = ({ values }: Heard) => values(undefined).filter((one) => one.do === 'set');

function change({ said: { names } }: Heard): readonly Spoken[] {
  return [{ do: 'change', ...(names && { field: names }) }];
}

function begin({ said, started, linked, bare, asks, values }: Heard): readonly Spoken[] | undefined {
  if (started) {
    const isAsked = bare && asks();
    return [{ do: 'start', flow: started.name, ...(isAsked && { asked: true }) }, ...values(started)];
  }
  if (said.act !== 'show welcome') return undefined;
  // The link that opens the chat may bring a code.
  return said.codes.length > 0 && linked
    ? [{ do: 'start', flow: linked.name }, ...values(linked)]
    : [{ do: 'show', what: 'welcome' }];
}

function valuesAndQuestion({ values, flow, started }: Heard): readonly Spoken[] {
  return [...values(flow), { do: 'start', flow: started?.name ?? '', asked: true }];
}

/** Whether a value answers the question itself. */
function answersItself({ said: { codes, phone, email }, expecting: { kind } }: Heard): boolean {
  if (kind === 'phone') return phone !== undefined;
  return kind === 'email' ? email !== undefined : codes.length > 0;
}

/** What it makes of the codes at hand; where it wants something else, only if it names one of them. */
function ofList(heard: Heard): readonly Spoken[] | undefined {
  const { said, expecting, list } = heard;
  const isOthers = CONDITIONS['another flow'](heard);
  if (isOthers && !said.codes.some((one) => expecting.codes.includes(one))) return undefined;
  return made(list(), (command) => command, identity(heard));
}

function howMany({ said, count }: Heard): readonly Spoken[] | undefined {
  const many = count();
  return said.act === 'cancel' && (many ?? 0) > 1
    ? undefined
    : made(many, (one) => ({ do: 'many', count: one }));
}

/** The button of a gift by its place; -1 is the last. */
function giftAt({ expecting: { buttons }, places }: Heard): readonly Spoken[] | undefined {
  const all = buttons.filter((id) => id?.startsWith('gift:'));
  const [place = 0] = places();
  const choice = place === 0 ? undefined : atPlace(all, place);
  return choice ? [{ do: 'pick', choice }] : undefined;
}

/** Another gift than the one at hand, or another number of it. */
function otherGift(heard: Heard): readonly Spoken[] | undefined {
  const { said, gifts, expecting, flow, bare } = heard;
  const isWish = CONDITIONS['own verb'](heard);
  if (said.act !== undefined && !isWish) return undefined;
  const [gift, ...others] = gifts;
  if (gift !== undefined && others.length === 0 && gift === expecting.gift)
    return made(heard.count(), (count) => ({ do: 'many', count }));
  if (gift !== undefined) return heard.values(flow);
  const isOther = isWish && flow && (bare || said.mangled !== undefined);
  return isOther ? [{ do: 'start', flow: flow.name }] : undefined;
}

/** What else is said at a page: a period, the other list, or both. */
function otherPage({ said, expecting, flow, started, period }: Heard): readonly Spoken[] | undefined {
  const isOther = said.act !== undefined && (started === undefined || started !== flow || expecting.isStaff);
  if (isOther && !said.gifts) return undefined;
  const type = said.gifts ? ('gift' as const) : said.type;
  if (type === 'both') return undefined;
  const of: readonly Spoken[] = type ? [{ do: 'kind', of: type }] : [];
  return someOf([...of, ...[period() ?? []].flat()]);
}

function periodOfFlow(heard: Heard): readonly Spoken[] | undefined {
  const { said, expecting } = heard;
  const { kind } = expecting;
  const period = said.period && heard.period();
  const isAlone = said.period !== undefined && (said.act ?? said.phone ?? said.email) === undefined;
  if (kind === 'phone' && period?.do !== 'unclear' && !isAlone) return undefined;
  if (!period && (kind === 'period' || !said.type)) return undefined;
  const of: readonly Spoken[] = said.type ? [{ do: 'kind', of: said.type }] : [];
  return [...of, ...[period ?? []].flat(), ...identity(heard)];
}

/** Beside a value, these are only how it is said. */
const ONLY_BARE = /^(?:ask |show offer|talk (?!bye))/;

/** Acts that are a command by themselves: their names are the command's. */
export function simple(act: string): readonly Spoken[] | undefined {
  const command = SIMPLE.get(act);
  if (command) return [command];
  return act.startsWith('ask ') ? [{ do: 'ask', about: 'answer', id: act.slice('ask '.length) }] : undefined;
}

const SHOWN = ['menu', 'help', 'person', 'offer', 'complaint', 'languages', 'privacy', 'erasing'] as const;
const TALK = ['greeting', 'thanks', 'bye', 'wait', 'upset', 'remark'] as const;
const SIMPLE: ReadonlyMap<string, Spoken> = new Map<string, Spoken>([
  ['status', { do: 'status' }],
  ['cancel', { do: 'cancel' }],
  ['cancel mild', { do: 'cancel', mild: true }],
  ['page same', { do: 'page', to: 'same' }],
  ['ask what', { do: 'ask', about: 'what' }],
  ...SHOWN.map((what) => [`show ${what}`, { do: 'show', what }] as const),
  ...LOCALES.map((locale) => [`speak ${locale}`, { do: 'speak', locale }] as const),
  ...TALK.map((about) => [`talk ${about}`, { do: 'talk', about }] as const),
]);
