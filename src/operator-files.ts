import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Gift } from './conversation/context.ts';
import type { Answer } from './conversation/language/interpret.ts';
import { fold } from './conversation/language/tokens.ts';
import { LOCALES, type Locale, localizedSchema, perLocale } from './conversation/message.ts';
import './fault-words.ts';

/* The JSON lists that operators write (docs/configuration.md). Each schema turns a path into entries. */

const localized = (most: number) => localizedSchema(z.string().trim().min(1).max(most));

const giftSchema: z.ZodType<Gift> = z.strictObject({
  // `~` ends a choice id on a button, of which Telegram takes 64 bytes.
  code: z.string().regex(/^[!-}]{1,40}$/, 'Wants 1–40 visible ASCII characters, none of them ~'),
  name: localized(100),
  score: z.number().min(0),
  description: localized(200).optional(),
  // Platforms fetch it: they refuse http, and a password in it would be public.
  image: z
    .url({ protocol: /^https$/, error: 'Wants an https URL' })
    .regex(/^[^@]{1,1000}$/, 'Wants at most 1000 characters, without a password')
    .optional(),
  pickUp: localized(200).optional(),
});

const question = z
  .string()
  .max(200)
  .refine((text) => fold(text) !== '', 'Wants a question');

/** An operator's answer; `lacks`: its languages that get the text of another one. */
export type OperatorAnswer = Answer & { readonly lacks: readonly Locale[] };

const answerText = z.string().trim().min(1).max(1000);

/** One language is enough: customers of another one get that text. */
const answerTexts = z.strictObject(perLocale(() => answerText.optional())).transform((texts, context) => {
  const [first] = LOCALES.flatMap((locale) => texts[locale] ?? []);
  if (first !== undefined) {
    const lacks = LOCALES.filter((locale) => texts[locale] === undefined);
    return { answer: perLocale((locale) => texts[locale] ?? first), lacks };
  }
  context.addIssue({ code: 'custom', message: `Wants a text in ${LOCALES.join(' or ')}` });
  return z.NEVER;
});

const answerSchema = z
  .strictObject({
    // A label of a metric, where `none` counts the questions without an answer.
    id: z
      .string()
      .regex(/^(?!none$)[a-z][a-z\d.-]{0,39}$/, 'Wants 1–40 of a–z 0–9 . -, a letter first, not "none"'),
    asks: z
      .strictObject(perLocale(() => z.array(question).max(50).readonly().default([])))
      .refine((asks) => Object.values(asks).flat().length > 0, 'Wants a question at least')
      // A built-in answer brings its questions.
      .optional(),
    answer: answerTexts,
  })
  .transform(({ answer, ...entry }): OperatorAnswer => ({ ...entry, ...answer }));

/** `GIFTS_FILE`. */
export const giftsFile = listIn(z.array(giftSchema).max(1000), ({ code }) => code);
/** Limited: each answer is compared with every question, and is a series of a metric. */
export const answersFile = listIn(z.array(answerSchema).max(100), ({ id }) => id);

/** Each issue names its place: `gifts.json[2].name.vi: …`. Keys must be unique. */
function listIn<Item>(
  schema: z.ZodType<Item[]>,
  keyOf: (item: Item) => string,
): z.ZodType<readonly Item[], string> {
  const read = (path: string, context: z.RefinementCtx<string>): readonly Item[] => {
    const fail = (message: string): void => context.addIssue({ code: 'custom', message });
    try {
      const read = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
      for (const issue of read.error?.issues ?? [])
        fail(`${path}${z.core.toDotPath(issue.path)}: ${issue.message}`);
      const keys = (read.data ?? []).map(keyOf);
      for (const [index, key] of keys.entries())
        if (keys.indexOf(key) < index) fail(`${path}[${index}]: ${key} is there already`);
      return read.data ?? [];
    } catch (error) {
      fail(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
      return [];
    }
  };
  return z.string().transform(read).describe('the path of a JSON file');
}
