import { fold } from './fold.ts';
import { DATE_WORDS, DAYS, type NamedPeriod, PERIODS } from './period-words.ts';
import { ABBREVIATIONS, DENIALS, FIELDS, FILLERS, NEED_MARKS, TYPES, UNITS, WISHES } from './small-words.ts';
import { isOneSlip } from './typo.ts';
import { INTENTS, type Intent, type Phrases, phrasesOf } from './vocabulary.ts';

/** What a phrase of the vocabulary says; a filler says nothing. `kept`: it stays in the rest of the message. */
export type Meaning = {
  readonly intent?: Intent | undefined;
  /** Counts whatever else the message says. */
  readonly always?: boolean | undefined;
  readonly type?: 'point' | 'gift' | undefined;
  readonly period?: NamedPeriod | undefined;
  readonly field?: 'code' | 'phone' | 'email' | undefined;
  readonly denial?: 'stop' | 'fail' | undefined;
  readonly unit?: boolean | undefined;
  /** Asks for the gift that is named after it. */
  readonly wish?: boolean | undefined;
  readonly kept?: boolean | undefined;
};

/** A word of a message, folded, and what it was read from. */
export type Word<Source> = {
  readonly text: string;
  readonly source: Source;
  /** Found by edit distance from so few letters that it counts as part of a longer phrase only. */
  readonly doubtful?: boolean | undefined;
  /** Written without marks in a message that has some. */
  readonly bare?: boolean | undefined;
};

/** A stretch of a message: a phrase of the vocabulary, or one word that is in none (no `meaning`). */
export type Segment<Source> = {
  readonly meaning?: Meaning | undefined;
  readonly words: readonly Word<Source>[];
};

/** The phrases of the vocabulary and what they say, folded. */
export const MEANINGS: ReadonlyMap<string, Meaning> = meanings();

function meanings(): Map<string, Meaning> {
  const all = new Map<string, Meaning>();
  const add = (phrases: Phrases, meaning: Meaning) => {
    for (const phrase of phrasesOf(phrases)) all.set(phrase, { ...all.get(phrase), ...meaning });
  };
  add(FILLERS, {});
  for (const phrases of [DATE_WORDS, ...DAYS.map(({ words }) => words)]) add(phrases, { kept: true });
  add(UNITS, { unit: true });
  add(WISHES, { wish: true });
  for (const { name, words } of PERIODS) add(words, { period: name });
  for (const { field, words } of FIELDS) add(words, { field });
  for (const { type, words } of TYPES) add(words, { type });
  for (const { denial, words } of DENIALS) add(words, { denial });
  for (const { intent, always, alone } of INTENTS) {
    add(alone, { intent });
    add(always, { intent, always: true });
  }
  return all;
}

type Entry = { readonly words: readonly string[]; readonly meaning: Meaning };

/** By first word, the longest phrase first. */
const index = new Map<string, Entry[]>();
for (const [phrase, meaning] of MEANINGS) {
  const words = phrase.split(' ');
  const [first = ''] = words;
  const entries = [...(index.get(first) ?? []), { words, meaning }];
  index.set(
    first,
    entries.sort((a, b) => b.words.length - a.words.length),
  );
}

const vocabulary = new Set([...MEANINGS.keys()].flatMap((phrase) => phrase.split(' ')));
for (const short of Object.keys(ABBREVIATIONS)) vocabulary.add(short);
const needMarks = new Set(NEED_MARKS.map(fold));

/** Whether a folded word occurs in the vocabulary. */
export function isKnown(word: string): boolean {
  return vocabulary.has(word);
}

/** Phrases without their blanks: "tichdiem", "lichsu". */
const joined = new Map(
  [...MEANINGS.keys()]
    .filter((phrase) => phrase.includes(' '))
    .map((phrase) => [phrase.replaceAll(' ', ''), phrase]),
);

/** The phrase that was typed as one word; undefined where the word is none. */
export function phraseIn(word: string): string | undefined {
  return joined.get(word);
}

/** Below this many letters, one slip makes too many other words. */
const MIN_SLIP = 4;
const spellings = [...vocabulary].filter((word) => word.length >= MIN_SLIP && /^[a-z]+$/.test(word));

/** The word of the vocabulary that is one slip away; undefined where none or several are. */
export function nearWord(word: string): string | undefined {
  if (word.length < MIN_SLIP || !/^[a-z]+$/.test(word)) return undefined;
  const near = spellings.filter((known) => isOneSlip(known, word));
  return near.length === 1 ? near[0] : undefined;
}

/** Cuts words into the longest phrases of the vocabulary, left to right; a number goes with the unit after it. */
export function segments<Source>(words: readonly Word<Source>[]): Segment<Source>[] {
  const found: Segment<Source>[] = [];
  for (let at = 0; at < words.length; ) {
    const entry = phraseAt(words, at) ?? amountAt(words, at);
    const length = entry?.words.length ?? 1;
    found.push({ meaning: entry?.meaning, words: words.slice(at, at + length) });
    at += length;
  }
  return found;
}

function phraseAt<Source>(words: readonly Word<Source>[], at: number): Entry | undefined {
  const word = words[at];
  if (!word) return undefined;
  const entry = index
    .get(word.text)
    ?.find((one) => one.words.every((text, i) => words[at + i]?.text === text));
  if (!entry || entry.words.length > 1) return entry;
  if (word.doubtful) return undefined;
  return word.bare && needMarks.has(word.text) ? { words: entry.words, meaning: {} } : entry;
}

function amountAt<Source>(words: readonly Word<Source>[], at: number): Entry | undefined {
  const number = words[at]?.text ?? '';
  const unit = MEANINGS.get(words[at + 1]?.text ?? '');
  return unit?.unit && /^\d+$/.test(number) ? { words: [number], meaning: { kept: unit.kept } } : undefined;
}
