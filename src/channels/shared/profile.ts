import { LOCALES, type Locale } from '../../conversation/message.ts';

/** Our language for a client's language tag (BCP 47); undefined where we do not speak it. */
export function localeOf(tag: string | undefined): Locale | undefined {
  const language = tag?.slice(0, 2).toLowerCase();
  return LOCALES.find((locale) => locale === language);
}

/** At most `max` UTF-16 units, never half a character. */
export function cut(text: string, max: number): string {
  return (text.length > max ? text.slice(0, max) : text).toWellFormed();
}

/** Longest name taken over from a profile, in characters. */
export const MAX_NAME = 100;
