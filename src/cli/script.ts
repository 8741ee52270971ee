import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { contentSchema } from '../channels/staff/request.ts';

/**
 * A conversation written down, to be had again: what the console saves and `npm run chat -- --replay` runs. Replies are
 * compared by their keys, never by wording.
 */
const sendSchema = contentSchema.extend({
  /** The button of the question that this step asked (from 0), instead of the live one's. */
  of: z.int().min(0).optional(),
});

/**
 * A message as the staff webhook takes it, without `conversation` and `id`. A `choice` that is the beginning of an
 * offered one's id is that one: `confirm` presses `confirm:<one-time id>`. `keys`: of its replies, in order; `later`: of
 * what the bot says unasked before the next step.
 */
const messageStep = z.strictObject({
  send: sendSchema,
  keys: z.array(z.string()),
  later: z.array(z.string()).optional(),
});

/** As `POST /sandbox/faults` takes it; the sandbox says what is wrong with it. */
const faultStep = z.strictObject({ fault: z.looseObject({ call: z.string(), fault: z.string() }) });

/** `POST /sandbox/reset`: codes used up by an earlier run are good again. */
const resetStep = z.strictObject({ reset: z.literal(true) });

export const scriptSchema = z.strictObject({
  about: z.string().optional(),
  steps: z.array(z.union([messageStep, faultStep, resetStep])).min(1),
});
export type Script = z.infer<typeof scriptSchema>;
export type MessageStep = z.infer<typeof messageStep>;

/** Rejects with what is wrong with the file, in words for people. */
export async function readScript(file: string): Promise<Script> {
  const read = scriptSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!read.success) throw new Error(`${file} is no script:\n${z.prettifyError(read.error)}`);
  return read.data;
}
