import { LOCALES, type Locale, perLocale } from '../message.ts';
import { fold, undoTyping, visible } from './fold.ts';
import { grammarOf } from './grammars.ts';
import { tokenize } from './tokens.ts';
import { PERIODS } from './values/time-words.ts';
import { type IntentWords, split } from './vocabulary.ts';

/** Marks of Vietnamese: `đ`, horns and breves, tones. Other languages that customers write have few of them. */
const VIETNAMESE = /[đơưăâêô]|[\u0300\u0301\u0303\u0309\u0323]/iu;

/**
 * The language whose words a text has more of; undefined where it has none, or as many of another: "ok", a code. Words
 * that people use in any language ("hello") tell nothing, except where nothing else does (`first`).
 */
export type Locales = (text: string, about?: { readonly first: boolean }) => Locale | undefined;

/** Made once for the words at hand. */
export function createLocales(intents: readonly IntentWords[]): Locales {
  const words = perLocale((locale) => wordsOf(locale, intents));
  const borrowed = perLocale((locale) => new Set(split(grammarOf(locale).borrowed)));

  function localeOfWord(token: string, first: boolean): Locale | undefined {
    if (VIETNAMESE.test(token.normalize('NFD')) || VIETNAMESE.test(token)) return 'vi';
    const word = fold(token);
    if (word.length < 2) return undefined;
    const lenders = LOCALES.filter((locale) => borrowed[locale].has(word));
    if (lenders.length > 0) return first ? only(lenders) : undefined;
    const speakers = LOCALES.filter((locale) => words[locale].has(word));
    if (speakers.length > 0) return only(speakers);
    const undone = undoTyping(word);
    return undone !== word && undone.length > 1 && words.vi.has(undone) ? 'vi' : undefined;
  }

  return (text, { first: isFirst } = { first: false }) => {
    const counts = perLocale(() => ({ words: 0 }));
    // Values are of no language: no address, link, code, number or command is looked at.
    for (const { text: token } of tokenize(visible(text))) {
      if (!/^\p{L}[\p{L}\p{M}'’-]*\d?$/u.test(token)) continue;
      const locale = localeOfWord(token, isFirst);
      if (locale !== undefined) counts[locale].words += 1;
    }
    const [first, second] = [...LOCALES].sort((a, b) => counts[b].words - counts[a].words);
    const leads = first !== undefined && second !== undefined && counts[first].words > counts[second].words;
    return leads ? first : undefined;
  };
}

const only = (locales: readonly Locale[]): Locale | undefined =>
  locales.length === 1 ? locales[0] : undefined;

/** The words of time by which a language is known. */
const SPEAKING = [
  ...PERIODS,
  ...[
    'today',
    'yesterday',
    'day before',
    'week',
    'last week',
    'last quarter',
    'year',
    'last year',
    'past year',
  ],
  ...['sure', 'only as spelt', 'doubtful', 'units', 'after a unit', 'before', 'after'],
];

function wordsOf(locale: Locale, intents: readonly IntentWords[]): ReadonlySet<string> {
  const { fillers, wishes, questions, asking, periods, denials, fields, types } = grammarOf(locale);
  const phrases = [
    ...intents.flatMap(({ always, alone }) => [always[locale], alone[locale]]),
    ...[fillers, wishes, questions, ...Object.values(asking)],
    ...SPEAKING.map((name) => periods[name] ?? ''),
    ...Object.values({ ...denials, ...types }),
    ...Object.values(fields),
  ];
  return new Set(phrases.flatMap(split).flatMap((phrase) => phrase.split(' ')));
}
