import type { Times } from './period.ts';
import { fold, isAscii, isOneTypo, mapWords, remembered, type Token, undoTyping, type Word } from './text.ts';
import { byFirstWord, type Words } from './words.ts';

/** What a phrase of the language files says; a small word says nothing. */
export type Meaning = {
  /** The command under whose heading it stands: `start redeem`. */
  readonly act?: string | undefined;
  /** Counts whatever else the message says. */
  readonly always?: boolean | undefined;
  readonly type?: 'point' | 'gift' | undefined;
  /** Speaks of all time. */
  readonly ever?: boolean | undefined;
  readonly field?: 'code' | 'phone' | 'email' | undefined;
  readonly denial?: 'stop' | 'fail' | undefined;
  readonly amount?: boolean | undefined;
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

/** A stretch of a message: a phrase that is known, or one word that is in none (no `meaning`). */
export type Segment = { readonly meaning?: Meaning | undefined; readonly words: readonly Word<Token>[] };

/** The phrases of the language files, and how words are spelt in them. Made once: the index takes long to build. */
export type Lexicon = {
  /** Whether a folded text is a phrase. */
  isPhrase(text: string): boolean;
  /** Whether a folded word occurs in a phrase. */
  isKnown(word: string): boolean;
  /** The folded words of a message, shortened ones written out, keystrokes of a Vietnamese keyboard undone. */
  wordsOf(tokens: readonly Token[]): Word<Token>[];
  /** The words with typing errors mended; undefined where there is nothing to mend. */
  mended(words: readonly Word<Token>[]): Word<Token>[] | undefined;
  /** Cuts words into the longest phrases, left to right; a number goes with what it counts. */
  segments(words: readonly Word<Token>[]): Segment[];
  /** The words of a text, folded; shortened ones are written out. */
  plainly(text: string): string[];
};

type Entry = { readonly phrase: string; readonly words: readonly string[]; readonly meaning: Meaning };

/** A longer token is no word, whatever it folds to; what a shorter one folds to is cut there. */
const MAX_WORD = 64;
/** Below this many letters, one typing error makes too many other words. */
const MIN_TYPO = 4;
/** More unknown words than this are no typing errors but another subject. */
const MAX_TYPOS = 8;

/** `localeOf`: the language of a text, as far as its words tell. */
export function createLexicon(
  words: Words,
  times: Pick<Times, 'words' | 'isLiteral'>,
  localeOf: (text: string) => string | undefined,
): Lexicon {
  const meanings = meaningsOf(words);
  const entries = [...meanings].map(
    ([phrase, meaning]): Entry => ({ phrase, words: phrase.split(' '), meaning }),
  );
  const index = byFirstWord(entries);
  const fits = createSpelling(words);
  const known = new Set([...meanings.keys(), ...times.words].flatMap((phrase) => phrase.split(' ')));
  const spellings = spellingsOf([...known]);
  const shortFor = words.pairs('short for');
  for (const short of shortFor.keys()) known.add(short);
  const asSpelt = words.pairs('as spelt');
  const withMarks = new Set(words.list('with marks only'));
  const polite = new Set(words.list('polite'));
  /** Words without marks that are others in another language (`no`, nó). */
  const foreign = new Map(
    words.locales.flatMap((locale) =>
      words.list('foreign alone', locale).map((word) => [word, locale] as const),
    ),
  );
  const joined = new Map(
    [...meanings.keys()].flatMap((phrase) =>
      phrase.includes(' ') ? [[phrase.replaceAll(' ', ''), phrase] as const] : [],
    ),
  );
  /** The letters of a word, folded where its marks tell nothing; the same few words come in nearly every message. */
  const lettersOf = remembered((text: string): string => {
    if (text.length > MAX_WORD) return '…';
    if (/^\d+$/.test(text)) return text;
    const word = text.normalize('NFC').toLowerCase();
    const meant = asSpelt.get(word);
    if (meant === undefined) return mapWords(fold(text).slice(0, MAX_WORD), asKnown);
    return meant === '' ? word : fold(meant);
  });

  function asKnown(word: string): string {
    const long = shortFor.get(word);
    if (long !== undefined) return fold(long);
    if (known.has(word)) return word;
    const phrase = joined.get(word);
    if (phrase !== undefined) return phrase;
    const undone = undoTyping(word);
    return undone.length > 1 && known.has(undone) ? fold(shortFor.get(undone) ?? undone) : word;
  }

  /** "no o dau", "nó": a short word of another language than the words beside it, or with marks, which no such word has. */
  function foreignIn(tokens: readonly Token[]): (at: number) => boolean {
    const all = tokens.map(({ text }) => fold(text));
    const said = all.every((one) => foreign.has(one) || polite.has(one))
      ? undefined
      : localeOf(tokens.map(({ text }) => text).join(' '));
    return (at) => {
      const beside = all[at + 1] ?? all[at - 1] ?? '';
      const isOther = said !== undefined && said !== foreign.get(all[at] ?? '');
      return isOther && (beside.length < 2 || localeOf(beside) === said);
    };
  }

  function phraseAt(said: readonly Word<Token>[], at: number): Entry | undefined {
    const word = said[at];
    if (!word) return undefined;
    const entry = index
      .get(word.text)
      ?.find(
        (one) =>
          one.words.every((text, i) => said[at + i]?.text === text) &&
          one.words.every((_, i) => fits(one, i, said[at + i])),
      );
    if (!entry || entry.words.length > 1) return entry;
    if (word.doubtful) return undefined;
    return word.bare && withMarks.has(word.text) ? { ...entry, meaning: {} } : entry;
  }

  function amountAt(said: readonly Word<Token>[], at: number): Entry | undefined {
    const number = said[at]?.text ?? '';
    const counted = meanings.get(said[at + 1]?.text ?? '');
    return counted?.amount && /^\d+$/.test(number)
      ? { phrase: number, words: [number], meaning: {} }
      : undefined;
  }

  return {
    isPhrase: (text) => meanings.has(text),
    isKnown: (word) => known.has(word),
    wordsOf(tokens) {
      const marked = !tokens.every(isPlain);
      const isForeign = foreignIn(tokens);
      return tokens.flatMap((source, at): Word<Token>[] => {
        if (times.isLiteral(source)) return [{ text: source.text, source }];
        const bare = marked && isPlain(source);
        const letters = lettersOf(source.text);
        const doubtful = foreign.has(letters) && (!isPlain(source) || isForeign(at));
        return letters
          .split(' ')
          .filter((text) => text !== '')
          .map((text) => ({ text, source, bare, ...(doubtful && { doubtful }) }));
      });
    },
    mended(said) {
      const unknown = said.filter(({ text }) => !known.has(text));
      if (unknown.length === 0 || unknown.length > MAX_TYPOS) return undefined;
      const near = new Map(unknown.map(({ text }) => [text, spellings(text)] as const));
      return said.map((word) => {
        const meant = near.get(word.text);
        return meant === undefined ? word : { ...word, text: meant, doubtful: word.text.length < 5 };
      });
    },
    segments(said) {
      const found: Segment[] = [];
      for (let at = 0; at < said.length; ) {
        const entry = phraseAt(said, at) ?? amountAt(said, at);
        const length = entry?.words.length ?? 1;
        found.push({ meaning: entry?.meaning, words: said.slice(at, at + length) });
        at += length;
      }
      return found;
    },
    plainly: (text) =>
      speltWords(text)
        .map((word) => asSpelt.get(word) ?? fold(word))
        .flatMap((word) => fold(shortFor.get(word) ?? word).split(' ')),
  };
}

/** A word with its marks, wherever they stand in it: "hoà" is "hòa". */
const marked = remembered((word: string): string => {
  const letters = word.normalize('NFD').toLowerCase();
  return [...letters.replace(/\p{M}/gu, ''), ...(letters.match(/\p{M}/gu) ?? []).sort()].join('');
});

/**
 * How the files spell the words of phrases. A word that was typed with marks, and is in the files so, is that word and no
 * other: "dùng" is not "đúng". One that is nowhere spelt so may be any with its letters.
 */
function createSpelling(words: Words): (entry: Entry, at: number, word: Word<Token> | undefined) => boolean {
  const spelt = new Set<string>();
  const byPhrase = new Map<string, Set<string>[]>();
  const phrases = [...words.examples.map(({ text }) => text), ...words.allWritten()];
  for (const phrase of phrases) {
    const all = speltWords(phrase);
    for (const word of all) spelt.add(marked(word));
    for (const folded of words.foldings(phrase)) {
      if (folded.split(' ').length !== all.length) continue;
      const before = byPhrase.get(folded) ?? all.map(() => new Set<string>());
      all.forEach((word, at) => void before[at]?.add(marked(word)));
      byPhrase.set(folded, before);
    }
  }
  return ({ phrase }, at, word) => {
    const typed = word?.source.text ?? '';
    if (!word || isAscii(typed) || fold(typed) !== word.text) return true;
    const own = marked(typed);
    if (!spelt.has(own)) return true;
    const known = byPhrase.get(phrase)?.[at];
    return known === undefined || known.has(own);
  };
}

/** Finds the word that is one typing error away; undefined where none or several are. */
export function spellingsOf(known: readonly string[]): (word: string) => string | undefined {
  const isLong = (word: string) => word.length >= MIN_TYPO && /^[a-z]+$/.test(word);
  const byLength = Map.groupBy(known.filter(isLong), ({ length }) => length);
  return (word) => {
    if (!isLong(word)) return undefined;
    const lengths = [word.length - 1, word.length, word.length + 1];
    const near = lengths
      .flatMap((length) => byLength.get(length) ?? [])
      .filter((one) => isOneTypo(one, word));
    return near.length === 1 ? near[0] : undefined;
  };
}

/** The words of a text as they are spelt, in lower case. */
export function speltWords(text: string): string[] {
  return text
    .normalize('NFC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

const isPlain = ({ text }: Token): boolean => isAscii(text);

/** The phrases and what they say, folded. */
function meaningsOf(words: Words): ReadonlyMap<string, Meaning> {
  const all = new Map<string, Meaning>();
  const add = (phrase: string, meaning: Meaning) => all.set(phrase, { ...all.get(phrase), ...meaning });
  const lists: readonly (readonly [name: string, meaning: Meaning])[] = [
    ['small', {}],
    ['amounts', { amount: true }],
    ['wanted', { asks: true }],
    ['wishes', { wish: true }],
    ['assents', { assent: true }],
    ['faults', { fault: true }],
    ['code', { field: 'code' }],
    ['phone', { field: 'phone' }],
    ['email', { field: 'email' }],
    ['points list', { type: 'point' }],
    ['gifts list', { type: 'gift' }],
    ['gifts', { gifts: true }],
    ['ever', { ever: true }],
    ['stops', { denial: 'stop' }],
    ['fails', { denial: 'fail' }],
  ];
  for (const locale of words.locales) {
    const { units, from, to } = words.periods.get(locale) ?? {};
    for (const phrase of [units, from, to].join(',').split(',').map(fold)) if (phrase !== '') add(phrase, {});
    for (const [name, meaning] of lists)
      for (const phrase of words.written(name, locale))
        for (const folded of words.foldings(phrase)) add(folded, meaning);
  }
  // Words that are none of those that their letters say: they say nothing.
  for (const [word, meant] of words.pairs('as spelt')) if (meant === '') add(word, {});
  for (const { text, act, alone, isPhrase } of words.examples)
    for (const phrase of isPhrase ? words.foldings(text) : [])
      add(phrase, alone ? { act } : { act, always: true });
  return all;
}
