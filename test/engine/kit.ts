import { randomBytes } from 'node:crypto';
import type { PhotoReader } from '../../src/conversation/message.ts';
import { Lease } from '../../src/engine/leases.ts';
import type { ConversationRecord } from '../../src/engine/record.ts';
import { accept, type Filing } from '../../src/engine/transitions.ts';
import type { Sealer } from '../../src/engine/versioned-records.ts';
import { incoming } from './bot.ts';

export const NOW = 1_800_000_000_000;
export const LEASE = 15_000;

/** Seals nothing: the version is random all the same. Bytes that say so cannot be opened. */
export const openSealer: Sealer = {
  seal: (_, plain) => Buffer.concat([Buffer.of(0), randomBytes(12), plain]),
  open(_, sealed) {
    if (sealed[13] === 0xff) throw new Error('broken');
    return Buffer.from(sealed.subarray(13));
  },
};

export const taking = (owner = 'owner') => ({ owner, leaseMs: LEASE });

export function filing(id: string, over: Partial<Filing> = {}): Filing {
  return { id, deliveryId: `delivery of ${id}`, body: { text: id }, ...over };
}

/** A record with a message of that id, whose lease `owner` has. */
export function leased(id = 'm1', nowMs = NOW): { record: ConversationRecord; lease: Lease } {
  const { record, answer } = accept(filing(id, { take: taking() }))(null, nowMs);
  if (record === null || answer !== 'leased') throw new Error(answer);
  return { record, lease: new Lease('name', { record, nowMs, aliveUntilMs: 0 }) };
}

/** Takes the bytes for what a code says. */
export const READER: PhotoReader = {
  read: async (bytes) => ({ kind: 'read', texts: [Buffer.from(bytes).toString()] }),
  close: async () => {},
};

export const photoOf = (...files: string[]) =>
  incoming('', { message: { kind: 'photo', pictures: files.map((at) => ({ kind: 'remote', at })) } });
