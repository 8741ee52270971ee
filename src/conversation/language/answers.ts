import { LOCALES, type LocalizedText } from '../message.ts';
import { fold, undoTyping } from './fold.ts';
import { GRAMMARS, phrasesIn } from './grammars.ts';
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

/** An answer, by the operator (`text`) or from the locale files (`key`), and how sure it is that it was asked for. */
export type Answered = {
  readonly id: string;
  readonly says: { readonly text: LocalizedText } | { readonly key: string };
  /** Sure: it is what the text says, whatever else some of its words could mean. */
  readonly sure: boolean;
};

/** Finds answers. Made once for the answers at hand. */
export type Answers = {
  /** The answer to a question; undefined where the text is none, or nothing fits well enough. */
  find(text: string): Answered | undefined;
  /** Whether the text asks something, as far as its form tells. */
  isQuestion(text: string): boolean;
};

/** Answers from the locale files: `<key>` is said, `<key>_asks` are the questions, separated by commas. */
const BUILT_IN = [
  'answer.code.where',
  'answer.code.wrong',
  'answer.fee',
  'answer.points.when',
  'answer.phone.why',
  'answer.gift.where',
  'answer.hours',
] as const;

/** How alike a text and a question must be (0–1) to be taken for it: where nothing else explains the text, and in any case. */
const LIKELY = 0.55;
const SURE = 0.72;

/** What a word counts that says little: pronouns, particles. */
const SMALL = 0.2;
/** A word of the question that the text lacks counts more than one that it has beside ("tích điểm có mất phí không"). */
const LACKING = 1.5;
const BESIDE = 0.5;

type Known = { readonly answered: Omit<Answered, 'sure'>; readonly words: ReadonlyMap<string, number> };

/** `added` are the operator's: they replace a built-in one by its id, or come on top. */
export function createAnswers(wording: Wording, added: readonly Answer[] = []): Answers {
  const replaced = new Set(added.map(({ id }) => id));
  const builtIn = BUILT_IN.map((key) => ({
    answered: { id: key.slice(key.indexOf('.') + 1), says: { key } },
    asks: LOCALES.flatMap((locale) => split(written(key, wording, 'asks')[locale])),
  })).filter(({ answered: { id } }) => !replaced.has(id));
  const operators = added.map(({ id, asks, answer }) => ({
    answered: { id, says: { text: answer } },
    asks: LOCALES.flatMap((locale) => asks[locale].map(fold)),
  }));
  const all = [...operators, ...builtIn];
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
      const asked = weighed(fold(text).split(' ').map(spell));
      let best: Answered | undefined;
      let bestScore = LIKELY;
      for (const { answered, words } of known) {
        const score = likeness(asked, words);
        if (score < bestScore || (best && score === bestScore)) continue;
        best = { ...answered, sure: score >= SURE };
        bestScore = score;
      }
      return best;
    },
    isQuestion,
  };
}

const ASKING = new Set(phrasesIn(({ asking }) => asking.anywhere));
const FIRST = new Set(phrasesIn(({ asking }) => asking.first));
const LAST = new Set(phrasesIn(({ asking }) => asking.last));

function isQuestion(text: string): boolean {
  const words = fold(text).split(' ').map(spelt);
  if (words.length < 2) return false;
  const pairs = words.map((word, at) => `${word} ${words[at + 1]}`);
  return (
    text.trimEnd().endsWith('?') ||
    [...words, ...pairs].some((word) => ASKING.has(word)) ||
    FIRST.has(words.find((word) => !POLITE.has(word)) ?? '') ||
    LAST.has(words.findLast((word) => !POLITE.has(word)) ?? '')
  );
}

function spelt(typed: string): string {
  const word = abbreviations.get(typed) ?? typed;
  const undone = undoTyping(word);
  return ASKING.has(undone) || LAST.has(undone) ? undone : word;
}

const abbreviations = new Map(GRAMMARS.flatMap((grammar) => Object.entries(grammar.abbreviations)));
const FILLERS = new Set(phrasesIn(({ fillers }) => fillers));
const SMALL_WORDS = new Set(phrasesIn(({ asking }) => asking.small));
const POLITE = new Set(phrasesIn(({ asking }) => asking.polite));

/** A word as the questions spell it: abbreviations written out, keystrokes of a keyboard undone, one typing error mended. */
function spelling(words: ReadonlySet<string>): (word: string) => string {
  const long = [...words].filter((word) => word.length >= 4);
  return (typed) => {
    const word = abbreviations.get(typed) ?? typed;
    if (words.has(word) || FILLERS.has(word)) return word;
    const undone = undoTyping(word);
    if (words.has(undone)) return undone;
    const near = word.length >= 4 ? long.filter((one) => isOneTypo(one, word)) : [];
    return near.length === 1 ? (near[0] ?? word) : word;
  };
}

/** Tversky's index of the words, by what they count: 1 = the same ones. */
function likeness(asked: ReadonlyMap<string, number>, words: ReadonlyMap<string, number>): number {
  const sum = (all: ReadonlyMap<string, number>, counts: (word: string) => boolean) =>
    [...all].reduce((total, [word, weight]) => (counts(word) ? total + weight : total), 0);
  const common = sum(words, (word) => asked.has(word));
  const lacking = sum(words, (word) => !asked.has(word));
  const beside = sum(asked, (word) => !words.has(word));
  return common === 0 ? 0 : common / (common + LACKING * lacking + BESIDE * beside);
}
