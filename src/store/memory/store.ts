import { randomUUID } from 'node:crypto';
import type { Kept } from '../inspection.ts';
import type { Intended } from '../journal.ts';
import {
  type Accepted,
  type Change,
  type Committed,
  DEDUPE_IDS,
  type Lease,
  NEVER_TRIED,
  type NewMessage,
  type Next,
  type Wait,
  type Work,
} from '../mailbox.ts';
import { type ConversationStore, STORE_DEFAULTS, type StoreOptions } from '../store.ts';
import { type Box, hasWork, holds, isFree, knowsMark, next, take, workOf } from './box.ts';
import { memoryLocks } from './locks.ts';
import { createMemory, type Memory } from './memory.ts';

/**
 * The embedded store: all in this process's memory, gone with it. Every method runs without an await, hence atomically.
 * Stores that share a `memory` behave as processes that share a Redis.
 */
export function createMemoryStore(
  options: StoreOptions = {},
  memory: Memory = createMemory(),
): ConversationStore {
  const { leaseMs, lockMs, settledMs, dedupeMs, mailboxCap, schema } = { ...STORE_DEFAULTS, ...options };
  const { now } = memory;

  function accept({ conversation, id, body, nonce, take: wanted, uncapped }: NewMessage): Accepted {
    const nowMs = now();
    const box = memory.open(conversation);
    const before = box.seen.get(id);
    if (before !== undefined && before.atMs + dedupeMs > nowMs) {
      if (before.nonce !== nonce) return { kind: 'duplicate' };
      const mine = box.leaseUntilMs !== null && box.nonce === nonce;
      return mine ? { kind: 'leased', work: workOf(conversation, box, nowMs) } : { kind: 'queued' };
    }

    if (box.refused === nonce) return { kind: 'full' };
    if (!uncapped && box.queue.length >= mailboxCap) {
      box.dropped += 1;
      box.refused = nonce;
      return { kind: 'full' };
    }
    remember(box, id, { nonce, atMs: nowMs });
    box.lastQueued += 1;
    box.queue.push({ seq: box.lastQueued, body });
    box.schema = Math.max(box.schema, schema);
    box.notBeforeMs = Math.min(box.notBeforeMs, box.earliestMs);
    const work =
      wanted && box.schema <= schema && isFree(box, nowMs) ? lease(conversation, box, nonce) : null;
    memory.arm(conversation, box);
    return work === null ? { kind: 'queued' } : { kind: 'leased', work };
  }

  const lease = (conversation: string, box: Box, nonce: string): Work =>
    take(conversation, box, nonce, now(), leaseMs);

  function claim(room: number): Work[] {
    const nowMs = now();
    const works: Work[] = [];
    for (const [conversation, atMs] of memory.due) {
      if (works.length >= room) break;
      const box = memory.boxes.get(conversation);
      if (atMs > nowMs || box === undefined || box.schema > schema) continue;
      box.schema = Math.max(box.schema, schema);
      works.push(lease(conversation, box, randomUUID()));
      memory.arm(conversation, box);
    }
    return works;
  }

  function renew(held: Lease): boolean {
    const box = memory.boxes.get(held.conversation);
    if (!holds(box, held)) return false;
    box.leaseUntilMs = now() + leaseMs;
    memory.arm(held.conversation, box);
    return true;
  }

  function intend(held: Lease, operation: string, body: Buffer): Intended {
    const box = memory.boxes.get(held.conversation);
    if (!holds(box, held) || !knowsMark(box, held)) return { kind: 'stale' };
    const stored = box.intents.get(operation);
    if (stored === undefined) {
      box.intents.set(operation, { fence: held.fence, atMs: now(), body });
      memory.undecided.add(held.conversation);
      return { kind: 'go' };
    }
    const resent = stored.fence === held.fence && stored.body.equals(body);
    return resent ? { kind: 'go' } : { kind: 'stored', body: stored.body };
  }

  function commit(held: Lease, change: Change): Committed | false {
    const box = memory.boxes.get(held.conversation);
    if (!holds(box, held)) return false;
    const last = box.committed;
    if (last?.fence === held.fence && last.version === change.version) return { firstSeq: last.firstSeq };
    if (box.version !== change.version || !knowsMark(box, held)) return false;

    const nowMs = now();
    const firstSeq = box.lastOut + 1;
    for (const body of change.outbox) {
      box.lastOut += 1;
      box.outbox.push({ seq: box.lastOut, body });
    }
    if (change.consumed !== null && box.queue[0]?.seq === change.consumed) box.queue.shift();
    for (const operation of change.settled) box.intents.delete(operation);
    if (box.intents.size === 0) memory.undecided.delete(held.conversation);
    if (change.forget) {
      memory.dropDeadLetters(held.conversation);
      box.aside = [];
    }
    if (change.aside) box.aside.push(change.aside);
    for (const letter of change.dead ?? []) {
      memory.addDeadLetter({ id: randomUUID(), conversation: held.conversation, atMs: nowMs, ...letter });
    }
    box.state = change.state;
    box.schema = Math.max(box.schema, schema);
    box.knew = box.lastQueued;
    box.committed = { fence: held.fence, version: box.version, firstSeq };
    box.version += 1;
    box.wakeAtMs = change.wakeAtMs;
    box.expired = 0;
    box.handedBy = null;
    box.dropped -= box.told;
    box.told = 0;
    return { firstSeq };
  }

  function release(
    held: Lease,
    sentSeq: number,
    wait: Wait | undefined,
    nonce: string = randomUUID(),
  ): Next | null {
    const box = memory.boxes.get(held.conversation);
    if (!holds(box, held)) return null;
    const nowMs = now();
    if ((box.outbox[0]?.seq ?? sentSeq + 1) <= sentSeq) box.knew = box.lastQueued;
    box.outbox = box.outbox.filter((entry) => entry.seq > sentSeq);
    if (box.outbox.length === 0) memory.undelivered.delete(held.conversation);
    else if (wait?.madeAtMs !== undefined) memory.undelivered.set(held.conversation, wait.madeAtMs);
    const more = box.outbox.length === 0 && hasWork(box, nowMs);
    if (wait === undefined && more && box.schema <= schema) {
      if (box.handedBy !== null && box.handedBy !== nonce) box.expired += 1;
      box.handedBy = nonce;
      box.mark = nonce;
      return next(box, nowMs);
    }
    box.leaseUntilMs = null;
    box.takeover = false;
    const { afterMs = 0, leastMs = afterMs, tried = NEVER_TRIED }: Partial<Wait> = wait ?? {};
    box.notBeforeMs = nowMs + afterMs;
    box.earliestMs = nowMs + leastMs;
    box.tried = tried;
    memory.arm(held.conversation, box);
    return null;
  }

  function peek(conversation: string): Kept | null {
    const box = memory.boxes.get(conversation);
    if (box === undefined) return null;
    const { state, queue, outbox, leaseUntilMs } = box;
    const nowMs = now();
    const leasedUntilMs = leaseUntilMs !== null && leaseUntilMs > nowMs ? leaseUntilMs : null;
    return { state, messages: queue.map(bodyOf), outbox: outbox.map(bodyOf), leasedUntilMs, nowMs };
  }

  return {
    accept: async (message) => accept(message),
    claim: async (room) => claim(room),
    renew: async (held) => renew(held),
    intend: async (held, operation, body) => intend(held, operation, body),
    recall: async (conversation, operation) =>
      memory.boxes.get(conversation)?.intents.get(operation)?.body ?? null,
    commit: async (held, change) => commit(held, change),
    release: async (held, sentSeq, wait, nonce) => release(held, sentSeq, wait, nonce),
    peek: async (conversation) => peek(conversation),
    ...memoryLocks(memory, { lockMs, settledMs }),
    async *intents() {
      for (const [conversation, box] of memory.boxes) {
        for (const [operation, { atMs, body }] of box.intents) yield { conversation, operation, atMs, body };
      }
    },
    async *deadLetters() {
      yield* memory.dead.values();
    },
    async takeDeadLetter(id) {
      const letter = memory.dead.get(id) ?? null;
      memory.dead.delete(id);
      return letter;
    },
    backlog: async () => memory.backlog(),
    health: async () => [],
    close: async () => {},
  };
}

const bodyOf = ({ body }: { readonly body: Buffer }): Buffer => body;

/** Keeps the last `DEDUPE_IDS` ids. */
function remember(box: Box, id: string, seen: { nonce: string; atMs: number }): void {
  box.seen.delete(id);
  box.seen.set(id, seen);
  if (box.seen.size <= DEDUPE_IDS) return;
  for (const oldest of box.seen.keys()) {
    box.seen.delete(oldest);
    return;
  }
}
