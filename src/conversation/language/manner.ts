import { type Lexicon, speltWords } from './lexicon.ts';
import { fold, isAscii, remembered, tokenize, undoTyping, visible } from './text.ts';
import { anyOf, type Words } from './words.ts';

/*
 * How a text speaks, whatever it says: whether it asks, whether it is a yes and nothing else, in which language.
 */

/** Reads the signs of a text as words: "👍" is "ok", in whatever colour. */
export function createSigns(words: Words): (text: string) => string {
  const meant = words.pairs('signs');
  const sign = new RegExp(`(${anyOf(meant.keys())})[\\u{1F3FB}-\\u{1F3FF}]?`, 'gu');
  return (text) => text.replace(sign, (_, said: string) => ` ${meant.get(said)} `);
}

/** Words, folded and as they are spelt: "đầu" is no "đâu", and "đồ" no "do". */
type AskingWords = { readonly folded: ReadonlySet<string>; readonly spelt: ReadonlySet<string> };

/** Tells questions. */
export type Asking = {
  /** Whether the text asks something: by its mark, or by its words. A single word does not. */
  isQuestion(text: string): boolean;
  /** Whether a folded word asks, wherever it stands. */
  isAsking(word: string): boolean;
};

export function createAsking(words: Words, { plainly }: Lexicon): Asking {
  const of = (name: string): AskingWords => ({
    folded: new Set(words.list(name)),
    spelt: new Set(words.written(name)),
  });
  const [anywhere, first, last] = [of('asks anywhere'), of('asks first'), of('asks last')];
  const polite = new Set(words.list('asks nothing'));
  const [shortFor, asSpelt] = [words.pairs('short for'), words.pairs('as spelt')];

  /** A word that carries marks must be spelt so; one that carries none may lack them. */
  const isOf = ({ folded, spelt }: AskingWords) =>
    remembered((typed) => {
      if (/^\d/.test(typed)) return false;
      if (spelt.has(typed)) return true;
      const written = asSpelt.get(typed) ?? shortFor.get(fold(typed));
      if (written !== undefined) return folded.has(fold(written));
      return isAscii(typed) && (folded.has(typed) || folded.has(undoTyping(typed)));
    });
  const [asks, asksFirst, asksLast] = [isOf(anywhere), isOf(first), isOf(last)];
  const firstsOf = (phrases: ReadonlySet<string>) =>
    new Set([...phrases].flatMap((phrase) => phrase.split(' ').slice(0, -1)));
  /** Whether words that ask may begin with this one. */
  const begins = isOf({ folded: firstsOf(anywhere.folded), spelt: firstsOf(anywhere.spelt) });

  function asksAnything(text: string): boolean {
    const said = speltWords(visible(text));
    if (said.length < 2) return false;
    if (text.trimEnd().endsWith('?') || said.some(asks)) return true;
    const telling = said.filter((word) => !polite.has(fold(word)));
    if (asksFirst(telling[0] ?? '') || asksLast(telling.at(-1) ?? '')) return true;
    return [said, plainly(visible(text))].some((all) =>
      all.some((word, at) => begins(word) && asks(`${word} ${all[at + 1]}`)),
    );
  }

  // One text is asked about again and again while it is read.
  let [lastText, lastAnswer] = ['', false];
  return {
    isQuestion(text) {
      if (text !== lastText) [lastText, lastAnswer] = [text, asksAnything(text)];
      return lastAnswer;
    },
    isAsking: (word) => anywhere.folded.has(word),
  };
}

/**
 * Whether a text of nothing but yes and polite words objects all the same: small words that change nothing elsewhere make a
 * question or an objection of it ("có gì", "ok sao", "ok nhưng"), and so do pictures.
 */
export function createObjections(words: Words): (text: string) => boolean {
  const any = (name: string) => anyOf(words.written(name).map(RegExp.escape));
  /** As they are spelt: "à" is no "ạ". */
  const objection = new RegExp(
    `[?？]|${any('objecting signs')}|(?<!\\p{L})(?:(?:${any('objects last')})[\\s.!]*$|(?:${any('objects')}))`,
    'iu',
  );
  return (text) => objection.test(text.normalize('NFC'));
}

/** So many words leave; more say something else. */
const MAX_LEAVING = 10;

/** Whether a text is nothing but a word that leaves a person, politely or not: "dạ thôi ạ". "Huy" may be a name. */
export function createLeaving(
  words: Words,
  { plainly }: Pick<Lexicon, 'plainly'>,
): (text: string) => boolean {
  const leaving = words.list('leaving').map((phrase) => ` ${phrase} `);
  const beside = new Set(`${[...words.list('polite'), ...words.list('assents')].join(' ')} `.split(' '));
  const marked = new Set(words.list('with marks only'));
  return (text) => {
    const said = plainly(text);
    const all = ` ${said.join(' ')} `;
    const isName = isAscii(text) && said.some((word) => marked.has(word));
    const isOnly = (phrase: string) =>
      all.includes(phrase) &&
      all
        .replace(phrase, ' ')
        .split(' ')
        .every((word) => beside.has(word));
    return said.length <= MAX_LEAVING && !isName && leaving.some(isOnly);
  };
}

/**
 * The language whose words a text has more of; undefined where it has none, or as many of another: "ok", a code. Words
 * that people use in any language ("hello") tell nothing, except where nothing else does (`first`).
 */
export type LocaleOf = (text: string, about?: { readonly first: boolean }) => string | undefined;

export function createLocaleOf(words: Words): LocaleOf {
  const { locales } = words;
  const own = new Map(locales.map((locale) => [locale, wordsOf(words, locale)] as const));
  const borrowed = new Map(
    locales.map((locale) => [locale, new Set(words.list('borrowed', locale))] as const),
  );
  const marks = marksOf(words);

  /** `null`: none. */
  const [later, firstly] = [false, true].map((isFirst) =>
    remembered((token) => localeOfWord(token, isFirst) ?? null),
  );

  function localeOfWord(token: string, isFirst: boolean): string | undefined {
    for (const sign of token.normalize('NFD').toLowerCase()) {
      const locale = marks.get(sign);
      if (locale !== undefined) return locale;
    }
    const word = fold(token);
    if (word.length < 2) return undefined;
    const lenders = locales.filter((locale) => borrowed.get(locale)?.has(word));
    if (lenders.length > 0) return isFirst ? only(lenders) : undefined;
    const speakers = locales.filter((locale) => own.get(locale)?.has(word));
    if (speakers.length > 0) return only(speakers);
    const undone = undoTyping(word);
    if (undone === word || undone.length < 2) return undefined;
    // Keystrokes stand for marks: of languages that have none nobody types them.
    return only(
      locales.filter((locale) => own.get(locale)?.has(undone) && [...marks.values()].includes(locale)),
    );
  }

  return (text, { first: isFirst } = { first: false }) => {
    const counts = new Map<string, number>();
    // Values are of no language: no address, link, code, number or command is looked at.
    for (const { text: token } of tokenize(visible(text))) {
      if (!/^\p{L}[\p{L}\p{M}'’-]*\d?$/u.test(token)) continue;
      const locale = (isFirst ? firstly : later)?.(token);
      if (locale) counts.set(locale, (counts.get(locale) ?? 0) + 1);
    }
    const [best, second] = [...counts].sort(([, one], [, other]) => other - one);
    return best && best[1] > (second?.[1] ?? 0) ? best[0] : undefined;
  };
}

const only = (locales: readonly string[]): string | undefined =>
  locales.length === 1 ? locales[0] : undefined;

/** The letters and marks that one language alone has. */
function marksOf({ examples, locales }: Words): ReadonlyMap<string, string> {
  const signs = locales.map((locale) => {
    const texts = examples.flatMap((one) => (one.locale === locale ? one.text : []));
    const used = new Set(texts.join(' ').normalize('NFD').toLowerCase());
    return { locale, own: [...used].filter((sign) => !isAscii(sign) && /[\p{L}\p{M}]/u.test(sign)) };
  });
  const isOfOne = (sign: string) => signs.filter(({ own }) => own.includes(sign)).length === 1;
  return new Map(
    signs.flatMap(({ locale, own }) => own.filter(isOfOne).map((sign) => [sign, locale] as const)),
  );
}

function wordsOf(words: Words, locale: string): ReadonlySet<string> {
  const phrases = words.examples.flatMap((one) => (one.locale === locale && one.isPhrase ? one.text : []));
  return new Set([...phrases, ...words.allWritten(locale)].flatMap((phrase) => fold(phrase).split(' ')));
}
