import type { Reading } from '../commands.ts';
import type { EmailResult, Phone } from '../values/contact.ts';
import type { Acts } from './table.ts';
import {
  fold,
  isAscii,
  marked,
  remembered,
  speltWords,
  type Token,
  tokenize,
  undoTyping,
  visible,
} from './tokens.ts';
import { indexPhrases, type PhraseIndex, phraseAt, type Vocabulary } from './vocabulary.ts';

/* The phrases of the language files, found in texts. */

/** A gift, which texts name by any of its names. */
export type NamedGift = Reading['settings']['gifts'][number];

/** A value in a text. `end`: a listed code, by its last characters. */
export type Value =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'place'; readonly place: number }
  | { readonly kind: 'end'; readonly end: string }
  | { readonly kind: 'phone'; readonly phone: Phone }
  | { readonly kind: 'email'; readonly email: EmailResult }
  | { readonly kind: 'gift'; readonly gifts: readonly NamedGift[] }
  /** A code that a Vietnamese keyboard rewrote while it was typed; it is not repaired. */
  | { readonly kind: 'mangled' }
  /** A number that is no code, because codes have known beginnings: an order's, an invoice's. */
  | { readonly kind: 'other'; readonly text: string };

/** A word of a message, folded, and the token that it was read from. A value is one word. */
export type Word = {
  readonly text: string;
  readonly source: Token;
  /** Written without marks in a message that has some. */
  readonly isBare?: boolean | undefined;
  readonly value?: Value | undefined;
};

/** The text of a word that is a value: no phrase has it. */
export const VALUE = '\u0000';
/** The text of the words of a period, taken together. */
export const PERIOD = '\u0001';

export type Phrase = {
  readonly text: string;
  readonly act?: string | undefined;
  /** The word lists that have it: `faults`, `phone`; `small` says nothing. */
  readonly lists: ReadonlySet<string>;
  readonly spellings: readonly (readonly string[])[];
};

/** A stretch of a message: a phrase, a value, or one word that is neither. */
export type Part = {
  readonly words: readonly Word[];
  readonly phrase?: Phrase | undefined;
  readonly value?: Value | undefined;
};

export const isIn = ({ phrase }: Part, ...lists: readonly string[]): boolean =>
  phrase !== undefined && lists.some((list) => phrase.lists.has(list));
export const actOf = ({ phrase }: Part): string => phrase?.act ?? '';
const DECLINES: ReadonlySet<string> = new Set(['no', 'none']);
/** A line of "no" or "none". */
export const declines = (part: Part): boolean => DECLINES.has(actOf(part));
/** A line that begins a flow. */
export const beginsFlow = (part: Part): boolean => actOf(part).startsWith('start ');
export const isPaused = ({ words: [word] }: Part): boolean => word?.source.pause === true;

/** Lists of signs next to values. In a text without values they explain nothing. */
const SIGNS = (
  'codes drop,codes keep,codes only,codes replace,codes add,codes other,codes join,codes behind,corrects,' +
  'beside a gift,counters,several,reports,troubles,declines'
).split(',');
/** The lists whose phrases are found in texts, as the examples are. */
const FOUND = (
  'small,polite,curses,words of phone,before what is not meant,another day,amounts,wanted,' +
  'wishes,assents,faults,code,phone,email,gifts,points list,gifts list,ever,' +
  'stops,fails,possible,units,from,to,leaving'
)
  .split(',')
  .concat(SIGNS);

/** Whether a part is only a sign next to a value. */
export const isSign = ({ phrase }: Part): boolean =>
  phrase !== undefined && phrase.act === undefined && [...phrase.lists].every((list) => SIGNS.includes(list));

/** Acts that may name the value that they are about. */
const CHANGES: ReadonlySet<string> = new Set(['change', 'remove', 'no', 'none']);

/** The field that an example about changing a value names: "sửa lại số" is about the phone. */
function fieldsIn(text: string, act: string, vocabulary: Vocabulary): readonly string[] {
  if (!CHANGES.has(act)) return [];
  const words = ` ${fold(text)} `;
  const isNamed = (field: string) =>
    [field, `words of ${field}`].some((list) =>
      vocabulary.list(list).some((name) => words.includes(` ${name} `)),
    );
  return ['code', 'email', 'phone'].filter(isNamed).slice(0, 1);
}

/** One for all phrases without a list: there are thousands. */
const NONE: ReadonlySet<string> = new Set();

function readPhrases(vocabulary: Vocabulary, acts: Acts): ReadonlyMap<string, Phrase> {
  const all = new Map<string, Phrase>();
  const add = (written: string, more: Pick<Phrase, 'act'>, list: readonly string[] = []) => {
    const spelling = speltWords(written).map(marked);
    for (const text of vocabulary.foldings(written)) {
      const before = all.get(text);
      const lists = list.length > 0 ? new Set([...(before?.lists ?? []), ...list]) : (before?.lists ?? NONE);
      all.set(text, { ...before, ...more, text, lists, spellings: [...(before?.spellings ?? []), spelling] });
    }
  };
  for (const list of FOUND) for (const phrase of vocabulary.written(list)) add(phrase, {}, [list]);
  for (const { text, act } of vocabulary.examples)
    if (acts.get(act)?.isSign) add(text, { act }, fieldsIn(text, act, vocabulary));
  for (const [word, spelling] of vocabulary.asSpelt)
    if (spelling === '') all.set(word, { text: word, lists: new Set(['small']), spellings: [] });
  return all;
}

/** A dash, or numbers with signs between: taken as they were typed. */
const AS_TYPED = /^\p{Pd}+$|\d[./-]\p{L}?\d/u;
/** No word is longer; a longer token is taken as it was typed. */
const MAX_WORD = 40;
const NOTHING: Phrase = { text: '', lists: new Set(['small']), spellings: [] };
const SEVERAL: Phrase = { text: '', lists: new Set(['small', 'several']), spellings: [] };

/** Cuts texts into the phrases of the language files. */
export class PhraseBook {
  readonly vocabulary: Vocabulary;
  readonly known: Set<string>;
  readonly polite: ReadonlySet<string>;
  /** The polite words that say nothing else: "thôi" ends. */
  readonly besideYes: ReadonlySet<string>;
  /** The words of the names of values: "điện" of "điện thoại". */
  readonly fields: ReadonlySet<string>;
  readonly #phrases: ReadonlyMap<string, Phrase>;
  readonly #index: PhraseIndex<Phrase>;
  readonly #shortFor: ReadonlyMap<string, string>;
  readonly #withMarks: ReadonlySet<string>;
  readonly #spelt: ReadonlySet<string>;

  constructor(vocabulary: Vocabulary, acts: Acts) {
    this.vocabulary = vocabulary;
    this.#phrases = readPhrases(vocabulary, acts);
    this.#index = indexPhrases([...this.#phrases].map(([text, phrase]) => [text, phrase] as const));
    this.#shortFor = vocabulary.shortFor;
    const periods = vocabulary.lists.flatMap(({ section, phrases }) =>
      section === 'periods' ? phrases : [],
    );
    const examples = vocabulary.examples.map(({ text }) => fold(text));
    const words = [...this.#phrases.keys(), ...examples, ...periods.map(fold), ...this.#shortFor.keys()];
    this.known = new Set(words.flatMap((text) => text.split(' ')));
    this.polite = new Set(vocabulary.list('polite').flatMap((phrase) => phrase.split(' ')));
    const isOther = (act: string) => act !== 'yes' && (acts.get(act)?.isSign || acts.get(act)?.isEnding);
    const lines = vocabulary.examples.filter(({ act }) => isOther(act));
    this.besideYes = this.polite.difference(new Set(lines.flatMap(({ text }) => vocabulary.foldings(text))));
    const fields = ['code', 'phone', 'email'].flatMap((list) => vocabulary.list(list));
    this.fields = new Set(fields.flatMap((phrase) => phrase.split(' ')));
    this.#withMarks = new Set(vocabulary.list('with marks only'));
    this.#spelt = new Set([...this.#phrases.values()].flatMap(({ spellings }) => spellings.flat()));
  }

  /** Whether a text asks something, by its question mark or its words. A single word does not. */
  isQuestion(text: string): boolean {
    const words = this.wordsOf(tokenize(visible(text)));
    if (words.length < 2 || text.trimEnd().endsWith('?')) return words.length > 1;
    const quiet = this.vocabulary.list('asks nothing');
    const telling = words.filter((word) => !quiet.includes(word.text));
    const isFirst =
      this.#asks('asks anywhere', words, words.keys()) || this.#asks('asks first', telling, [0]);
    return isFirst || this.#asks('asks last', telling, [telling.length - 1]);
  }

  /** Whether a phrase of the list is at a place. A word with marks must be spelt so: "đầu" is not "đâu". */
  #asks(list: string, sentence: readonly Word[], places: Iterable<number>): boolean {
    const spelt = this.#speltIn(list);
    const spoken = sentence.map(({ text, source: { text: typed } }) => {
      const isPlain = isAscii(typed) || fold(typed) !== text;
      return isPlain || spelt.has(typed.normalize('NFC').toLowerCase()) ? text : '';
    });
    return [...places].some((at) => phraseAt(this.vocabulary.index(list), spoken, at));
  }

  readonly #speltIn = remembered(
    (list: string) => new Set(this.vocabulary.written(list).flatMap(speltWords)),
  );

  isPhrase(text: string): boolean {
    return this.#phrases.has(fold(text));
  }

  /** The folded words of a message. Short forms are written out, keystrokes of Telex and VNI undone. */
  wordsOf(tokens: readonly Token[], values?: ReadonlyMap<Token, Value>): Word[] {
    const hasMarks = tokens.some(({ text }) => !isAscii(text));
    return tokens.flatMap((source): Word | Word[] => {
      const value = values?.get(source);
      if (value) return { text: VALUE, source, value };
      const isBare = hasMarks && isAscii(source.text);
      const isTyped = source.text.length > MAX_WORD || AS_TYPED.test(source.text);
      const letters = isTyped ? source.text : this.#lettersOf(source.text);
      return letters.split(' ').flatMap((text) => (text === '' ? [] : { text, source, isBare }));
    });
  }

  plainly(text: string): string[] {
    return this.wordsOf(tokenize(visible(text))).map((word) => word.text);
  }

  /** The letters of a word, folded where its marks tell nothing. */
  readonly #lettersOf = remembered((typed: string): string => {
    const word = typed.normalize('NFC').toLowerCase();
    const spelling = this.vocabulary.asSpelt.get(word);
    if (spelling !== undefined) return spelling === '' ? word : fold(spelling);
    return fold(typed)
      .split(' ')
      .map((one) => this.#asKnown(one))
      .join(' ');
  });

  #asKnown(word: string): string {
    const long = this.#shortFor.get(word);
    if (long !== undefined) return long;
    if (this.known.has(word)) return word;
    const undone = undoTyping(word);
    const isUndone = undone.length > 1 && this.known.has(undone);
    return isUndone ? (this.#shortFor.get(undone) ?? undone) : word;
  }

  /** Cuts words into the longest phrases, left to right; a number goes with what it counts. */
  partsOf(words: readonly Word[]): Part[] {
    const texts = words.map(({ text }) => text);
    const parts: Part[] = [];
    for (let at = 0; at < words.length; ) {
      const value = words[at]?.value;
      const phrase = value ? undefined : this.#phraseAt(words, texts, at);
      const length = phrase?.text.split(' ').length ?? 1;
      const some = words.slice(at, at + length);
      parts.push(
        value ? { words: some, value } : { words: some, phrase: phrase ?? this.#countAt(texts, at) },
      );
      at += length;
    }
    return parts;
  }

  /** A number next to a thing is a count: "2 cái", "loa x2". Before an amount it says nothing. */
  #countAt(texts: readonly string[], at: number): Phrase | undefined {
    const count = Number(/^x?(\d+)x?$/.exec(texts[at] ?? '')?.[1]);
    if (Number.isNaN(count)) return undefined;
    const lists = phraseAt(this.#index, texts, at + 1)?.value.lists;
    if (lists?.has('amounts')) return NOTHING;
    const isBeside = texts[at + 1] === VALUE || texts[at - 1] === VALUE || lists?.has('counters');
    if (!isBeside || count > 99) return undefined;
    return count > 1 ? SEVERAL : NOTHING;
  }

  #phraseAt(words: readonly Word[], texts: readonly string[], at: number): Phrase | undefined {
    const candidates = this.#index.get(texts[at] ?? '');
    const isHere = (phrase: readonly string[]) => phrase.every((word, i) => texts[at + i] === word);
    const found = candidates?.find(
      ({ words: phrase, value }) =>
        isHere(phrase) && this.#isSpelt(value, words.slice(at, at + phrase.length)),
    )?.value;
    if (!found || found.text.includes(' ') || !words[at]?.isBare) return found;
    return this.#withMarks.has(found.text) ? NOTHING : found;
  }

  /** Whether words have the marks of the phrase: "dùng" is not "đúng". A spelling of no file may be any. */
  #isSpelt({ spellings }: Phrase, words: readonly Word[]): boolean {
    if (spellings.length === 0 || words.every(({ source }) => isAscii(source.text))) return true;
    return spellings.some((spelling) =>
      words.every(({ text, source }, i) => {
        if (isAscii(source.text) || fold(source.text) !== text) return true;
        const typed = marked(source.text);
        return spelling[i] === typed || !this.#spelt.has(typed);
      }),
    );
  }
}
