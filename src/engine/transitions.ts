import { hash } from 'node:crypto';
import { VERSION } from '../conversation/state.ts';
import type { IndexEntry, RecordKind, Transition } from '../records/versioned-records.ts';
import { isIndex, writeMember } from '../store/port.ts';
import type { Failure, StoredState } from './messages.ts';
import {
  type ConversationRecord,
  type DeadLetter,
  type FailedNote,
  HOUR_CHARS,
  ID_CHARS,
  type InboxMessage,
  newRecord,
  type OutboxEntry,
  type RequestedEntry,
  type Retry,
  readRecord,
  toHour,
  writeRecord,
} from './record.ts';

/*
 * Everything that can happen to a conversation's record, as pure functions. Each is idempotent: applied to a
 * record that has its effect already, it changes nothing and answers as before. It returns the very same
 * record if nothing is to be written.
 *
 * `accept`, `take`, `renew` and `takeLetter` decide from the record alone, so they may be applied again to
 * any record. A lease holder decides its change from an older record, so that change also names its
 * `Basis`. Time decides who may try to take a lease; no promise depends on time.
 */

export type ConversationTransition<Answer> = Transition<ConversationRecord, Answer>;

/**
 * What the lease holder decided a change from: the lease as it was, and the message at the head; null: it
 * depends on no message. The change is refused if the lease or that message is another one.
 */
export type Basis = {
  readonly record: Pick<ConversationRecord, 'lease'>;
  readonly head: Pick<InboxMessage, 'mark'> | null;
};

/** Who takes a lease, and for how long. */
export type LeaseRequest = { readonly owner: string; readonly leaseMs: number };

export const MAX_INBOX = 50;
const MAX_INBOX_BYTES = 64 * 1024;
const MAX_LETTERS = 20;
/** As many as messages are kept of all tickets of a conversation. */
const MAX_FAILED = 200;
/** Ids of messages that are remembered, and how long. */
const MAX_IDS = 64;
const MAX_ID_HOURS = 48;

const unchanged = <Answer>(record: ConversationRecord | null, answer: Answer) => ({ record, answer });

/** Whether replies, and the messages behind them, have to wait. */
export const isPutOff = ({ retry }: ConversationRecord, nowMs: number): boolean =>
  retry !== null && retry.atMs > nowMs;

/** Whether side tasks are due, though replies may have to wait. */
const areSideTasksDue = ({ retry }: ConversationRecord, nowMs: number): boolean =>
  retry?.sideTasksMs !== undefined && retry.sideTasksMs <= nowMs;

/**
 * `queued`: the conversation is due, or another process works on it. `full`: nothing was filed or remembered,
 * and the next turn tells the customer.
 */
export type AcceptResult = 'leased' | 'queued' | 'duplicate' | 'full';

export type Filing = {
  readonly id: string;
  /** Fresh for each delivery: it tells an executed swap from a second delivery. */
  readonly mark: string;
  readonly body: unknown;
  /** Files it even into a full inbox: operators and staff. */
  readonly uncapped?: boolean | undefined;
  /** Takes the lease as well, if it is free and nothing has to wait. */
  readonly take?: LeaseRequest | undefined;
};

/**
 * Files a message. A retry that waits is brought forward.
 *
 * @example
 * const { answer } = await records.update(name, accept({ id, mark, body }));
 */
export function accept(filing: Filing): ConversationTransition<AcceptResult> {
  const { id, mark, body, uncapped = false, take: taking } = filing;
  const idHash = hash('sha256', id, 'base64url').slice(0, ID_CHARS - HOUR_CHARS);
  return (before, nowMs) => {
    const record = before ?? newRecord(nowMs);
    const ids = rememberId(record.ids, idHash, nowMs);
    if (ids === null) return unchanged(before, answerRepeat(record, filing));
    if (!uncapped && isFull(record, body)) {
      return { record: { ...record, dropped: record.dropped + 1 }, answer: 'full' };
    }
    const { retry } = record;
    const inSeq = record.inSeq + 1;
    const filed: ConversationRecord = {
      ...record,
      version: Math.max(record.version, VERSION),
      inSeq,
      inbox: [...record.inbox, { seq: inSeq, id, mark, atMs: nowMs, body }],
      ids,
      retry: retry && { ...retry, atMs: Math.min(retry.atMs, retry.earliestMs) },
    };
    const leased = taking === undefined ? null : grantLease(filed, taking, nowMs);
    return leased === null ? { record: filed, answer: 'queued' } : { record: leased, answer: 'leased' };
  };
}

/**
 * Appends an id, and drops the ids that are too old or too many. Null: the id is remembered already. Each id
 * ends with the hour of its filing, two digits of base 32. The same digits return after 42 days.
 */
function rememberId(ids: string, idHash: string, nowMs: number): string | null {
  const hours = Math.floor(nowMs / 3_600_000);
  let first = Math.max(0, ids.length - (MAX_IDS - 1) * ID_CHARS);
  for (let at = 0; at < ids.length; at += ID_CHARS) {
    const age = (hours - Number.parseInt(ids.slice(at + ID_CHARS - HOUR_CHARS, at + ID_CHARS), 32)) & 1023;
    // If the clock was set back, an id may have an hour in the future.
    const isRecent = age <= MAX_ID_HOURS || age > 1023 - MAX_ID_HOURS;
    if (isRecent && ids.startsWith(idHash, at)) return null;
    if (!isRecent && first === at) first += ID_CHARS;
  }
  return ids.slice(first) + idHash + toHour(hours);
}

function isFull({ inbox }: ConversationRecord, body: unknown): boolean {
  if (inbox.length === 0) return false;
  const bodies = [...inbox.map((message) => message.body), body];
  return inbox.length >= MAX_INBOX || JSON.stringify(bodies).length > MAX_INBOX_BYTES;
}

function answerRepeat(
  { inbox, lease }: ConversationRecord,
  { id, mark, take: taking }: Filing,
): AcceptResult {
  if (taking !== undefined && lease?.owner === taking.owner) return 'leased';
  return inbox.some((message) => message.id === id && message.mark === mark) ? 'queued' : 'duplicate';
}

/** `newer`: a newer process wrote into the record, so only newer processes work on it. */
export type TakeResult = 'leased' | 'none' | 'newer';

/** Takes the lease of a conversation that has something to do now. */
export function take(taking: LeaseRequest): ConversationTransition<TakeResult> {
  return (record, nowMs) => {
    if (record === null) return unchanged(record, 'none');
    if (record.lease?.owner === taking.owner) return unchanged(record, 'leased');
    if (record.version > VERSION) return unchanged(record, 'newer');
    const leased = grantLease(record, taking, nowMs);
    if (leased !== null) return { record: leased, answer: 'leased' };
    const ranOut = record.lease !== null && record.lease.untilMs <= nowMs;
    return {
      record: ranOut ? { ...record, runOuts: record.runOuts + 1, lease: null } : record,
      answer: 'none',
    };
  };
}

/** Null: the lease cannot be taken, or there is nothing to do. */
function grantLease(
  record: ConversationRecord,
  taking: LeaseRequest,
  nowMs: number,
): ConversationRecord | null {
  const { owner, leaseMs } = taking;
  const isFree = record.lease === null || record.lease.untilMs <= nowMs;
  if (!isFree || record.version > VERSION) return null;
  const hasWork = (record.inbox.length > 0 || record.outbox.length > 0) && !isPutOff(record, nowMs);
  const isWoken = record.wakeMs > 0 && record.wakeMs <= nowMs;
  if (!hasWork && !isWoken && !areSideTasksDue(record, nowMs)) return null;
  const ranOut = record.lease !== null;
  return {
    ...record,
    ...(ranOut && {
      runOuts: record.runOuts + 1,
      attempts: record.attempts + (isTurnUnderWay(record, nowMs) ? 1 : 0),
    }),
    // Older processes cannot read what this lease will write.
    version: VERSION,
    lease: { owner, untilMs: nowMs + leaseMs, step: 0, ...(ranOut && { takeover: true }) },
  };
}

/**
 * Whether the lease that ran out was at a message or a wake-up. Replies that need not wait are sent before
 * anything else (`beginSending` counts those leases). While replies wait, a lease is at a wake-up or at side
 * tasks, which nothing counts.
 */
function isTurnUnderWay(record: ConversationRecord, nowMs: number): boolean {
  const { outbox, wakeMs } = record;
  return isPutOff(record, nowMs) ? wakeMs > 0 && wakeMs <= nowMs : outbox.length === 0;
}

/**
 * Says that the lease begins to send the reply `seq`, which an earlier lease left when it ran out: a lease
 * that ends before that does not count against the reply. Answers how many leases have said so, with this
 * one; null: stale.
 */
export function beginSending(
  { record: { lease: held } }: Pick<Basis, 'record'>,
  seq: number,
): ConversationTransition<number | null> {
  return (record) => {
    const lease = nextLease(record, held, null);
    if (record === null || lease === 'stale') return unchanged(record, null);
    const { sending } = record;
    if (lease === 'done') return unchanged(record, sending?.seq === seq ? sending.leases : null);
    const leases = sending?.seq === seq ? sending.leases + 1 : 1;
    return { record: { ...record, lease, sending: { seq, leases } }, answer: leases };
  };
}

/** Prolongs the lease, also if it ran out and no process took it; false: it is lost. */
export function renew({ owner, leaseMs }: LeaseRequest): ConversationTransition<boolean> {
  return (record, nowMs) => {
    if (record?.lease?.owner !== owner) return unchanged(record, false);
    const untilMs = Math.max(record.lease.untilMs, nowMs + leaseMs);
    return { record: { ...record, lease: { ...record.lease, untilMs } }, answer: true };
  };
}

/** The lease after its holder's change. `done`: the record has the change already. `stale`: not allowed. */
function nextLease(
  record: ConversationRecord | null,
  held: ConversationRecord['lease'],
  head: Basis['head'],
) {
  const { lease, inbox } = record ?? {};
  if (!lease || lease.owner !== held?.owner) return 'stale';
  if (lease.step === held.step + 1) return 'done';
  if (lease.step !== held.step || (head !== null && inbox?.[0]?.mark !== head.mark)) return 'stale';
  return { ...lease, step: held.step + 1 };
}

export type Outcomes = Readonly<Record<string, unknown>>;

export type IntentRequest = {
  readonly operation: string;
  readonly body: unknown;
  readonly outcomes?: Outcomes;
};

/**
 * Writes that a call is about to be made, and how the calls before it ended. True: this very attempt wrote
 * the intent, so the call may be made, and no other attempt may make it.
 */
export function intend(
  { record: { lease: held }, head }: Basis,
  { operation, body, outcomes = {} }: IntentRequest,
): ConversationTransition<boolean> {
  // Names the attempt: no other attempt writes the same.
  const by = `${held?.owner}:${held?.step}`;
  return (record, nowMs) => {
    const lease = nextLease(record, held, head);
    const call = record?.journal[operation];
    if (record === null || typeof lease === 'string')
      return unchanged(record, lease === 'done' && call?.by === by);
    if (call !== undefined) return unchanged(record, false);
    const journal = { ...addOutcomes(record.journal, outcomes), [operation]: { by, atMs: nowMs, body } };
    return { record: { ...record, lease, journal }, answer: true };
  };
}

function addOutcomes(journal: ConversationRecord['journal'], outcomes: Outcomes) {
  let changed = journal;
  for (const operation of Object.keys(outcomes)) {
    const call = journal[operation];
    if (call) changed = { ...changed, [operation]: { ...call, outcome: outcomes[operation] } };
  }
  return changed;
}

export type Commit = {
  readonly state: string;
  /** The same state, as it was before it was written. */
  readonly stored?: StoredState | undefined;
  /** Their numbers continue after the record's `outSeq`. */
  readonly replies: readonly OutboxEntry[];
  /** The head of the inbox is answered. */
  readonly consumed: boolean;
  readonly wakeMs: number | null;
  /** Operations whose outcome is known for good. */
  readonly settled: readonly string[];
  /** Drops all dead letters but those of this change. */
  readonly forget?: boolean | undefined;
  readonly dead?: readonly Omit<DeadLetter, 'atMs'>[] | undefined;
  /** The ids of letters whose reply is among `replies`. */
  readonly told?: readonly string[] | undefined;
  /** How many dropped messages the replies report. */
  readonly dropped: number;
  readonly listed?: readonly RequestedEntry[] | undefined;
};

/** Stores a turn's decision, all or nothing. False: stale, nothing was changed. */
export function commit(
  { record: { lease: held }, head }: Basis,
  change: Commit,
): ConversationTransition<boolean> {
  return (record, nowMs) => {
    const lease = nextLease(record, held, head);
    if (record === null || lease === 'stale') return unchanged(record, false);
    if (lease === 'done') return unchanged(record, true);
    const { replies, settled, wakeMs, listed = [] } = change;
    return {
      record: {
        ...record,
        lease,
        state: change.state,
        stored: change.stored,
        inbox: change.consumed ? record.inbox.slice(1) : record.inbox,
        outbox: replies.length === 0 ? record.outbox : [...record.outbox, ...replies],
        outSeq: record.outSeq + replies.length,
        journal: settled.length === 0 ? record.journal : removeSettled(record.journal, settled),
        wakeMs: wakeMs ?? 0,
        attempts: 0,
        dropped: Math.max(0, record.dropped - change.dropped),
        listed,
        failed: change.forget ? [] : record.failed,
        dead: mergeLetters(record, change, nowMs),
      },
      answer: true,
    };
  };
}

function removeSettled(journal: ConversationRecord['journal'], settled: readonly string[]) {
  return Object.fromEntries(Object.entries(journal).filter(([operation]) => !settled.includes(operation)));
}

/** A letter replaces an older one of the same id. */
function mergeLetters(record: ConversationRecord, { forget, told = [], dead = [] }: Commit, nowMs: number) {
  if (!forget && told.length + dead.length === 0) return record.dead;
  const gone = new Set([...told, ...dead.map(({ id }) => id)]);
  const kept = forget ? [] : record.dead.filter(({ id }) => !gone.has(id));
  return [...kept, ...dead.map((letter) => ({ ...letter, atMs: nowMs }))].slice(-MAX_LETTERS);
}

/** How long replies and messages have to wait, and why. */
export type Wait = {
  readonly afterMs: number;
  readonly reason: string;
  /** A new message may bring the next try forward to this. By default it may not. */
  readonly leastMs?: number | undefined;
  /** Kept in `retry`, as `madeAtMs`. */
  readonly tried?: Tries | undefined;
  readonly madeAtMs?: number | undefined;
  /** The lease is given back: wake-ups wait as well, and replies that wait already keep their time. */
  readonly isGivenBack?: boolean | undefined;
};

/** How many sends of a reply perhaps delivered it, and when the first of them was. */
export type Tries = Pick<Retry, 'tries' | 'sinceMs'>;
export const NEVER_TRIED: Tries = { tries: 0, sinceMs: 0 };

export type Release = {
  /** The tasks of the outbox that are done, by their numbers. */
  readonly done: ReadonlySet<number>;
  readonly wait?: Wait | undefined;
  /** Side tasks are left, which are tried again after this, though replies may wait for longer. */
  readonly sideTasksAfterMs?: number | undefined;
  /** Those that were dropped, and why. */
  readonly failures?: ReadonlyMap<number, Failure> | undefined;
  /** Those of them that become dead letters, because they tell about points. */
  readonly kept?: ReadonlySet<number> | undefined;
  readonly leaseMs: number;
  /** How the calls of a turn that is given back ended. */
  readonly outcomes?: Outcomes | undefined;
};

/**
 * Ends a delivery: drops what was done, then hands over the next work under the same lease (true), or frees
 * the lease. If a reply is left, the lease is freed: its next holder delivers that reply before it takes
 * another step. It depends on no message: that one is answered or given back.
 */
export function release(
  { record: { lease: held } }: Pick<Basis, 'record'>,
  ending: Release,
): ConversationTransition<boolean> {
  const { wait, leaseMs, outcomes } = ending;
  return (before, nowMs) => {
    const lease = nextLease(before, held, null);
    if (before === null || typeof lease === 'string') return unchanged(before, lease === 'done');
    const left = removeDone({ ...before, sending: null }, ending, nowMs);
    const record = outcomes ? { ...left, journal: addOutcomes(left.journal, outcomes) } : left;
    const isWoken = record.wakeMs > 0 && record.wakeMs <= nowMs;
    const hasMore = record.inbox.length > 0 || isWoken;
    if (hasMore && wait === undefined && record.outbox.length === 0 && record.version <= VERSION) {
      const longer = { ...lease, untilMs: nowMs + leaseMs };
      return { record: { ...record, retry: null, lease: longer }, answer: true };
    }
    const wakeMs =
      wait?.isGivenBack && record.wakeMs > 0 ? Math.max(record.wakeMs, nowMs + wait.afterMs) : record.wakeMs;
    const retry = toRetry(record, ending, nowMs);
    return { record: { ...record, lease: null, wakeMs, retry }, answer: false };
  };
}

/**
 * Takes the tasks that are done out of the outbox, notes which of staff's messages failed and why, and keeps
 * as letters what must not be lost.
 */
function removeDone(
  record: ConversationRecord,
  { done, failures, kept }: Release,
  nowMs: number,
): ConversationRecord {
  const left = record.outbox.filter(({ seq }) => !done.has(seq));
  if (left.length === record.outbox.length) return record;
  const failed: FailedNote[] = [];
  const letters: DeadLetter[] = [];
  let { knew, carried } = record;
  for (const { seq, body, asks, note } of record.outbox) {
    if (!done.has(seq)) continue;
    if (kept?.has(seq)) letters.push({ id: `reply-${seq}`, atMs: nowMs, reason: UNDELIVERED, body });
    if (asks) knew = record.inSeq;
    if (note === undefined) continue;
    carried += 1;
    const why = failures?.get(seq);
    if (why !== undefined) failed.push({ note, why });
  }
  const notes = failed.length === 0 ? record.failed : [...record.failed, ...failed].slice(-MAX_FAILED);
  const dead = letters.length === 0 ? record.dead : [...record.dead, ...letters].slice(-MAX_LETTERS);
  return { ...record, outbox: left, knew, carried, failed: notes, dead };
}

/** Why a reply is among the dead letters. The customer's next message brings it once more. */
export const UNDELIVERED = 'undelivered';

function toRetry(record: ConversationRecord, { wait, sideTasksAfterMs }: Release, nowMs: number) {
  // Nothing waits any more, even if the clock was put back.
  if (wait === undefined && record.outbox.length === 0) return null;
  const sideTasksMs = sideTasksAfterMs === undefined ? undefined : nowMs + sideTasksAfterMs;
  // While replies wait, only a wake-up and side tasks had their turn: replies keep their time and their
  // tries, also if that has come.
  if (wait === undefined) return record.retry && { ...record.retry, sideTasksMs };
  if (wait.isGivenBack && isPutOff(record, nowMs)) return record.retry;
  const { afterMs, leastMs = afterMs, reason, tried = NEVER_TRIED, madeAtMs } = wait;
  const replyWaits = record.outbox.length > 0;
  return {
    atMs: nowMs + afterMs,
    earliestMs: nowMs + leastMs,
    reason,
    tries: tried.tries,
    sinceMs: tried.sinceMs,
    madeAtMs: replyWaits ? (madeAtMs ?? record.retry?.madeAtMs ?? 0) : 0,
    sideTasksMs,
  };
}

/** Removes a dead letter; null: no letter has that id. */
export function takeLetter(id: string): ConversationTransition<DeadLetter | null> {
  return (record) => {
    const letter = record?.dead.find((dead) => dead.id === id);
    if (!record || letter === undefined) return unchanged(record, null);
    return { record: { ...record, dead: record.dead.filter((dead) => dead !== letter) }, answer: letter };
  };
}

/** Puts what `toBody` makes of a letter's body behind the outbox; false: no letter has that id. */
export function resendLetter(
  id: string,
  toBody: (body: unknown, nowMs: number) => unknown,
): ConversationTransition<boolean> {
  return (before, nowMs) => {
    const { record, answer: letter } = takeLetter(id)(before, nowMs);
    if (record === null || letter === null) return unchanged(before, false);
    const outSeq = record.outSeq + 1;
    const outbox = [...record.outbox, { seq: outSeq, body: toBody(letter.body, nowMs) }];
    return { record: { ...record, outSeq, outbox }, answer: true };
  };
}

const STATE_MS = 180 * 24 * 60 * 60 * 1000;

/** How conversations are stored and listed. */
export const CONVERSATION = {
  kind: 'c',
  ttlMs: STATE_MS,
  write: writeRecord,
  read: readRecord,
  entries,
} satisfies RecordKind<ConversationRecord>;

function entries(name: string, record: ConversationRecord): readonly IndexEntry[] {
  const { lease, inbox, outbox, retry, wakeMs, dead, journal, listed, carried } = record;
  const found: IndexEntry[] = [];
  const member = name;
  // When a process must look at the conversation.
  let dueMs = wakeMs > 0 ? wakeMs : Infinity;
  if (lease !== null) dueMs = lease.untilMs;
  else if (inbox[0] !== undefined || outbox.length > 0) {
    dueMs = Math.min(dueMs, retry?.atMs ?? inbox[0]?.atMs ?? 0, retry?.sideTasksMs ?? Infinity);
  }
  if (dueMs < Infinity) found.push({ index: 'due', member, score: dueMs });
  if (retry !== null && retry.madeAtMs > 0)
    found.push({ index: 'undelivered', member, score: retry.madeAtMs });
  if (dead[0] !== undefined) found.push({ index: 'dead', member, score: dead[0].atMs });
  for (const [operation, call] of Object.entries(journal)) {
    if (call.outcome === undefined)
      found.push({ index: 'intents', member: writeMember(name, operation), score: call.atMs });
  }
  for (const { index, part, score } of listed) {
    // The entry of a ticket changes when a message of staff was delivered or dropped: followers read it.
    const shown = index === 'tickets' && carried > 0 ? `${part}:${carried}` : part;
    if (isIndex(index)) found.push({ index, member: writeMember(name, shown), score });
  }
  return found;
}
