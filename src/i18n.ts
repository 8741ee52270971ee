import { readFileSync } from 'node:fs';
import { createInstance, type FormatterModule, type TFunction } from 'i18next';
import en from '../locales/en.json' with { type: 'json' };
import vi from '../locales/vi.json' with { type: 'json' };
import { Address } from './conversation/language/address.ts';
import type { LanguageText } from './conversation/language/vocabulary.ts';
import { LOCALES, type Locale, perLocale, type Wording } from './conversation/message.ts';
import { type Line, type Param, type Reply, Unwordable } from './conversation/reply.ts';

/** What customers say, in each language: `locales/*.md`. */
export const LANGUAGE_TEXTS: readonly LanguageText[] = LOCALES.map((locale) => ({
  locale,
  text: readFileSync(new URL(`../locales/${locale}.md`, import.meta.url), 'utf8'),
}));

const ADDRESS = new Address(LANGUAGE_TEXTS);
const MAX_ADDRESSES = 16;

/** What the bot says. Suffixes of a key are variants: `key_context`, `key_one`, `key_other`. */
export const WORDING: Wording = { vi, en };

/** Turns replies, which are data, into text. Pure and synchronous. */
export type Words = ReturnType<typeof createWords>;

export type WordsOptions = {
  /** IANA name; times are shown in it. */
  readonly timeZone: string;
  /** Other wording than `locales/*.json`, for tests. */
  readonly resources?: Wording | undefined;
  /** Called with what is missing. Throws by default; if it returns, customers see the key. */
  readonly onMissing?: OnMissing | undefined;
};

/** Characters of a text param: names from profiles and products are cut. */
const MAX_PARAM = 200;

/**
 * Wording in all languages: each has its own translator. There is no global switch of the language, so no
 * customer's language gets into another's reply.
 *
 * @example
 * const words = createWords({ timeZone: 'Asia/Ho_Chi_Minh' });
 * words.text({ key: 'points.balance', params: { points: 120 } }, 'vi');
 */
export function createWords({ timeZone, resources = WORDING, onMissing = refuse }: WordsOptions) {
  const toSpoken = (texts: Wording): SpokenWording => ({
    resources: texts,
    translators: createTranslators(texts, timeZone, onMissing),
  });
  const plain = toSpoken(resources);
  const wordingFor = createAddressed(resources, toSpoken);

  /** A button's label, a reason, a line. */
  function line({ key, context, params }: Line, locale: Locale, address?: string): string {
    const { resources: words, translators } = address === undefined ? plain : wordingFor(address);
    if (params === undefined) {
      // For a text without placeholders, i18next takes as long as a whole step.
      const wording = words[locale];
      const text = wording[context === undefined ? key : `${key}_${context}`] ?? wording[key];
      if (text !== undefined && !text.includes('{{')) return text;
    }
    const replace: Record<string, string | number> = {};
    for (const name in params) {
      const param = params[name];
      if (typeof param === 'number') replace[name] = param;
      else if (param !== undefined) replace[name] = toText(param, locale, address);
    }
    const { count } = replace;
    try {
      // No `nest`: a customer's "$t(…)" must stay what it is.
      return translators[locale](key, {
        replace,
        nest: false,
        ...(context !== undefined && { context }),
        ...(typeof count === 'number' && { count }),
      });
    } catch (cause) {
      throw new Unwordable(`${key}: ${String(cause)}`, { cause });
    }
  }

  function toText(param: Exclude<Param, number>, locale: Locale, address?: string): string {
    let text: string;
    if (typeof param === 'string') {
      text = param.length > MAX_PARAM ? `${param.slice(0, MAX_PARAM - 1)}…` : param;
    } else if ('written' in param) return param.written;
    else if ('key' in param) return line(param, locale, address);
    else text = param[locale] ?? param.vi;
    // A text from outside comes on one line, without characters that could reorder a message.
    return text.replace(BREAKS, ' ').replace(INVISIBLE, '');
  }

  return {
    line,
    /** The whole message: the main text, then its lines. */
    text(reply: Reply, locale: Locale): string {
      const { address } = reply;
      let text = line(reply, locale, address);
      for (const each of reply.lines ?? []) text += `\n${line(each, locale, address)}`;
      return text;
    },
  };
}

/** Texts with the translators that fill their placeholders. */
type SpokenWording = {
  readonly resources: Wording;
  readonly translators: Readonly<Record<Locale, TFunction>>;
};

/** The wording for each word that a customer may be called by. Each is made when it is first used. */
function createAddressed(
  resources: Wording,
  toSpoken: (texts: Wording) => SpokenWording,
): (you: string) => SpokenWording {
  const wordings = new Map<string, SpokenWording>();
  return (you) => {
    const known = wordings.get(you);
    if (known) return known;
    const reword = (locale: Locale) =>
      Object.entries(resources[locale]).map(([key, text]) => [key, ADDRESS.reword(text, { locale, you })]);
    const made = toSpoken(perLocale((locale) => Object.fromEntries(reword(locale))));
    // Only words of the tables are ever stored, so these stay few.
    if (wordings.size < MAX_ADDRESSES) wordings.set(you, made);
    return made;
  };
}

type OnMissing = (what: string) => void;

function createTranslators(
  resources: Wording,
  timeZone: string,
  onMissing: OnMissing,
): Readonly<Record<Locale, TFunction>> {
  const i18next = createInstance().use(createFormatter(timeZone));
  void i18next.init({
    initAsync: false,
    lng: LOCALES[0],
    supportedLngs: LOCALES,
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    resources: perLocale((locale) => ({ translation: resources[locale] })),
    // Plain text needs no escaping. Placeholders in a customer's text are not filled.
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

/** The formats of locale files. i18next's own formatter knows no `date` and hides errors. */
function createFormatter(timeZone: string): FormatterModule {
  const numbers = new Map(LOCALES.map((locale) => [String(locale), new Intl.NumberFormat(locale)]));
  // The same in both languages: British English writes `25/11/2026, 15:47`.
  const date = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short' });
  const datetime = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short' });
  const formats: Readonly<Record<string, (value: number, language: string) => string | undefined>> = {
    number: (value, language) => numbers.get(language)?.format(value),
    date: (value) => date.format(value),
    time: (value) => time.format(value),
    datetime: (value) => datetime.format(value).replace(',', ''),
  };
  return {
    type: 'formatter',
    init() {},
    add() {},
    addCached() {},
    // A param with a key is already text: "date unknown" for a missing date.
    format: (value, format = '', language = '') =>
      typeof value === 'number' ? formats[format]?.(value, language) : value,
  };
}

const BREAKS = /[\t-\r\u0085\u2028\u2029]+/g;
/** Control, format (bidirectional, zero-width) and broken surrogate characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

function refuse(what: string): never {
  throw new Error(`Missing wording: ${what}`);
}
