import { z } from 'zod';

/*
 * What version 1 wrote, as version 2 reads it. A process of version 1 may also file a message into a record of version 2
 * during a rolling update: it then writes its own fields beside those of version 2.
 */

const ENTRY_BYTES = 8;
const ID_BYTES = 6;

/** Version 1 kept message ids as 6 bytes of their hash and 2 bytes of the hour; version 2 writes the same as text. */
export function upgradeMemory(seen: Buffer): string[] {
  const ids: string[] = [];
  for (let at = 0; at + ENTRY_BYTES <= seen.length; at += ENTRY_BYTES) {
    const hash = seen.toString('base64url', at, at + ID_BYTES);
    ids.push(hash + seen.readUInt16BE(at + ID_BYTES).toString(36));
  }
  return ids;
}

const waitingSchema = z.looseObject({
  notBeforeMs: z.number().default(0),
  earliestMs: z.number().default(0),
  tried: z.looseObject({ times: z.number(), sinceMs: z.number() }).nullable().default(null),
  undeliveredMs: z.number().default(0),
});

/** Version 1 kept four fields for what `retry` says. */
export function upgradeRetry(envelope: object): object {
  if (!('notBeforeMs' in envelope || 'tried' in envelope || 'undeliveredMs' in envelope)) return envelope;
  const { notBeforeMs, earliestMs, tried, undeliveredMs, ...rest } = waitingSchema.parse(envelope);
  if (rest.retry !== undefined || (notBeforeMs === 0 && tried === null)) return rest;
  return {
    ...rest,
    retry: {
      ...{ atMs: notBeforeMs, earliestMs, reason: 'version 1' },
      ...{ tries: tried?.times ?? 0, sinceMs: tried?.sinceMs ?? 0, madeAtMs: undeliveredMs },
    },
  };
}
