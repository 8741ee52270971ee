import { readFileSync } from 'node:fs';
import { createInstance, type FormatterModule, type TFunction } from 'i18next';
import en from '../locales/en.json' with { type: 'json' };
import vi from '../locales/vi.json' with { type: 'json' };
import type { LanguageText } from './conversation/language/vocabulary.ts';
import { LOCALES, type Locale, perLocale, type Wording } from './conversation/message.ts';
import { type Line, type Param, type Reply, Unwordable } from './conversation/reply.ts';

/** What customers say, in each language: `locales/*.md`. */
export const SAYINGS: readonly LanguageText[] = LOCALES.map((locale) => ({
  locale,
  text: readFileSync(new URL(`../locales/${locale}.md`, import.meta.url), 'utf8'),
}));

/**
 * What the bot says, in each language. Flat keys with dots; i18next's suffixes pick
 * variants: `key_context`, `key_one`, `key_other`.
 */
export const WORDING: Wording = { vi, en };

/** Turns what the bot says, as data, into text. Pure and synchronous; a reply takes microseconds. */
export type Words = ReturnType<typeof createWords>;

export type WordsOptions = {
  /** IANA name; times are shown in it. */
  readonly timeZone: string;
  /** Other wording than `locales/*.json`, for tests. */
  readonly resources?: Wording | undefined;
  /**
   * Told of a key without wording, or a placeholder without its param. Throws by default, so that tests find it;
   * where it returns, the customer sees the key or the placeholder.
   */
  readonly onMissing?: Report | undefined;
};

/** Longest text param, in characters: names from profiles and products. The rest is cut. */
const MAX_PARAM = 200;
/** The same for texts in every language, which operators write: names of gifts, answers. */
const MAX_LOCALIZED = 1000;

/**
 * Wording in every language at once: one fixed-language translator each, never a global language switch, so that no
 * customer's language leaks into another's reply.
 */
export function createWords({ timeZone, resources = WORDING, onMissing = refuse }: WordsOptions) {
  const translators = createTranslators(resources, timeZone, onMissing);

  /** Most lines are buttons without params, always the same: i18next takes as long for one as a whole turn thinks. */
  const plain = perLocale(() => new Map<string, string>());

  /** One piece of wording: a button's label, a reason, a line. */
  function line({ key, context, params }: Line, locale: Locale): string {
    if (params !== undefined) return filled({ key, context, params }, locale);
    const name = context === undefined ? key : `${key}_${context}`;
    let text = plain[locale].get(name);
    if (text === undefined) {
      text = filled({ key, context }, locale);
      plain[locale].set(name, text);
    }
    return text;
  }

  function filled({ key, context, params = {} }: Line, locale: Locale): string {
    const values: Record<string, string | number> = {};
    for (const name in params) {
      const param = params[name];
      if (param !== undefined) values[name] = value(param, locale);
    }
    const count = typeof values.count === 'number' ? values.count : undefined;
    try {
      // No `nest`: a customer's "$t(…)" must stay what it is.
      return translators[locale](key, {
        replace: values,
        nest: false,
        ...(context !== undefined && { context }),
        ...(count !== undefined && { count }),
      });
    } catch (cause) {
      throw new Unwordable(`${key}: ${String(cause)}`, { cause });
    }
  }

  function value(param: Param, locale: Locale): string | number {
    if (typeof param === 'number') return param;
    if (typeof param === 'string') return clean(param);
    if ('written' in param) return param.written;
    return 'key' in param ? line(param, locale) : clean(param[locale] ?? param.vi, MAX_LOCALIZED);
  }

  return {
    line,
    /** The whole message: the main text, then its lines. */
    text(reply: Reply, locale: Locale): string {
      const main = line(reply, locale);
      if (!reply.lines?.length) return main;
      return [main, ...reply.lines.map((one) => line(one, locale))].join('\n');
    },
  };
}

type Report = (what: string) => void;

function createTranslators(
  resources: Wording,
  timeZone: string,
  onMissing: Report,
): Readonly<Record<Locale, TFunction>> {
  const i18next = createInstance().use(createFormatter(timeZone, onMissing));
  void i18next.init({
    initAsync: false,
    lng: LOCALES[0],
    supportedLngs: LOCALES,
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    resources: perLocale((locale) => ({ translation: resources[locale] })),
    // Plain text leaves us: nothing to escape. Placeholders inside a customer's text are not filled.
    interpolation: { escapeValue: false, skipOnVariables: true },
    parseMissingKeyHandler(key) {
      onMissing(key);
      return key;
    },
    missingInterpolationHandler(text, match: RegExpExecArray) {
      onMissing(`${match[0]} in "${text}"`);
      return match[0];
    },
  });
  return perLocale((locale) => i18next.getFixedT(locale));
}

/**
 * The formats that locale files may ask for: `{{points, number}}`, `{{at, datetime}}`, `{{at, date}}`. In place of
 * i18next's own formatter, which asks Intl for its phrases and swallows errors.
 */
function createFormatter(timeZone: string, onMissing: Report): FormatterModule {
  const numbers = new Map<string, Intl.NumberFormat>(
    LOCALES.map((locale) => [locale, new Intl.NumberFormat(locale)]),
  );
  // The same in both languages: British English writes `25/11/2026, 15:47`.
  const date = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short' });
  const datetime = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short', timeStyle: 'short' });

  function formatted(value: number, format: string, language: string): string | undefined {
    if (format === 'number') return numbers.get(language)?.format(value);
    if (format === 'date') return date.format(value);
    return format === 'datetime' ? datetime.format(value).replace(',', '') : undefined;
  }

  return {
    type: 'formatter',
    init() {},
    add() {},
    addCached() {},
    format(value: unknown, format = '', language = '', { interpolationkey: name } = {}) {
      // A keyed param stands for the value itself: "date unknown" where a date is missing.
      if (typeof value === 'string') return value;
      const text = typeof value === 'number' ? formatted(value, format, language) : undefined;
      if (text !== undefined) return text;
      const placeholder = `{{${name}, ${format}}}`;
      onMissing(placeholder);
      return placeholder;
    },
  };
}

/** Text from outside: on one line, without what could disguise or reorder a message, at most `max` long. */
function clean(text: string, max = MAX_PARAM): string {
  const short = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return short.replace(BREAKS, ' ').replace(INVISIBLE, '');
}

const BREAKS = /[\t-\r\u0085\u2028\u2029]+/g;
/** Control, format (bidirectional, zero-width) and broken surrogate characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

function refuse(what: string): never {
  throw new Error(`Missing wording: ${what}`);
}
