import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Recorded or stored samples of a kind, a JSON object a line; `file` is relative to `test/`. */
export function readSamples<T extends z.ZodType>(file: string, schema: T): readonly z.infer<T>[] {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => schema.parse(JSON.parse(line)));
}

/** What a platform sent, and what it is read as: a kind of message, or null where nobody speaks to the bot. */
export const recordedSchema = z.object({ name: z.string(), says: z.string().nullable(), sent: z.unknown() });

/** What a version of the bot stored. */
export const storedSchema = z.object({ name: z.string(), body: z.unknown() });
