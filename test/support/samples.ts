import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { BEFORE_RELEASE } from '../../src/engine/before-release.ts';

/** Recorded or stored samples of a kind, a JSON object a line; `file` is relative to `test/`. */
export function readSamples<T extends z.ZodType>(file: string, schema: T): readonly z.infer<T>[] {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => schema.parse(JSON.parse(line)));
}

/**
 * What a platform sent, and what it is read as: a kind of message, or null where nobody speaks to the bot.
 */
export const recordedSchema = z.object({ name: z.string(), says: z.string().nullable(), sent: z.unknown() });

const sampleSchema = z.object({ name: z.string(), body: z.looseObject({}) });

/** A body that some version of the bot stored, and its name. */
export type StoredSample = { readonly name: string; readonly body: object };

/** What a version of the bot stored, by name; 0: before the first release (commit c39e2bff). */
export function readStoredSamples(
  kind: 'states' | 'bodies',
  version: number,
): ReadonlyMap<string, Record<string, unknown>> {
  const file = version === BEFORE_RELEASE ? 'before-release' : String(version);
  const samples = readSamples(`${kind}/${file}.jsonl`, sampleSchema);
  return new Map(samples.map(({ name, body }) => [name, body]));
}
