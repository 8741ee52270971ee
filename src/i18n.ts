import { readFileSync } from 'node:fs';
import en from '../locales/en.json' with { type: 'json' };
import vi from '../locales/vi.json' with { type: 'json' };
import type { LanguageText } from './conversation/language/vocabulary.ts';
import { LOCALES, type Locale, perLocale, type Wording } from './conversation/message.ts';
import { type Line, type Param, type Reply, Unwordable } from './conversation/reply.ts';

/** What customers say, in each language: `locales/*.md`. */
export const LANGUAGE_TEXTS: readonly LanguageText[] = LOCALES.map((locale) => ({
  locale,
  text: readFileSync(new URL(`../locales/${locale}.md`, import.meta.url), 'utf8'),
}));

/**
 * What the bot says, in each language. Flat keys with dots. Suffixes name variants: `key_context`, and
 * `key_one` and `key_other` for a param `count`.
 */
export const WORDING: Wording = { vi, en };

/** Turns replies, which are data, into text. Pure and synchronous. */
export type Words = ReturnType<typeof createWords>;

export type WordsOptions = {
  /** IANA name; times are shown in it. */
  readonly timeZone: string;
  /** Other wording than `locales/*.json`, for tests. */
  readonly resources?: Wording | undefined;
  /**
   * Called with a key without wording, or a placeholder without a param. Throws by default, for tests; if it
   * returns, the customer sees the key or the placeholder.
   */
  readonly onMissing?: OnMissing | undefined;
};

/** Characters of a text param: names from profiles and products are cut. */
const MAX_PARAM = 200;
/** Characters of a text that operators write in every language: names of gifts, answers. */
const MAX_LOCALIZED = 1000;

/** `{{name}}`, `{{points, number}}`, `{{at, datetime}}`, `{{at, date}}`. */
const PLACEHOLDER = /\{\{(\w+)(?:, (\w+))?\}\}/g;

/**
 * Wording in all languages. There is no global switch of the language, so no customer's language gets into
 * another's reply.
 *
 * @example
 * const words = createWords({ timeZone: 'Asia/Ho_Chi_Minh' });
 * words.text({ key: 'points.balance', params: { points: 120 } }, 'vi');
 */
export function createWords({ timeZone, resources = WORDING, onMissing = refuse }: WordsOptions) {
  const formats = perLocale((locale) => createFormats(locale, timeZone));
  const plurals = perLocale((locale) => new Intl.PluralRules(locale));

  /** A button's label, a reason, a line. */
  function line(piece: Line, locale: Locale): string {
    const template = findTemplate(piece, locale);
    if (template === undefined) {
      onMissing(piece.key);
      return piece.key;
    }
    // Values are put in at once, so a placeholder in a customer's text stays what it is.
    return template.replace(PLACEHOLDER, (placeholder, name: string, format?: string) => {
      const text = toText(piece.params?.[name], format, locale);
      if (text === undefined) onMissing(`${placeholder} of ${piece.key}`);
      return text ?? placeholder;
    });
  }

  function findTemplate({ key, context, params }: Line, locale: Locale): string | undefined {
    const texts = resources[locale];
    const variant = context === undefined ? key : `${key}_${context}`;
    const { count } = params ?? {};
    const plural = typeof count === 'number' ? `_${plurals[locale].select(count)}` : '';
    return texts[variant + plural] ?? texts[variant] ?? texts[key + plural] ?? texts[key];
  }

  function toText(param: Param | undefined, format: string | undefined, locale: Locale): string | undefined {
    if (param === undefined) return undefined;
    if (typeof param === 'string') return clean(param);
    if (typeof param === 'number')
      return format === undefined ? String(param) : formats[locale][format]?.(param);
    if ('written' in param) return param.written;
    return 'key' in param ? line(param, locale) : clean(param[locale] ?? param.vi, MAX_LOCALIZED);
  }

  return {
    line,
    /** The whole message: the main text, then its lines. */
    text: (reply: Reply, locale: Locale): string =>
      [reply, ...(reply.lines ?? [])].map((piece) => line(piece, locale)).join('\n'),
  };
}

type OnMissing = (what: string) => void;

function createFormats(
  locale: Locale,
  timeZone: string,
): Readonly<Record<string, (value: number) => string>> {
  const number = new Intl.NumberFormat(locale);
  // The same in both languages: British English writes `25/11/2026, 15:47`.
  const date = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short' });
  const datetime = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return {
    number: (value) => number.format(value),
    date: (value) => date.format(value),
    datetime: (value) => datetime.format(value).replace(',', ''),
  };
}

/** Text from outside: on one line, without characters that could reorder a message, at most `max` long. */
function clean(text: string, max = MAX_PARAM): string {
  const short = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return short.replace(BREAKS, ' ').replace(INVISIBLE, '');
}

const BREAKS = /[\t-\r\u0085\u2028\u2029]+/g;
/** Control, format (bidirectional, zero-width) and broken surrogate characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

function refuse(what: string): never {
  throw new Unwordable(`Missing wording: ${what}`);
}
