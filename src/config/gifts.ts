import { z } from 'zod';
import type { Gift } from '../conversation/context.ts';
import { perLocale } from '../conversation/message.ts';
import { type ListRead, readList } from './list-file.ts';

/** `~` ends a choice id on a button (docs/configuration.md), and 40 characters leave room for the rest of Telegram's 64 bytes. */
const codeSchema = z.string().regex(/^[!-}]{1,40}$/, '1–40 visible ASCII characters, none of them ~');
const nameSchema = z.string().trim().min(1, 'a name').max(100, 'at most 100 characters');
/** One line beside others: longer params are cut (`src/i18n.ts`). */
const lineSchema = z.string().trim().min(1, 'a text').max(200, 'at most 200 characters');
/** Platforms fetch it: over http, or with a password in it, they would not, or everybody could read that. */
const imageSchema = z
  .string()
  .max(1000, 'at most 1000 characters')
  .refine(isImageUrl, 'an https URL without a password');

const giftSchema = z.strictObject({
  code: codeSchema,
  name: z.strictObject(perLocale(() => nameSchema)),
  score: z.number().min(0, 'a number from 0'),
  description: z.strictObject(perLocale(() => lineSchema)).optional(),
  image: imageSchema.optional(),
  pickUp: z.strictObject(perLocale(() => lineSchema)).optional(),
});

function isImageUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '';
}

/** Reads the list of gifts. */
export const readGifts = (path: string): ListRead<Gift> => readList(path, giftSchema, 'code');
