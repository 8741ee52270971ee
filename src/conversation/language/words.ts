import { fold, mapWords } from './text.ts';

/*
 * What customers say, as the language files have it: `locales/<tag>.md`. A heading is a command, perhaps with what limits
 * its examples in brackets; a line is an example. `## words` and `## periods` list words by what they do.
 */

/** What a text of a language says: several texts of one language add to each other. */
export type LanguageText = { readonly locale: string; readonly text: string };

/** A line of a language file. */
export type Example = {
  readonly locale: string;
  /** As it is written there. */
  readonly text: string;
  /** The command under whose heading it stands: `start redeem`. */
  readonly act: string;
  /** Counts only where the rest of the message is understood, too. */
  readonly alone: boolean;
  /** Not a question whose likes count, but a phrase that is found in a text. */
  readonly isPhrase: boolean;
  readonly line: number;
};

/** Lists by their names, each a line of phrases with commas between. */
type Lists = Readonly<Record<string, string>>;

/** All that the language files say. */
export type Words = {
  readonly locales: readonly string[];
  readonly examples: readonly Example[];
  /** What is said of the codes at hand (`lists.ts`): under `list …`. */
  readonly templates: readonly Example[];
  /** Sentences with what they are to be taken for, and the question that they answered: for tests. */
  readonly heard: readonly Example[];
  /** The lists of `## words` and `## periods`. */
  readonly periods: ReadonlyMap<string, Lists>;
  /** A phrase as it is compared: folded and, where marks tell words apart, as `as spelt` has them, too. */
  foldings(phrase: string): readonly string[];
  /** A list of all languages or of one, as it is compared. */
  list(name: string, locale?: string): readonly string[];
  /** The same as it is written. */
  written(name: string, locale?: string): readonly string[];
  /** The phrases of all lists, of all languages or of one, as they are written. */
  allWritten(locale?: string): readonly string[];
  /** A list of `one = other`. */
  pairs(name: string): ReadonlyMap<string, string>;
};

/** A heading of what is asked of the programme, and answered: its examples count by their likeness. */
export const ANSWERED = /^ask (?!what$|who$)/;

/** Reads language files. A line that is neither heading, example nor list is a remark. */
export function readWords(texts: readonly LanguageText[]): Words {
  const locales = [...new Set(texts.map(({ locale }) => locale))];
  const examples: Example[] = [];
  const templates: Example[] = [];
  const heard: Example[] = [];
  const lists = new Map(locales.map((locale) => [locale, {} as Record<string, string>]));
  const periods = new Map(locales.map((locale) => [locale, {} as Record<string, string>]));
  for (const { locale, text } of texts) {
    let [heading, limit] = ['', ''];
    for (const [at, line] of text.split('\n').entries()) {
      const [, act, bracket = ''] = /^## ([^(]+)(?:\((\w+)\))?$/.exec(line) ?? [];
      if (act !== undefined) [heading, limit] = [act.trim(), bracket];
      const example = heading === '' ? undefined : /^- (.+)$/.exec(line)?.[1];
      if (example !== undefined)
        (heading === 'heard' ? heard : heading.startsWith('list ') ? templates : examples).push({
          locale,
          text: example,
          act: heading,
          alone: limit === 'alone',
          isPhrase: limit === 'said' || !ANSWERED.test(heading),
          line: at + 1,
        });
      const [, name, phrases] = /^([\w -]+): (.+)$/.exec(line) ?? [];
      const into = (heading === 'words' ? lists : heading === 'periods' ? periods : undefined)?.get(locale);
      if (into && name !== undefined && phrases !== undefined)
        into[name] = into[name] === undefined ? phrases : `${into[name]}, ${phrases}`;
    }
  }
  const written = (name: string, only?: string) =>
    locales
      .filter((locale) => only === undefined || locale === only)
      .flatMap((locale) => split(lists.get(locale)?.[name]));
  const pairs = (name: string) =>
    new Map(
      written(name).flatMap((pair) => {
        const [one = '', other] = pair.split('=');
        return other === undefined ? [] : [[one.trim().normalize('NFC'), other.trim()] as const];
      }),
    );
  const meant = pairs('as spelt');
  /** Folded, but for words that are others with their marks. */
  const spelt = (phrase: string) =>
    mapWords(phrase.normalize('NFC').toLowerCase(), (word) =>
      meant.get(word) === '' ? word : fold(meant.get(word) ?? word),
    );
  const foldings = (phrase: string) =>
    [...new Set([fold(phrase), spelt(phrase)])].filter((one) => one !== '');
  return {
    locales,
    examples,
    templates,
    heard,
    periods,
    list: (name, only) => [...new Set(written(name, only).flatMap(foldings))],
    foldings,
    written,
    allWritten: (only) =>
      [lists, periods].flatMap((all) =>
        locales.flatMap((locale) =>
          only === undefined || locale === only ? Object.values(all.get(locale) ?? {}).flatMap(split) : [],
        ),
      ),
    pairs,
  };
}

/** One of some phrases, in a pattern; where there are none, nothing fits. */
export const anyOf = (phrases: Iterable<string>): string => [...phrases].join('|') || '(?!)';

/** Phrases by their first words, the longest first. */
export function byFirstWord<Phrase extends { readonly words: readonly string[] }>(
  phrases: Iterable<Phrase>,
): ReadonlyMap<string, readonly Phrase[]> {
  const index = Map.groupBy(phrases, ({ words: [first = ''] }) => first);
  for (const all of index.values()) all.sort((one, other) => other.words.length - one.words.length);
  return index;
}

/** Phrases with commas between. */
export function split(phrases = ''): string[] {
  return phrases
    .split(',')
    .map((phrase) => phrase.trim())
    .filter((phrase) => phrase !== '');
}
