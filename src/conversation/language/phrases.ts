import { LOCALES } from '../message.ts';
import { fold } from './fold.ts';
import type { Grammar } from './grammar.ts';
import { GRAMMARS } from './grammars.ts';
import { isPeriodName, TIME_WORDS } from './times.ts';
import type { Word } from './tokens.ts';
import { isOneTypo } from './typo.ts';
import { type IntentWords, split } from './vocabulary.ts';

/** What a phrase of the vocabulary says; a filler says nothing. */
export type Meaning = {
  readonly intent?: string | undefined;
  /** Counts whatever else the message says. */
  readonly always?: boolean | undefined;
  readonly type?: 'point' | 'gift' | undefined;
  /** Speaks of all time. */
  readonly ever?: boolean | undefined;
  readonly field?: 'code' | 'phone' | 'email' | undefined;
  readonly denial?: 'stop' | 'fail' | undefined;
  readonly unit?: boolean | undefined;
  /** "Gì", "bao nhiêu". */
  readonly asks?: boolean | undefined;
  /** Something is wrong. */
  readonly fault?: boolean | undefined;
  readonly gifts?: boolean | undefined;
  /** A polite yes, which is none beside a no. */
  readonly assent?: boolean | undefined;
  /** Asks for the gift that is named after it. */
  readonly wish?: boolean | undefined;
};

/** A stretch of a message: a phrase of the vocabulary, or one word that is in none (no `meaning`). */
export type Segment<Source> = {
  readonly meaning?: Meaning | undefined;
  readonly words: readonly Word<Source>[];
};

/** The phrases that the bot knows. Made once: the index over them takes longer than a thousand messages. */
export type Vocabulary = {
  /** Whether a folded text is a phrase. */
  isPhrase(text: string): boolean;
  /** Whether a folded word occurs in a phrase. */
  isKnown(word: string): boolean;
  /** The phrase that was typed as one word ("tichdiem"); undefined where the word is none. */
  phraseIn(word: string): string | undefined;
  /** The word that is one typing error away; undefined where none or several are. */
  nearWord(word: string): string | undefined;
  /** Cuts words into the longest phrases, left to right; a number goes with the unit after it. */
  segments<Source>(words: readonly Word<Source>[]): Segment<Source>[];
};

type Entry = { readonly words: readonly string[]; readonly meaning: Meaning };

/** Below this many letters, one typing error makes too many other words. */
const MIN_TYPO = 4;

export function createVocabulary(intents: readonly IntentWords[]): Vocabulary {
  const meanings = meaningsOf(intents);
  const index = indexOf(meanings);
  const known = new Set([...meanings.keys(), ...TIME_WORDS].flatMap((phrase) => phrase.split(' ')));
  const spelt = [...known];
  for (const { abbreviations } of GRAMMARS) for (const short in abbreviations) known.add(short);
  const needMarks = new Set(GRAMMARS.flatMap((grammar) => grammar.needMarks).map(fold));
  const joined = new Map(
    [...meanings.keys()]
      .filter((phrase) => phrase.includes(' '))
      .map((phrase) => [phrase.replaceAll(' ', ''), phrase]),
  );
  const spellings = spelt.filter((word) => word.length >= MIN_TYPO && /^[a-z]+$/.test(word));

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
    const unit = meanings.get(words[at + 1]?.text ?? '');
    return unit?.unit && /^\d+$/.test(number) ? { words: [number], meaning: {} } : undefined;
  }

  return {
    isPhrase: (text) => meanings.has(text) || isPeriodName(text),
    isKnown: (word) => known.has(word),
    phraseIn: (word) => joined.get(word),
    nearWord(word) {
      if (word.length < MIN_TYPO || !/^[a-z]+$/.test(word)) return undefined;
      const near = spellings.filter((one) => isOneTypo(one, word));
      return near.length === 1 ? near[0] : undefined;
    },
    segments(words) {
      const found = [];
      for (let at = 0; at < words.length; ) {
        const entry = phraseAt(words, at) ?? amountAt(words, at);
        const length = entry?.words.length ?? 1;
        found.push({ meaning: entry?.meaning, words: words.slice(at, at + length) });
        at += length;
      }
      return found;
    },
  };
}

/** The phrases and what they say, folded. */
function meaningsOf(intents: readonly IntentWords[]): ReadonlyMap<string, Meaning> {
  const all = new Map<string, Meaning>();
  const add = (phrases: string, meaning: Meaning) => {
    for (const phrase of split(phrases)) all.set(phrase, { ...all.get(phrase), ...meaning });
  };
  for (const grammar of GRAMMARS) addWords(grammar, add);
  for (const { intent, always, alone } of intents) {
    for (const locale of LOCALES) {
      add(alone[locale], { intent });
      add(always[locale], { intent, always: true });
    }
  }
  return all;
}

/** The words that a language has for everybody, whatever flows there are. */
function addWords(grammar: Grammar, add: (phrases: string, meaning: Meaning) => void): void {
  const { fillers, periods, units, questions, wishes, assents, faults, fields, types, denials } = grammar;
  add(fillers, {});
  add(`${periods.units}, ${periods.from}, ${periods.to}`, {});
  add(units, { unit: true });
  add(questions, { asks: true });
  add(wishes, { wish: true });
  add(assents, { assent: true });
  add(faults, { fault: true });
  for (const field of ['code', 'phone', 'email'] as const) add(fields[field], { field });
  for (const type of ['point', 'gift'] as const) add(types[type], { type });
  add(grammar.gifts, { gifts: true });
  add(grammar.ever, { ever: true });
  for (const denial of ['stop', 'fail'] as const) add(denials[denial], { denial });
}

/** By first word, the longest phrase first. */
function indexOf(meanings: ReadonlyMap<string, Meaning>): ReadonlyMap<string, readonly Entry[]> {
  const index = new Map<string, Entry[]>();
  for (const [phrase, meaning] of meanings) {
    const words = phrase.split(' ');
    const [first = ''] = words;
    const entries = [...(index.get(first) ?? []), { words, meaning }];
    index.set(
      first,
      entries.sort((a, b) => b.words.length - a.words.length),
    );
  }
  return index;
}
