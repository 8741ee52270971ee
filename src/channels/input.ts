import { z } from 'zod';
import { LOCALES, type Locale, type Sender } from '../conversation/message.ts';
import type { ChannelTraits } from './channel.ts';

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

/** Who writes, as their client tells of them: its language tag, and a name that may be blank. */
export function senderOf(
  { name: channel, proof }: ChannelTraits,
  language: string | undefined,
  written: string,
): Sender {
  const name = cut(written.trim(), MAX_NAME);
  return { channel, proof, locale: localeOf(language), name: name === '' ? undefined : name };
}

/** What a button carries: `<choice id>~<view>`; the id alone where its question has no view. */
export function encodeChoice(id: string, view: string | undefined): string {
  return view === undefined ? id : `${id}~${view}`;
}

/**
 * The reverse. Anybody with a modified client can send any data: the conversation refuses an id that
 * no button has.
 */
export function decodeChoice(data: string): { choice: string; view?: string } {
  const at = data.lastIndexOf('~');
  return at < 0 ? { choice: data } : { choice: data.slice(0, at), view: data.slice(at + 1) };
}

/** The longest list of a platform's request that is read: Telegram marks at most 100 entities. */
const MAX_LIST = 100;

/** A list of outside data, cut before its items are looked at: zod takes long to say that 100,000 of them are wrong. */
export function shortList<Item extends z.ZodType>(item: Item) {
  const cutList = (value: unknown) => (Array.isArray(value) ? value.slice(0, MAX_LIST) : value);
  return z.preprocess(cutList, z.array(item));
}
