import { existsSync, readFileSync } from 'node:fs';
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

const storedSchema = z.object({ name: z.string(), body: z.looseObject({ v: z.number() }) });

/** What a version of the bot stored, by name. Its file has only the samples that the version before stored otherwise. */
export function readStoredSamples(kind: 'states' | 'bodies', version: number): ReadonlyMap<string, unknown> {
  const samples = new Map<string, z.infer<typeof storedSchema>['body']>();
  for (let v = 1; v <= version; v++) {
    for (const [name, body] of samples) samples.set(name, { ...body, v });
    const file = `${kind}/${v}.jsonl`;
    if (!existsSync(new URL(`../${file}`, import.meta.url))) continue;
    for (const { name, body } of readSamples(file, storedSchema)) samples.set(name, body);
  }
  return samples;
}
