import { Address } from './address.ts';
import { fold, isAscii, remembered, tokenize, visible } from './tokenizer.ts';

/*
 * What customers say: `locales/<tag>.md`. A heading is a command, perhaps with a limit in brackets; a line
 * below it is an example. `## words` and `## periods` list words by what they do.
 */

/** A text of a language. Several texts of one language add to each other. */
export type LanguageText = { readonly locale: string; readonly text: string };

export type Example = {
  readonly locale: string;
  readonly text: string;
  /** The command of its heading: `start redeem`. */
  readonly act: string;
  /** Counts only where the rest of the message is understood, too. */
  readonly alone: boolean;
  /** A phrase that is found in texts. The others are questions, which are compared as a whole. */
  readonly isPhrase: boolean;
  readonly line: number;
};

/** Headings of questions that are answered: their examples are compared as a whole. */
export const ANSWERED = /^ask (?!what$|who$)/;

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
  readonly examples: Example[] = [];
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
    let [act, limit] = ['', ''];
    for (const [at, line] of text.split('\n').entries()) {
      const heading = /^## ([^(]+)(?:\((\w+)\))?$/.exec(line);
      if (heading) [act, limit] = [heading[1]?.trim() ?? '', heading[2] ?? ''];
      else if (act !== '' && line.startsWith('- ')) {
        const isPhrase = limit === 'said' || !ANSWERED.test(act);
        const said = { locale, text: line.slice(2), act, alone: limit === 'alone', isPhrase, line: at + 1 };
        if (act !== 'heard') this.examples.push(said);
      } else if (act === 'words' || act === 'periods') {
        const [, name, all = ''] = /^([\w -]+): (.+)$/.exec(line) ?? [];
        const phrases = all.split(',').map((phrase) => phrase.trim());
        if (name) this.lists.push({ locale, section: act, name, phrases: phrases.filter(Boolean) });
      }
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

  /** A phrase as it is compared: folded and, where marks tell words apart, as `as spelt` has them, too. */
  foldings(phrase: string): string[] {
    const words = phrase.normalize('NFC').toLowerCase().split(' ');
    const spelt = words.map((word) => {
      const meant = this.asSpelt.get(word);
      return meant === '' ? word : fold(meant ?? word);
    });
    const long = spelt.map((word) => this.shortFor.get(word) ?? word);
    return [...new Set([fold(phrase), spelt.join(' '), long.join(' ')])].filter((text) => text !== '');
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
  const languages = vocabulary.locales.map((locale) => languageOf(vocabulary, locale));
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

/** The words of a language. `hasMarks`: it writes letters with marks. */
function languageOf(vocabulary: Vocabulary, locale: string) {
  const phrases = vocabulary.examples.flatMap((one) =>
    one.locale === locale && one.isPhrase ? one.text : [],
  );
  const lists = vocabulary.lists.filter((list) => list.locale === locale);
  const borrowed = lists.flatMap(({ name, phrases }) => (name === 'borrowed' ? phrases : []));
  return {
    locale,
    own: new Set(
      [...phrases, ...lists.flatMap((list) => list.phrases)].flatMap((text) => fold(text).split(' ')),
    ),
    borrowed: new Set(borrowed.map(fold)),
    hasMarks: /\p{M}/u.test(phrases.join(' ').normalize('NFD')),
  };
}
