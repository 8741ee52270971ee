import { LOCALES, type LocalizedText } from '../message.ts';
import { isAsking, isQuestion, POLITE, plainly } from './asking.ts';
import { fold, undoTyping } from './fold.ts';
import { phrasesIn } from './grammars.ts';
import { isOneTypo } from './typo.ts';
import { split, type Wording, written } from './vocabulary.ts';

/**
 * An answer to what customers ask about the programme. `id`: the operator's name for it, at most `MAX_ID` of a–z 0–9 . -,
 * since it is a label of a metric. `asks`: questions as customers would write them, in each language.
 */
export type Answer = {
  readonly id: string;
  readonly asks: Readonly<Record<keyof LocalizedText, readonly string[]>>;
  readonly answer: LocalizedText;
};

/** An answer, by the operator (`text`) or from the locale files (`key`). */
export type Answered = {
  readonly id: string;
  readonly says: { readonly text: LocalizedText } | { readonly key: string };
};

/** A usual question. */
export type Asked = {
  /** Absent: only the operator could tell, and has not. */
  readonly answered?: Answered | undefined;
  /** It is what the text says, whatever else some of its words could mean. */
  readonly sure: boolean;
};

/** Finds answers. Made once for the answers at hand. */
export type Answers = {
  /** What a question asks for; undefined where the text is none, or nothing fits well enough. */
  find(text: string): Asked | undefined;
  /** A built-in answer by its key, or the operator's in its place. */
  of(key: AnswerKey): Answered;
};

/**
 * Answers from the locale files: `<key>` is said, `<key>_asks` are the questions, separated by commas. One without
 * questions explains a question of ours.
 */
export const BUILT_IN = [
  'answer.code.where',
  'answer.code.wrong',
  'answer.code.once',
  'answer.code.many',
  'answer.code.photo',
  'answer.fee',
  'answer.points.when',
  'answer.points.use',
  'answer.points.how',
  'answer.points.worth',
  'answer.points.missing',
  'answer.undo',
  'answer.phone.why',
  'answer.phone.wrong',
  'answer.phone.other',
  'answer.proof.why',
  'answer.email.why',
  'answer.email.wrong',
  'answer.gift.which',
  'answer.gift.refused',
  'answer.gift.where',
  'answer.gift.how',
  'answer.gift.price',
  'answer.list.which',
  'answer.period.how',
  'answer.confirm.what',
  'answer.consent.what',
  'answer.consent.other',
  'answer.safe',
  'answer.who',
  'answer.hours',
] as const;
export type AnswerKey = (typeof BUILT_IN)[number];

/** What operators replace a built-in answer by, and metrics count. */
export function idOf(key: AnswerKey): string {
  return key.slice(key.indexOf('.') + 1);
}

/** Questions like those above that nothing here answers: their likes must not be taken for another. */
const UNKNOWN = 'answer.unknown';

/** How alike a text and a question must be (0–1) to be taken for it: where nothing else explains the text, and in any case. */
const LIKELY = 0.6;
const SURE = 0.72;

/** What a word counts that says little: pronouns, particles. */
const SMALL = 0.2;
/** A word of the question that the text lacks counts more than one that it has beside ("tích điểm có mất phí không"). */
const LACKING = 2;
const BESIDE = 0.5;

type Known = Pick<Asked, 'answered'> & { readonly words: ReadonlyMap<string, number> };

/** `added` are the operator's: they replace a built-in one by its id, or come on top. */
export function createAnswers(wording: Wording, added: readonly Answer[] = []): Answers {
  const replaced = new Set(added.map(({ id }) => id));
  const builtIn = BUILT_IN.map((key) => ({
    answered: { id: idOf(key), says: { key } },
    asks: asksOf(key, wording),
  })).filter(({ answered: { id } }) => !replaced.has(id));
  const operators = added.map(({ id, asks, answer }) => ({
    answered: { id, says: { text: answer } },
    asks: LOCALES.flatMap((locale) => asks[locale].map(fold)),
  }));
  const unknown = { asks: asksOf(UNKNOWN, wording) };
  const all: readonly (Pick<Asked, 'answered'> & { readonly asks: readonly string[] })[] = [
    ...operators,
    ...builtIn,
    unknown,
  ];
  const words = new Set(all.flatMap(({ asks }) => asks.flatMap((ask) => ask.split(' '))));
  const spell = spelling(words);
  const known: readonly Known[] = all.flatMap(({ answered, asks }) =>
    asks.map((ask) => ({ answered, words: weighed(ask.split(' ')) })),
  );

  /** What each word counts; polite ones nothing. */
  function weighed(all: readonly string[]): ReadonlyMap<string, number> {
    const telling = all.filter((word) => word !== '' && !POLITE.has(word));
    const isSmall = (word: string) => SMALL_WORDS.has(word) || (FILLERS.has(word) && !words.has(word));
    return new Map(telling.map((word) => [word, isSmall(word) ? SMALL : 1]));
  }

  return {
    find(text) {
      if (!isQuestion(text)) return undefined;
      const asked = weighed(plainly(text).map(spell));
      const likely = known
        .map(({ answered, words }) => ({ answered, score: likeness(asked, words) }))
        .filter(({ score }) => score >= LIKELY)
        .sort((a, b) => b.score - a.score);
      const [best] = likely;
      // What the operator wrote is likelier meant than a question that nothing here answers.
      const found = best?.answered ? best : (likely.find(isOperators) ?? best);
      return found && { answered: found.answered, sure: found.score >= SURE };
    },
    of(key) {
      const id = idOf(key);
      const { says } = all.find(({ answered }) => answered?.id === id)?.answered ?? { says: { key } };
      return { id, says };
    },
  };
}

function isOperators({ answered }: Pick<Asked, 'answered'>): boolean {
  return answered !== undefined && 'text' in answered.says;
}

function asksOf(key: string, wording: Wording): string[] {
  const asks = written(key, wording, 'asks');
  return LOCALES.flatMap((locale) => split(asks[locale]));
}

const FILLERS = new Set(phrasesIn(({ fillers }) => fillers));
const SMALL_WORDS = new Set(phrasesIn(({ asking }) => asking.small));

/** A word as the questions spell it: keystrokes of a keyboard undone, one typing error mended. */
function spelling(words: ReadonlySet<string>): (word: string) => string {
  const long = [...words].filter((word) => word.length >= 4);
  return (word) => {
    if (words.has(word) || FILLERS.has(word)) return word;
    const undone = undoTyping(word);
    if (words.has(undone)) return undone;
    const near = word.length >= 4 ? long.filter((one) => isOneTypo(one, word)) : [];
    return near.length === 1 ? (near[0] ?? word) : word;
  };
}

/** Tversky's index of the words, by what they count: 1 = the same ones; 0 where it does not ask what the question asks. */
function likeness(asked: ReadonlyMap<string, number>, words: ReadonlyMap<string, number>): number {
  if ([...words.keys()].some((word) => isAsking(word) && !asked.has(word))) return 0;
  const sum = (all: ReadonlyMap<string, number>, counts: (word: string) => boolean) =>
    [...all].reduce((total, [word, weight]) => (counts(word) ? total + weight : total), 0);
  const common = sum(words, (word) => asked.has(word));
  const lacking = sum(words, (word) => !asked.has(word));
  const beside = sum(asked, (word) => !words.has(word));
  return common === 0 ? 0 : common / (common + LACKING * lacking + BESIDE * beside);
}
