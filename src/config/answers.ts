import { z } from 'zod';
import type { Answer } from '../conversation/language/answers.ts';
import { fold } from '../conversation/language/fold.ts';
import { perLocale } from '../conversation/message.ts';
import { type ListRead, readList } from './list-file.ts';

/** A label of a metric (`bot_questions_total`), in which `none` counts the questions that nothing answered. */
const idSchema = z
  .string()
  .regex(/^(?!none$)[a-z][a-z\d.-]{0,39}$/, '1–40 of a–z 0–9 . -, a letter first, not "none"');
const askSchema = z
  .string()
  .max(200, 'at most 200 characters')
  .refine((ask) => fold(ask) !== '', 'a question');
const asksSchema = z.array(askSchema).max(50, 'at most 50 questions').readonly();

const answerSchema = z.strictObject({
  id: idSchema,
  asks: z
    .strictObject(perLocale(() => asksSchema))
    .refine((asks) => Object.values(asks).some((all) => all.length > 0), 'a question at least'),
  answer: z.strictObject(
    perLocale(() => z.string().trim().min(1, 'a text').max(1000, 'at most 1000 characters')),
  ),
});

/** Reads the operator's answers. */
export function readAnswers(path: string): ListRead<Answer> {
  const read = readList(path, answerSchema, 'id');
  return read.ok && read.items.length > MAX_ANSWERS
    ? { ok: false, faults: [`${path}: at most ${MAX_ANSWERS} answers`] }
    : read;
}

/** Each is compared with every question, and has a series of the metric. */
const MAX_ANSWERS = 100;
