import type { State } from '../../src/conversation/state.ts';
import type { OutboxItem } from '../../src/engine/messages.ts';
import { type ConversationRecord, newRecord } from '../../src/engine/record.ts';
import { CONVERSATION, UNDELIVERED } from '../../src/engine/transitions.ts';
import { openRecord } from '../../src/records/versioned-records.ts';
import type { Key, RecordStore } from '../../src/store/port.ts';
import { changeBetween } from '../support/changes.ts';
import { type Kind, NAMED } from './counts.ts';
import type { World } from './world.ts';

/** Lengths before a record's parts (`writeRecord`), and what it leaves out. */
const HEADER_BYTES = 6;
const EMPTY = newRecord(0);

/** What a swap did to a conversation's record. */
export type RecordChange = ReturnType<typeof changeOf>;

/** The store below all faults. `onChange` is called with each swap that changed a conversation's record. */
export function watchRecords(
  store: RecordStore,
  { encryption, count }: World,
  onChange: (change: RecordChange) => void,
) {
  /** Records by their bytes, which stay the same object in memory. */
  const known = new WeakMap<Uint8Array, ConversationRecord | null>();
  const keys = new Set<Key>();

  /** Null where there is none, or none that can be read. */
  function peek(key: Key, bytes: Uint8Array | null): ConversationRecord | null {
    if (bytes === null || !key.startsWith('c:')) return null;
    let record = known.get(bytes);
    if (record !== undefined) return record;
    try {
      record = openRecord(WRITTEN, encryption, { name: key.slice('c:'.length), bytes });
    } catch {
      record = null;
    }
    known.set(bytes, record);
    return record;
  }

  const swap: RecordStore['compareAndSwap'] = async (key, next) => {
    keys.add(key);
    if (!key.startsWith('c:')) return store.compareAndSwap(key, next);
    const before = peek(key, (await store.read(key)).bytes);
    const swapped = await store.compareAndSwap(key, next);
    if (!swapped.swapped) count('conflicts');
    const after = swapped.swapped ? peek(key, next.bytes) : null;
    if (after === null || after === before) return swapped;
    const kind = kindOf(before, after);
    if (kind) count(kind);
    onChange(changeOf(key, before, after));
    return swapped;
  };

  return {
    store: { ...store, compareAndSwap: swap },
    /** All that was ever written. */
    keys,
    recordOf: async (key: Key) => peek(key, (await store.read(key)).bytes),
    peek,
  };
}

export type Watched = ReturnType<typeof watchRecords>;

/**
 * Reads a record that this history's engine wrote. `readRecord` would check each part, and take most of the
 * simulator's time.
 */
function readWritten(plain: Buffer): ConversationRecord {
  const stateAt = HEADER_BYTES + plain.readUInt32BE(0) + plain.readUInt16BE(4);
  const envelope: Partial<ConversationRecord> = JSON.parse(plain.toString('utf8', HEADER_BYTES, stateAt));
  const state = stateAt === plain.length ? null : plain.toString('utf8', stateAt);
  return { ...EMPTY, ...envelope, state };
}

const WRITTEN = { ...CONVERSATION, read: readWritten };

/** The dialogue's state, as the record has it. */
export function stateOf(record: ConversationRecord | null): State | null {
  if (record?.state == null) return null;
  const { state }: { state: State } = JSON.parse(record.state);
  return state;
}

export const operationsIn = (record: ConversationRecord | null) => stateOf(record)?.operations ?? [];

function changeOf(key: Key, before: ConversationRecord | null, after: ConversationRecord) {
  const isNew = before?.state !== after.state;
  const earlier = new Set(before?.outbox.map(({ seq }) => seq));
  const promised = after.outbox.flatMap(({ seq, body }) => {
    const item = earlier.has(seq) ? undefined : itemOf(body);
    return item?.kind === 'reply' ? [{ seq, ...item.outgoing }] : [];
  });
  return {
    key,
    before,
    after,
    /** Null where it is as before. */
    state: isNew ? stateOf(after) : null,
    stateBefore: isNew ? stateOf(before) : null,
    /** The replies that it wrote into the outbox. */
    promised,
    /** The id of the message that it was decided from. */
    answers: promised[0]?.turn ?? before?.inbox[0]?.id,
  };
}

/** An item that this history's engine wrote, read without the checks of `readOutboxItem`. */
const itemOf = (body: unknown): OutboxItem => Object(body);

/** The operations that a change leaves to be unlocked: they have an outcome. */
export const unlockedIn = ({ after }: RecordChange): readonly string[] =>
  after.outbox.flatMap(({ body }) => {
    const item = itemOf(body);
    return item.kind === 'unlock' ? [item.operation] : [];
  });

/** The receipts that a change made letters of, by their numbers. */
export function keptIn({ before, after }: RecordChange) {
  const earlier = new Set(before?.dead.map(({ id }) => id));
  return after.dead.flatMap(({ id, reason, body }) => {
    const item = reason === UNDELIVERED && !earlier.has(id) ? itemOf(body) : undefined;
    return item?.kind === 'reply'
      ? [{ seq: Number(id.slice('reply-'.length)), outgoing: item.outgoing }]
      : [];
  });
}

/** When the first reply that waits was made. */
export function madeMsOf({ outbox: [first] }: ConversationRecord): number | undefined {
  const item = first && itemOf(first.body);
  return item?.kind === 'reply' ? item.outgoing.atMs : undefined;
}

/** The ids of messages that a change stored. */
export function filedIn({ before, after, answers }: RecordChange): string[] {
  if (after.inSeq === (before?.inSeq ?? 0)) return [];
  const filed = after.inbox.filter(({ seq }) => seq > (before?.inSeq ?? 0)).map(({ id }) => id);
  return answers === undefined ? filed : [...filed, answers];
}

function kindOf(before: ConversationRecord | null, after: ConversationRecord): Kind | undefined {
  const { inbox, lease, outbox, retry } = after;
  const changed = changeBetween(before, after);
  if (changed === 'fused') return 'turns decided while filing';
  if (changed === 'commit')
    return (before?.inbox.length ?? 0) > inbox.length ? 'turns of the worker' : 'wake-ups';
  if (changed === 'intend') return 'intents';
  if (changed === 'take') return lease?.takeover ? 'take-overs' : 'claims';
  if (changed !== 'release') return undefined;
  if (outbox.length > 0) return NAMED[retry?.reason ?? ''] ?? 'replies put off';
  return lease === null && retry !== null && inbox.length > 0 ? 'turns put off for a lock' : undefined;
}
