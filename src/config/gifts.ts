import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Gift } from '../conversation/context.ts';
import { perLocale } from '../conversation/message.ts';

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

const giftsSchema = z.array(
  z.strictObject({
    code: codeSchema,
    name: z.strictObject(perLocale(() => nameSchema)),
    score: z.number().min(0, 'a number from 0'),
    description: z.strictObject(perLocale(() => lineSchema)).optional(),
    image: imageSchema.optional(),
    pickUp: z.strictObject(perLocale(() => lineSchema)).optional(),
  }),
);

function isImageUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '';
}

export type GiftsRead =
  | { readonly ok: true; readonly gifts: readonly Gift[] }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads the list of gifts; every fault names the place in the file. Never throws. */
export function readGifts(path: string): GiftsRead {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return {
      ok: false,
      faults: [`${path} cannot be read: ${error instanceof Error ? error.message : error}`],
    };
  }
  const read = giftsSchema.safeParse(content);
  if (!read.success) {
    return {
      ok: false,
      faults: read.error.issues.map((issue) => `${place(path, issue.path)}: ${issue.message}`),
    };
  }
  const codes = read.data.map((gift) => gift.code);
  const repeated = codes.flatMap((code, index) =>
    codes.indexOf(code) < index ? [`${place(path, [index, 'code'])}: ${code} is there already`] : [],
  );
  return repeated.length > 0 ? { ok: false, faults: repeated } : { ok: true, gifts: read.data };
}

/** `gifts.json[2].name.vi` */
function place(file: string, path: readonly PropertyKey[]): string {
  return file + path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}
