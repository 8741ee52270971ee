import { LOCALES, type Locale } from '../message.ts';
import { en } from './en.ts';
import type { Grammar } from './grammar.ts';
import { vi } from './vi.ts';
import { split } from './vocabulary.ts';

const BY_LOCALE: Readonly<Record<Locale, Grammar>> = { vi, en };
export const GRAMMARS: readonly Grammar[] = LOCALES.map((locale) => BY_LOCALE[locale]);

export const grammarOf = (locale: Locale): Grammar => BY_LOCALE[locale];

/** Phrases of all languages, folded. */
export function phrasesIn(of: (grammar: Grammar) => string): string[] {
  return GRAMMARS.flatMap((grammar) => split(of(grammar)));
}
