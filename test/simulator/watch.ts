import type { Reply } from '../../src/conversation/reply.ts';
import type { State } from '../../src/conversation/state.ts';
import { readMessage, readOutboxItem } from '../../src/engine/messages.ts';
import { type ConversationRecord, readRecord } from '../../src/engine/record.ts';
import { type Encryption, type Key, type RecordStore, versionOf } from '../../src/store/port.ts';
import { changeBetween } from '../support/changes.ts';
import type { Count, Kind } from './counts.ts';

/** A reply that a swap wrote into a conversation's outbox. */
type Promised = { readonly seq: number; readonly reply: Reply };

/** What a swap did to a conversation's record. */
export type RecordChange = {
  readonly name: string;
  readonly before: ConversationRecord | null;
  readonly after: ConversationRecord;
  /** Null where it is as before. */
  readonly state: State | null;
  readonly stateBefore: State | null;
  readonly promised: readonly Promised[];
  /** The id of the message that the change was decided from. */
  readonly answers: string | undefined;
};

/**
 * The store, below all faults; `onChange` hears of every swap that changed a conversation's record. It reads what was written
 * by `readRecord`, `readMessage` and `readOutboxItem`, and knows nothing else of the engine.
 */
export function watchRecords(
  store: RecordStore,
  options: {
    readonly encryption: Pick<Encryption, 'open'>;
    readonly count: Count;
    onChange(change: RecordChange): void;
  },
) {
  const { encryption, count, onChange } = options;
  /** As they were last read: a failover may have changed them since. */
  const known = new Map<Key, { readonly version: Buffer; readonly record: ConversationRecord }>();
  const keys = new Set<Key>();

  /** Null where there is none, or none that can be read. */
  function open(key: Key, bytes: Uint8Array | null): ConversationRecord | null {
    if (bytes === null) return null;
    const version = Buffer.from(versionOf(bytes));
    const seen = known.get(key);
    if (seen?.version.equals(version)) return seen.record;
    try {
      const record = readRecord(encryption.open(key, bytes));
      known.set(key, { version, record });
      return record;
    } catch {
      return null;
    }
  }

  const swap: RecordStore['compareAndSwap'] = async (key, next) => {
    keys.add(key);
    if (!key.startsWith('c:')) return store.compareAndSwap(key, next);
    const before = open(key, (await store.read(key)).bytes);
    const swapped = await store.compareAndSwap(key, next);
    if (!swapped.swapped) count('conflicts');
    const after = swapped.swapped ? open(key, next.bytes) : null;
    if (after === null || after === before) return swapped;
    const kind = kindOf(before, after);
    if (kind) count(kind);
    onChange({
      name: key.slice('c:'.length),
      before,
      after,
      ...statesOf(before, after),
      ...partsOf(before, after),
    });
    return swapped;
  };

  return {
    store: { ...store, compareAndSwap: swap },
    /** All that was ever written. */
    keys,
    recordOf: async (key: Key) => open(key, (await store.read(key)).bytes),
  };
}

/** The dialogue's state, as the record has it. */
export function stateOf(record: ConversationRecord | null): State | null {
  if (record?.state == null) return null;
  const { state }: { state: State } = JSON.parse(record.state);
  return state;
}

export const operationsIn = (record: ConversationRecord | null) => stateOf(record)?.operations ?? [];

function statesOf(before: ConversationRecord | null, after: ConversationRecord) {
  if (before?.state === after.state) return { state: null, stateBefore: null };
  return { state: stateOf(after), stateBefore: stateOf(before) };
}

function partsOf(before: ConversationRecord | null, { outbox }: ConversationRecord) {
  const earlier = new Set(before?.outbox.map(({ seq }) => seq));
  const items = outbox
    .filter(({ seq }) => !earlier.has(seq))
    .map(({ seq, body }) => ({ seq, item: readOutboxItem(body) }));
  const replies = items.flatMap(({ seq, item }) =>
    item.kind === 'reply' ? [{ seq, ...item.outgoing }] : [],
  );
  return {
    promised: replies.map(({ seq, reply }): Promised => ({ seq, reply })),
    answers: replies[0]?.turn ?? headOf(before),
  };
}

function headOf(before: ConversationRecord | null): string | undefined {
  const [head] = before?.inbox ?? [];
  try {
    return head && readMessage(head.body).id;
  } catch {
    return undefined;
  }
}

/** The ids of messages that a change stored. */
export function filedIn({ before, after, answers }: RecordChange): string[] {
  if (after.inSeq === (before?.inSeq ?? 0)) return [];
  const filed = after.inbox.filter(({ seq }) => seq > (before?.inSeq ?? 0)).map(({ id }) => id);
  return answers === undefined ? filed : [...filed, answers];
}

function kindOf(before: ConversationRecord | null, after: ConversationRecord): Kind | undefined {
  switch (changeBetween(before, after)) {
    case 'fused':
      return 'turns decided while filing';
    case 'commit':
      return (before?.inbox.length ?? 0) > after.inbox.length ? 'turns of the worker' : 'wake-ups';
    case 'intend':
      return 'intents';
    case 'take':
      return after.lease?.takeover ? 'take-overs' : 'claims';
    case 'release':
      if (after.outbox.length > 0) return 'replies put off';
      return after.lease === null && after.retry !== null && after.inbox.length > 0
        ? 'turns put off for a lock'
        : undefined;
    default:
      return undefined;
  }
}
