import type { Reply } from '../../src/conversation/reply.ts';
import type { Operation } from '../../src/conversation/state.ts';
import { readOutboxItem } from '../../src/engine/messages.ts';
import { type ConversationRecord, readRecord } from '../../src/engine/record.ts';
import type { Encryption } from '../../src/store/encryption.ts';
import { type Key, type RecordStore, versionOf } from '../../src/store/port.ts';
import { changeBetween } from '../support/changes.ts';
import type { Count, Kind } from './counts.ts';

/** A reply that a swap wrote into a conversation's outbox. */
export type Promised = { readonly seq: number; readonly reply: Reply; readonly turn: string | undefined };

/** What a swap did to a conversation's record. */
export type RecordChange = {
  readonly name: string;
  readonly before: ConversationRecord | null;
  readonly after: ConversationRecord;
  readonly promised: readonly Promised[];
};

/**
 * The store, below all faults; `onChange` hears of every swap that changed a conversation's record. It reads what was written
 * by `readRecord` and `readOutboxItem`, and knows nothing else of the engine.
 */
export function watchRecords(
  store: RecordStore,
  options: {
    readonly encryption: Pick<Encryption, 'open'>;
    readonly count: Count;
    onChange(change: RecordChange): void;
  },
): RecordStore {
  const { encryption, count, onChange } = options;
  /** As they were last read, by key: a failover may have changed them since. */
  const known = new Map<Key, { readonly version: Buffer; readonly record: ConversationRecord }>();

  function open(key: Key, bytes: Uint8Array): ConversationRecord | null {
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

  return {
    ...store,
    async compareAndSwap(key, swap) {
      if (!key.startsWith('c:') || swap.bytes === null) return store.compareAndSwap(key, swap);
      const { bytes } = await store.read(key);
      const before = bytes && open(key, bytes);
      const swapped = await store.compareAndSwap(key, swap);
      if (!swapped.swapped) count('conflicts');
      const after = swapped.swapped ? open(key, swap.bytes) : null;
      if (after === null || after === before) return swapped;
      const promised = promisedIn(before, after);
      const kind = kindOf(before, after);
      if (kind) count(kind);
      onChange({ name: key.slice('c:'.length), before, after, promised });
      return swapped;
    },
  };
}

function promisedIn(before: ConversationRecord | null, { outbox }: ConversationRecord): Promised[] {
  const earlier = new Set(before?.outbox.map(({ seq }) => seq));
  return outbox
    .filter(({ seq }) => !earlier.has(seq))
    .flatMap(({ seq, body }) => {
      const item = readOutboxItem(body);
      return item.kind === 'reply' ? [{ seq, reply: item.outgoing.reply, turn: item.outgoing.turn }] : [];
    });
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
      return after.outbox.length > 0 ? 'replies put off' : undefined;
    default:
      return undefined;
  }
}

/** The operations of a state, as far as the record has one. */
function operationsIn(record: ConversationRecord | null): readonly Operation[] {
  if (record?.state == null) return [];
  const { state }: { state: { operations: Operation[] } } = JSON.parse(record.state);
  return state.operations;
}

/**
 * Operations whose status a change settled without a reply, in the same change, whose key says so: the customer would
 * never hear of it, or hear something else.
 */
export function untoldIn({ before, after, promised }: RecordChange): readonly Operation[] {
  if (before?.state === after.state) return [];
  const earlier = new Map(operationsIn(before).map((operation) => [operation.id, operation.status]));
  return operationsIn(after).filter((operation) => {
    const was = earlier.get(operation.id);
    // It was told already, before the last look.
    if (was === operation.status || was === 'watching') return false;
    return !promised.some(({ reply }) => tells(reply, operation, was));
  });
}

/** Whether a reply tells how that operation stands. */
function tells(
  { key, context, params }: Reply,
  { id, kind, status }: Operation,
  was: Operation['status'] | undefined,
): boolean {
  const isTheirs = params?.reference === id;
  // Several codes of one confirmation are told together.
  const isPartly = was === undefined && key === `${kind}.partly`;
  const isSettled = isPartly || (isTheirs && key === 'operation.resolved.notApplied');
  switch (status) {
    case 'done':
      return (
        isPartly ||
        (was === undefined && key === `${kind}.done`) ||
        (isTheirs && key === 'operation.resolved.done')
      );
    case 'refused':
      return isSettled || (was === undefined && key === `${kind}.refused`);
    case 'notApplied':
    case 'watching':
      return isSettled;
    case 'checking':
      return key === 'operation.checking' && (isTheirs || context === 'several');
    case 'escalated':
      return isTheirs && key === 'operation.escalated';
  }
}
