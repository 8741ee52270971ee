import type { Waiting } from '../backlog.ts';
import { DEAD_CAP, type DeadLetter } from '../dead-letters.ts';
import { STATE_MS } from '../store.ts';
import { type Box, dueAt, newBox } from './box.ts';

/** What a Redis would keep, for the stores of this process. */
export type Memory = ReturnType<typeof createMemory>;

export function createMemory(now: () => number = Date.now) {
  /** In order of last use, so that the expired are found first. */
  const boxes = new Map<string, Box>();
  /** Conversations that somebody must look at, and when. */
  const due = new Map<string, number>();
  /** Conversations whose outbox had to wait, and when its first reply was made. */
  const undelivered = new Map<string, number>();
  /** Conversations with operations that have no outcome. */
  const undecided = new Set<string>();
  const dead = new Map<string, DeadLetter>();
  /** In order of last use, too. */
  const customers = new Map<string, Customer>();

  /** The conversation's box, made if there is none, and marked as used. */
  function open(conversation: string): Box {
    const nowMs = now();
    expireOldest(nowMs);
    const box = boxes.get(conversation) ?? newBox(nowMs);
    box.usedMs = nowMs;
    boxes.delete(conversation);
    boxes.set(conversation, box);
    return box;
  }

  function expireOldest(nowMs: number): void {
    for (const [name, box] of boxes) {
      if (box.usedMs + STATE_MS > nowMs) return;
      if (due.has(name)) continue;
      boxes.delete(name);
      undecided.delete(name);
    }
  }

  /** Notes when the conversation is due now; those noted first are claimed first. */
  function arm(conversation: string, box: Box): void {
    const nowMs = now();
    const atMs = dueAt(box, nowMs);
    const beforeMs = due.get(conversation);
    const wasDue = beforeMs !== undefined && beforeMs <= nowMs;
    if (atMs === beforeMs || (wasDue && atMs === nowMs)) return;
    due.delete(conversation);
    if (atMs !== null) due.set(conversation, atMs);
  }

  function addDeadLetter(letter: DeadLetter): void {
    dead.set(letter.id, letter);
    for (const id of dead.keys()) {
      if (dead.size <= DEAD_CAP) return;
      dead.delete(id);
    }
  }

  function dropDeadLetters(conversation: string): void {
    for (const [id, letter] of dead) if (letter.conversation === conversation) dead.delete(id);
  }

  function backlog(): Waiting {
    const nowMs = now();
    const dueMs = [...due.values()].filter((atMs) => atMs <= nowMs);
    const since = (times: Iterable<number>): number => Math.max(0, ...[...times].map((atMs) => nowMs - atMs));
    const operations = [...undecided].flatMap((name) => [...(boxes.get(name)?.intents.values() ?? [])]);
    return {
      due: { count: dueMs.length, oldestMs: since(dueMs) },
      undeliveredMs: since(undelivered.values()),
      letters: dead.size,
      operationsMs: operations.map(({ atMs }) => nowMs - atMs),
    };
  }

  const indexes = { due, undelivered, undecided, dead };
  return { boxes, ...indexes, customers, now, open, arm, addDeadLetter, dropDeadLetters, backlog };
}

/** The operation that has the customer's lock, the records that settled earlier ones and those still to come: until when. */
export type Customer = {
  holder: { readonly operation: string; readonly untilMs: number } | null;
  readonly settled: Map<string, number>;
  readonly awaited: Map<string, number>;
  usedMs: number;
};
