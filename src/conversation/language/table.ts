import type { Expecting, SlotKind, TextCommand } from '../commands.ts';
import { LOCALES } from '../message.ts';
import type { Guess } from './model.ts';

/*
 * What customers can mean. Each heading of `locales/*.md` is an act, and each act has one row here. To add
 * one: a row, and example lines below its heading in each language.
 */

export type Place = Expecting['place'];

/** Where an act is possible, how sure the model must be of it, and what it does. */
export type Act = {
  /** What it stands for, where that does not depend on the question. */
  readonly command?: TextCommand | undefined;
  /** Places where it is possible; everywhere without them. */
  readonly at?: readonly Place[] | undefined;
  /** Possible only while this value is asked for, by its lines alone: the model does not learn them. */
  readonly slot?: SlotKind | undefined;
  /** How sure the model must be (`SURE`). */
  readonly sure: Sureness;
  /** If clauses say several acts, those of the highest rank are meant. */
  readonly rank: Rank;
  /** May be offered by a button where the model is not sure. */
  readonly isOffered?: true | undefined;
  /** Begins, ends, chooses, changes or opens something: a denial, a report or a plan of it does not. */
  readonly isDeed?: true | undefined;
  /** Ends what was gathered, or takes from it. */
  readonly isEnding?: true | undefined;
  /** May stand next to a code, a phone or an e-mail. */
  readonly withValues?: true | undefined;
  /** Possible only where the text brings a value. */
  readonly isOnlyWithValues?: true | undefined;
  /** What it is taken for where the model is only sure enough of a plain act. */
  readonly milder?: string | undefined;
  /** Its lines are signs next to values, too: "bỏ X", "không có email". */
  readonly isSign?: true | undefined;
};

/**
 * `mild`: small talk, or says what to press; taken wrongly, it costs a sentence. `plain`: changes nothing, or
 * shows before anything is done. `answer`: answers a usual question; less sure, the answer names it.
 * `costly`: begins, takes away, calls a person, turns the language or drops what was gathered. `listed`: only
 * a line of the files, word for word; never a guess.
 */
export type Sureness = 'mild' | 'plain' | 'answer' | 'costly' | 'listed';

/** `nothing`: says nothing by itself. `aside`: said next to other things ("ok", "cảm ơn"). */
export const RANKS = ['nothing', 'aside', 'question', 'deed'] as const;
export type Rank = (typeof RANKS)[number];

const LIVE: readonly Place[] = ['slot', 'doubt', 'summary'];

const asking = (id: string, more: Partial<Act> = {}): Act => ({
  command: { do: 'ask', about: 'answer', id },
  sure: 'answer',
  rank: 'question',
  isOffered: true,
  ...more,
});
const showing = (what: Extract<TextCommand, { do: 'show' }>['what'], more: Partial<Act> = {}): Act => ({
  command: { do: 'show', what },
  sure: 'plain',
  rank: 'deed',
  ...more,
});
const talking = (about: Extract<TextCommand, { do: 'talk' }>['about'], more: Partial<Act> = {}): Act => ({
  command: { do: 'talk', about },
  sure: 'plain',
  rank: 'aside',
  ...more,
});

/**
 * Usual questions that only the shop can answer, by their ids. Unless the operator wrote an answer, ours says
 * so and offers a person, and the question counts as unanswered.
 */
const SHOP_QUESTIONS = [
  'account.change',
  'account.lost',
  'gift.delivery',
  'gift.new',
  'gift.quality',
  'gift.stock',
  'points.cash',
  'points.expiry',
  'points.transfer',
  'product',
  'promotions',
  'shop.where',
  'tier.rules',
  'warranty',
] as const;

/** The other usual questions, by the ids of their answers. */
const QUESTIONS = [
  'account.join',
  'account.who',
  'ads',
  'app',
  'code.expiry',
  'code.look',
  'code.lost',
  'code.many',
  'code.once',
  'code.photo',
  'code.receipt',
  'code.tries',
  'code.used',
  'code.where',
  'code.wrong',
  'consent.what',
  'email.why',
  'email.wrong',
  'fee',
  'gift.bring',
  'gift.cheapest',
  'gift.how',
  'gift.left',
  'gift.many',
  'gift.missing',
  'gift.others',
  'gift.price',
  'gift.reach',
  'gift.refused',
  'gift.return',
  'gift.what',
  'gift.where',
  'history.failed',
  'hours',
  'phone.kind',
  'phone.other',
  'phone.why',
  'phone.wrong',
  'points.difference',
  'points.fair',
  'points.how',
  'points.later',
  'points.missing',
  'points.use',
  'points.when',
  'points.worth',
  'proof.button',
  'proof.why',
  'safe',
  'shop.phone',
  'shop.products',
  'undo',
  'wait.when',
] as const;

const ofShop: ReadonlySet<string> = new Set(SHOP_QUESTIONS);

/** Whether only the shop can answer a question. */
export const isForShop = (id: string): boolean => ofShop.has(id);

/** Not a heading: words of the lists that stand next to values and say nothing else. */
export const BESIDE_VALUE = 'value';

/** The acts but for the flows and the questions of operators, which are rows of `createActs`. */
const ROWS: Readonly<Record<string, Act>> = {
  nothing: { sure: 'plain', rank: 'nothing', withValues: true },
  [BESIDE_VALUE]: { sure: 'plain', rank: 'nothing', withValues: true, isOnlyWithValues: true },

  // The model may point at the button; only the lists confirm (`Situation.isYes`).
  yes: { sure: 'costly', rank: 'aside', isSign: true },
  no: { sure: 'plain', rank: 'aside', withValues: true, isSign: true },
  none: {
    sure: 'plain',
    rank: 'deed',
    at: ['slot', 'doubt', 'summary'],
    withValues: true,
    isSign: true,
  },
  keep: { sure: 'costly', rank: 'deed', at: ['doubt'] },
  other: { sure: 'mild', rank: 'deed', at: LIVE },
  change: { sure: 'mild', rank: 'deed', at: LIVE, isDeed: true, withValues: true, isSign: true },
  remove: {
    sure: 'costly',
    rank: 'deed',
    at: [...LIVE, 'nothing'],
    isDeed: true,
    isEnding: true,
    withValues: true,
    isSign: true,
  },
  cancel: {
    command: { do: 'cancel' },
    sure: 'costly',
    rank: 'deed',
    isOffered: true,
    isDeed: true,
    isEnding: true,
  },
  'cancel mild': {
    command: { do: 'cancel', mild: true },
    sure: 'plain',
    rank: 'aside',
    isDeed: true,
    isEnding: true,
  },
  // A text costs money, and ends the code before it.
  'code again': { command: { do: 'sendCode' }, sure: 'listed', rank: 'deed', slot: 'proof', isDeed: true },
  'page next': { sure: 'mild', rank: 'deed', at: ['page'] },
  'page previous': { sure: 'mild', rank: 'deed', at: ['page'] },

  status: { command: { do: 'status' }, sure: 'plain', rank: 'question', withValues: true },
  'show help': showing('help', { sure: 'mild', rank: 'question' }),
  'show menu': showing('menu', { sure: 'mild', rank: 'aside' }),
  'show welcome': showing('welcome', { sure: 'mild', rank: 'aside' }),
  'show languages': showing('languages'),
  'show privacy': showing('privacy', { rank: 'question', isOffered: true, withValues: true }),
  // Only shows what is kept: its button erases.
  'show erasing': showing('erasing', { sure: 'listed', isDeed: true, isEnding: true, withValues: true }),
  'show person': showing('person', {
    sure: 'costly',
    milder: 'show offer',
    isOffered: true,
    isDeed: true,
    withValues: true,
  }),
  'show offer': showing('offer', { isOffered: true, isDeed: true }),
  'show complaint': showing('complaint', { isOffered: true, withValues: true }),
  ...Object.fromEntries(
    LOCALES.map((locale): [string, Act] => [
      `speak ${locale}`,
      { command: { do: 'speak', locale }, sure: 'costly', rank: 'deed', isOffered: true, isDeed: true },
    ]),
  ),

  'talk greeting': talking('greeting', { sure: 'mild' }),
  'talk thanks': talking('thanks', { sure: 'mild' }),
  'talk bye': talking('bye'),
  'talk wait': talking('wait', { rank: 'question' }),
  'talk upset': talking('upset'),
  'talk remark': talking('remark'),
  'talk glad': talking('glad'),
  'talk chat': talking('chat', { rank: 'question' }),
  'talk sorry': talking('sorry'),
  'talk listen': talking('listen'),
  'talk unsure': talking('unsure', { rank: 'question' }),

  'ask what': { command: { do: 'ask', about: 'what' }, sure: 'plain', rank: 'question' },
  'ask who': asking('who'),
  'ask unknown': { command: { do: 'ask', about: 'unknown' }, sure: 'plain', rank: 'question' },
  // How far it is, the operation itself tells.
  'ask operation.when': { command: { do: 'status' }, sure: 'plain', rank: 'question' },
  ...Object.fromEntries(
    [...SHOP_QUESTIONS, ...QUESTIONS].map((id): [string, Act] => [`ask ${id}`, asking(id)]),
  ),
  // About the code next to it.
  'ask code.lost': asking('code.lost', { withValues: true }),
  'ask proof.button': asking('proof.button', { withValues: true }),
  'ask consent.what': asking('consent.what', { isOffered: undefined }),
  'ask proof.missing': asking('proof.missing', { sure: 'listed', isOffered: undefined, slot: 'proof' }),
};

/** What begins a flow: the text's values go with it. */
const BEGINNING: Act = {
  sure: 'costly',
  rank: 'deed',
  isOffered: true,
  isDeed: true,
  withValues: true,
  isSign: true,
};

export type Acts = ReadonlyMap<string, Act>;

/** All acts: those of the bot, a row for each flow, and one for each other question of the operator. */
export function createActs(flows: readonly string[], ownQuestions: readonly string[]): Acts {
  return new Map([
    ...Object.entries(ROWS),
    // The operator's own words are few: they need not be as sure.
    ...ownQuestions.map(
      (id) => [`ask ${id}`, { ...asking(id), ...ROWS[`ask ${id}`], sure: 'plain' as const }] as const,
    ),
    ...flows.map((name) => [`start ${name}`, BEGINNING] as const),
  ]);
}

/** How sure the model must be of an act (0–1), chosen on the folds (`npm run answers -- folds`). */
const SURE = { mild: 0.5, plain: 0.69, answer: 0.9, costly: 0.8 } as const;
/**
 * How likely a usual question must be (0–1) to be answered with its name before the answer. It is low: an
 * answer changes nothing, names the question, and keeps the buttons, so that a wrong one costs a tap.
 * Chosen on strangers' sets A to E; on F and G eight more of 319 texts are right, two more are wrong.
 */
export const PRESUMED = 0.25;
/** The same, where nothing in the text asks. */
export const PRESUMED_UNASKED = 0.35;
/** How likely an act must be (0–1) to be offered. */
export const LIKELY = 0.1;
/** How likely it must be (0–1) to be offered next to a likely one, or to be the line that is in the text. */
export const POSSIBLE = 0.06;

/** Whether a probability is enough. What is listed is never guessed. */
export const isSure = (sure: Sureness, p: number): boolean => sure !== 'listed' && p >= SURE[sure];

/** Acts that get the same answer at a place: their probabilities add up, as that of `as` or the likeliest. */
type Alike = { readonly at: readonly Place[]; readonly acts: readonly string[]; readonly as?: string };

const EVERYWHERE: readonly Place[] = ['nothing', 'slot', 'doubt', 'summary', 'page'];
const ALIKE: readonly Alike[] = [
  { at: ['slot', 'doubt'], acts: ['none', 'no', 'cancel mild'] },
  { at: ['doubt', 'summary'], acts: ['other', 'change'] },
  { at: ['nothing', 'page'], acts: ['cancel', 'cancel mild', 'no', 'none'] },
  { at: ['summary'], acts: ['cancel', 'cancel mild'] },
  {
    at: ['summary'],
    acts: ['no', 'change', 'ask code.wrong', 'ask phone.wrong', 'ask email.wrong'],
  },
  { at: EVERYWHERE, acts: ['show privacy', 'show erasing'], as: 'show privacy' },
  { at: EVERYWHERE, acts: ['status', 'ask operation.when'], as: 'status' },
  { at: EVERYWHERE, acts: ['talk wait', 'talk bye'] },
  { at: EVERYWHERE, acts: ['talk thanks', 'talk glad'] },
  { at: EVERYWHERE, acts: ['ask who', 'talk chat'] },
  { at: EVERYWHERE, acts: ['ask who', 'show help'] },
  { at: EVERYWHERE, acts: ['ask code.lost', 'ask code.where'] },
  { at: EVERYWHERE, acts: ['ask account.change', 'ask account.lost'] },
  { at: EVERYWHERE, acts: ['ask code.expiry', 'ask shop.products'] },
  { at: EVERYWHERE, acts: ['show offer', 'show complaint', 'talk upset'] },
  { at: EVERYWHERE, acts: ['start accumulate', 'ask points.how'] },
  { at: EVERYWHERE, acts: ['start redeem', 'ask gift.how', 'ask points.use'] },
];

/** Whether two acts get the same answer at a place. */
export const areAlike = (one: string, other: string, place: Place): boolean =>
  one === other ||
  ALIKE.some(({ at, acts }) => at.includes(place) && acts.includes(one) && acts.includes(other));

/** The acts that get the same answer at a place as this one. */
export const alikeTo = (act: string, place: Place): readonly string[] =>
  ALIKE.flatMap(({ at, acts }) => (at.includes(place) && acts.includes(act) ? acts : []));

/** Probabilities, the likeliest first, with what means the same at a place added up. */
export function addAlike(guesses: readonly Guess[], place: Place): readonly Guess[] {
  let all = guesses;
  for (const { at, acts, as } of ALIKE) {
    const some = at.includes(place) ? all.filter(({ act }) => acts.includes(act)) : [];
    const [best] = some;
    if (!best) continue;
    const p = some.reduce((sum, guess) => sum + guess.p, 0);
    all = [...all.filter((guess) => !some.includes(guess)), { act: as ?? best.act, p }];
  }
  return [...all].sort((one, other) => other.p - one.p);
}
