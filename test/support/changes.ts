import { type ConversationRecord, readRecord } from '../../src/engine/record.ts';
import type { Encryption, RecordStore, Swap } from '../../src/store/port.ts';

/** What a swap does to a record. */
export type Changed =
  | 'accept'
  | 'take'
  | 'renew'
  | 'intend'
  | 'commit'
  | 'release'
  | 'lock'
  | 'unlock'
  | 'fused'
  | 'other';

/** The store; `onChange` hears of each swap what it is about to do, and may throw or wait. */
export function watched(
  store: RecordStore,
  encryption: Encryption,
  onChange: (change: Changed, record: ConversationRecord | undefined) => unknown,
): RecordStore {
  const kept = new Map<string, Buffer>();
  return {
    ...store,
    async compareAndSwap(key, swap) {
      const record =
        swap.bytes && key.startsWith('c:') ? readRecord(encryption.open(key, swap.bytes)) : undefined;
      const pausing = onChange(changeOf(key, swap, kept.get(key), encryption), record);
      if (pausing instanceof Promise) await pausing;
      const swapped = await store.compareAndSwap(key, swap);
      if (swapped.swapped && swap.bytes) kept.set(key, encryption.open(key, swap.bytes));
      return swapped;
    },
  };
}

function changeOf(key: string, { bytes }: Swap, kept: Buffer | undefined, encryption: Encryption): Changed {
  if (bytes === null) return 'other';
  const plain = encryption.open(key, bytes);
  if (key.startsWith('u:')) return JSON.parse(plain.toString()).holder === null ? 'unlock' : 'lock';
  return changeBetween(kept ? readRecord(kept) : null, readRecord(plain));
}

/** What makes the one record of the other. */
export function changeBetween(before: ConversationRecord | null, after: ConversationRecord): Changed {
  if (after.inSeq !== (before?.inSeq ?? 0))
    return after.state === (before?.state ?? null) ? 'accept' : 'fused';
  if (after.lease === null) return 'release';
  if (after.lease.owner !== before?.lease?.owner) return 'take';
  if (after.lease.step === before.lease.step) return 'renew';
  if (Object.keys(after.journal).length > Object.keys(before.journal).length) return 'intend';
  return after.attempts === 0 && (after.state !== before.state || after.inbox.length < before.inbox.length)
    ? 'commit'
    : 'release';
}
