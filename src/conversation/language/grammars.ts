import { LOCALES, type Locale } from '../message.ts';
import { en } from './en.ts';
import type { Grammar } from './grammar.ts';
import { vi } from './vi.ts';
import { split } from './vocabulary.ts';

const BY_LOCALE: Readonly<Record<Locale, Grammar>> = { vi, en };
export const GRAMMARS: readonly Grammar[] = LOCALES.map((locale) => BY_LOCALE[locale]);

export const grammarOf = (locale: Locale): Grammar => BY_LOCALE[locale];

/** Phrases of all languages, folded; as a message spells them, too, whose homographs are told apart ("tối" is no "tới"). */
export function phrasesIn(of: (grammar: Grammar) => string): string[] {
  const found = GRAMMARS.flatMap((grammar) => {
    const told = of(grammar).replace(/\S+?(?=[\s,]|$)/g, (word) => grammar.homographs[word] || word);
    return [...split(of(grammar)), ...split(told)];
  });
  return [...new Set(found)];
}
