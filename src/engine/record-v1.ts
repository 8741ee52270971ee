import { z } from 'zod';

/*
 * Reads what version 1 wrote. During a rolling update a process of version 1 may also file a message into a
 * record of version 2: then the record has the fields of both.
 */

/** An id as it is remembered: characters of its hash, then of its hour. */
export const ID_CHARS = 10;
export const HOUR_CHARS = 2;

export const toHour = (hours: number): string => (hours & 1023).toString(32).padStart(HOUR_CHARS, '0');

const ENTRY_BYTES = 8;
const HASH_BYTES = 6;

/** Version 1 kept ids as 6 bytes of their hash and 2 bytes of the hour. */
export function upgradeIds(seen: Buffer): string {
  let ids = '';
  for (let at = 0; at + ENTRY_BYTES <= seen.length; at += ENTRY_BYTES) {
    ids += seen.toString('base64url', at, at + HASH_BYTES) + toHour(seen.readUInt16BE(at + HASH_BYTES));
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
      atMs: notBeforeMs,
      earliestMs,
      reason: 'version 1',
      tries: tried?.times ?? 0,
      sinceMs: tried?.sinceMs ?? 0,
      madeAtMs: undeliveredMs,
    },
  };
}
