import type { ConversationRecord } from '../../src/engine/record.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import { openRecord } from '../../src/records/versioned-records.ts';
import type { Encryption, RecordStore, Swap } from '../../src/store/port.ts';

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

/** The store; `onChange` hears of each swap what it is about to do, and may throw. */
export function watched(
  store: RecordStore,
  encryption: Encryption,
  onChange: (change: Changed) => void,
): RecordStore {
  const kept = new Map<string, ConversationRecord>();
  return {
    ...store,
    async compareAndSwap(key, swap) {
      const { bytes } = swap;
      const name = key.slice(2);
      const record =
        bytes && key.startsWith('c:') ? openRecord(CONVERSATION, encryption, { name, bytes }) : undefined;
      onChange(record ? changeBetween(kept.get(key) ?? null, record) : lockOf(key, swap, encryption));
      const swapped = await store.compareAndSwap(key, swap);
      if (swapped.swapped && record) kept.set(key, record);
      return swapped;
    },
  };
}

function lockOf(key: string, { bytes }: Swap, encryption: Encryption): Changed {
  if (bytes === null) return 'other';
  return JSON.parse(encryption.open(key, bytes).toString()).holder === null ? 'unlock' : 'lock';
}

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
