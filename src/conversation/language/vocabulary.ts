import { Address } from './address.ts';
import { fold, isAscii, remembered, tokenize, visible } from './tokens.ts';

/*
 * What customers say: `locales/<tag>.md`. A heading is an act (`table.ts`); a line below it is an example.
 * `## words` and `## periods` list words by what they do.
 */

/** A text of a language. Several texts of one language add to each other. */
export type LanguageText = { readonly locale: string; readonly text: string };

export type Example = {
  readonly locale: string;
  readonly text: string;
  /** The command of its heading: `start redeem`. */
  readonly act: string;
  readonly line: number;
};

/** A heading of a language's text. */
export type Heading = { readonly locale: string; readonly name: string; readonly line: number };

type List = {
  readonly locale: string;
  readonly section: string;
  readonly name: string;
  readonly phrases: readonly string[];
};

/**
 * The content of the language files. A line that is neither a heading, an example nor a list is a remark.
 *
 * @example
 * new Vocabulary([{ locale: 'en', text: '## start points\n- my points' }]).examples[0]?.act;
 * // 'start points'
 */
export class Vocabulary {
  readonly locales: readonly string[];
  readonly headings: Heading[] = [];
  readonly examples: Example[] = [];
  /** Sentences that were misunderstood once, with the act they were meant as. */
  readonly heard: Example[] = [];
  readonly lists: List[] = [];
  readonly address: Address;
  /** Words that are others with their marks; `''`: words that say nothing. */
  readonly asSpelt: ReadonlyMap<string, string>;
  /** Short forms with what they are short for. */
  readonly shortFor: ReadonlyMap<string, string>;

  constructor(texts: readonly LanguageText[]) {
    this.locales = [...new Set(texts.map(({ locale }) => locale))];
    for (const { locale, text } of texts) this.#read(locale, text);
    this.address = new Address(texts);
    this.asSpelt = this.pairs('as spelt');
    this.shortFor = new Map([...this.pairs('short for')].map(([short, long]) => [short, fold(long)]));
  }

  #read(locale: string, text: string): void {
    let act = '';
    for (const [at, line] of text.split('\n').entries()) {
      const heading = /^## (.+)$/.exec(line)?.[1];
      if (heading !== undefined) {
        act = heading.trim();
        this.headings.push({ locale, name: act, line: at + 1 });
      } else if (act !== '' && line.startsWith('- ')) {
        this.#add({ locale, text: line.slice(2), act, line: at + 1 });
      } else if (act === 'words' || act === 'periods') {
        const [, name, all = ''] = /^([\w -]+): (.+)$/.exec(line) ?? [];
        const phrases = all.split(',').map((phrase) => phrase.trim());
        if (name) this.lists.push({ locale, section: act, name, phrases: phrases.filter(Boolean) });
      }
    }
  }

  #add(example: Example): void {
    if (example.act !== 'heard') this.examples.push(example);
    else {
      const [text = '', result = ''] = example.text.split(' → ');
      const command = result.slice(0, result.lastIndexOf(' ('));
      const act = command.replace(/^ask answer (\S+).*/, 'ask $1').replace(/^(change|none) \w+$/, '$1');
      this.heard.push({ ...example, text, act });
    }
  }

  written(name: string): string[] {
    return this.lists.flatMap((list) => (list.name === name ? list.phrases : []));
  }

  /** The phrases of a list as they are compared. */
  readonly list = remembered((name): readonly string[] => [
    ...new Set(this.written(name).flatMap((phrase) => this.foldings(phrase))),
  ]);

  /** A list of `one = other`. */
  readonly pairs = remembered((name): ReadonlyMap<string, string> => {
    const pairs = this.written(name).map((pair) => pair.split('=').map((part) => part.trim()));
    return new Map(pairs.map(([one = '', other = '']) => [one.normalize('NFC'), other]));
  });

  /** The phrases of a list, with the numbers that they stand for ("hai = 2"). */
  readonly index = remembered((name) =>
    indexPhrases(
      [...this.pairs(name)].flatMap(([phrase, number]) =>
        this.foldings(phrase).map((text) => [text, Number(number)] as const),
      ),
    ),
  );

  /** The phrases of some lists as true, those of others as false; the longest one at a place counts. */
  flags({
    yes,
    no,
  }: {
    readonly yes: readonly string[];
    readonly no: readonly string[];
  }): PhraseIndex<boolean> {
    const flagged = new Map<string, boolean>();
    for (const [names, flag] of [[yes, true] as const, [no, false] as const])
      for (const phrase of names.flatMap((name) => this.list(name))) flagged.set(phrase, flag);
    return indexPhrases(flagged);
  }

  /** A phrase as it is compared: folded and, where marks tell words apart, as `as spelt` has them, too. */
  foldings(phrase: string): string[] {
    const plain = fold(phrase);
    const words = phrase.normalize('NFC').toLowerCase().split(' ');
    const isPlain =
      !words.some((word) => this.asSpelt.has(word)) &&
      !plain.split(' ').some((word) => this.shortFor.has(word));
    if (isPlain) return plain === '' ? [] : [plain];
    const spelt = words.map((word) => {
      const spelling = this.asSpelt.get(word);
      return spelling === '' ? word : fold(spelling ?? word);
    });
    const long = spelt.map((word) => this.shortFor.get(word) ?? word);
    return [...new Set([plain, spelt.join(' '), long.join(' ')])].filter((text) => text !== '');
  }
}

/** Phrases by their first words, the longest first. */
export type PhraseIndex<Value> = ReadonlyMap<
  string,
  readonly { readonly words: readonly string[]; readonly value: Value }[]
>;

export function indexPhrases<Value>(phrases: Iterable<readonly [string, Value]>): PhraseIndex<Value> {
  const entries = [...phrases].map(([phrase, value]) => ({ words: phrase.split(' '), value }));
  const index = Map.groupBy(entries, ({ words: [first = ''] }) => first);
  for (const all of index.values()) all.sort((one, other) => other.words.length - one.words.length);
  return index;
}

export type PhraseMatch<Value> = { readonly value: Value; readonly to: number };

/** The longest phrase that stands at a place. */
export function phraseAt<Value>(
  index: PhraseIndex<Value>,
  texts: readonly string[],
  at: number,
): PhraseMatch<Value> | undefined {
  const phrases = index.get(texts[at] ?? '');
  const found = phrases?.find(({ words }) => words.every((word, i) => texts[at + i] === word));
  return found && { value: found.value, to: at + found.words.length };
}

/**
 * Tells the language of a text: the one to which most of its words belong; undefined on a tie or without
 * such words ("ok", a code). Borrowed words ("hello", "thank you") count only in a customer's first text
 * (`isFirst`).
 */
export function createLocaleOf(vocabulary: Vocabulary) {
  const counts = new Map(
    vocabulary.locales.map((locale) => [locale, countWords(textsOf(vocabulary, locale))]),
  );
  const languages = vocabulary.locales.map((locale) => languageOf(vocabulary, locale, counts));
  const only = (some: typeof languages) => (some.length === 1 ? some[0]?.locale : undefined);

  function localeOfWord(typed: string, isFirst: boolean): string | undefined {
    if (!isAscii(typed)) return only(languages.filter(({ hasMarks }) => hasMarks));
    const word = fold(typed);
    const lenders = languages.filter(({ borrowed }) => borrowed.has(word));
    if (word.length < 2 || lenders.length > 0) return isFirst ? only(lenders) : undefined;
    return only(languages.filter(({ own }) => own.has(word)));
  }

  return (text: string, isFirst = false): string | undefined => {
    // Values belong to no language: addresses, links, codes, numbers and commands are passed over.
    const words = tokenize(visible(text)).map((token) => token.text);
    const telling = words.filter((word) => /^\p{L}[\p{L}\p{M}'’-]*\d?$/u.test(word));
    const counts = Map.groupBy(telling, (word) => localeOfWord(word, isFirst));
    counts.delete(undefined);
    const [best, second] = [...counts].sort(([, one], [, other]) => other.length - one.length);
    return best && best[1].length > (second?.[1].length ?? 0) ? best[0] : undefined;
  };
}

/** A word belongs to a language if its lines have it this many times as often as those of any other. */
const OWN_TIMES = 4;

type WordCounts = ReadonlyMap<string, number>;

/** The lines and lists of a language. */
const textsOf = ({ examples, lists }: Vocabulary, locale: string): readonly string[] => [
  ...examples.flatMap((example) => (example.locale === locale ? example.text : [])),
  ...lists.flatMap((list) => (list.locale === locale ? list.phrases : [])),
];

/** The words of a language. `hasMarks`: it writes letters with marks. */
function languageOf(vocabulary: Vocabulary, locale: string, counts: ReadonlyMap<string, WordCounts>) {
  const others = [...counts].flatMap(([other, words]) => (other === locale ? [] : words));
  const countElsewhere = (word: string) => others.reduce((sum, words) => sum + (words.get(word) ?? 0), 0);
  const borrowed = vocabulary.lists.flatMap((list) =>
    list.locale === locale && list.name === 'borrowed' ? list.phrases : [],
  );
  const own = [...(counts.get(locale) ?? [])].flatMap(([word, count]) =>
    count >= OWN_TIMES * countElsewhere(word) ? word : [],
  );
  return {
    locale,
    own: new Set(own),
    borrowed: new Set(borrowed.map(fold)),
    hasMarks: textsOf(vocabulary, locale).some((text) => /\p{M}/u.test(text.normalize('NFD'))),
  };
}

function countWords(texts: readonly string[]): WordCounts {
  const counts = new Map<string, number>();
  for (const word of texts.flatMap((text) => fold(text).split(' ')))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
