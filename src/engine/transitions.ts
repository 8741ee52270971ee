import { hash } from 'node:crypto';
import { isIndex } from '../store/port.ts';
import type { StoredState } from './messages.ts';
import {
  type ConversationRecord,
  type DeadLetter,
  newRecord,
  type OutboxEntry,
  type PendingCall,
  type RequestedEntry,
  type Retry,
  readRecord,
  writeRecord,
} from './record.ts';
import { HOUR_CHARS, ID_CHARS, toHour } from './record-v1.ts';
import type { IndexEntry, RecordKind, Transition } from './versioned-records.ts';

/*
 * Everything that can happen to a conversation's record, as pure functions `(record, nowMs) → { record, answer }`. Each is
 * idempotent: applied to a record that has its effect already (a swap executed and its answer was lost), it changes nothing
 * and answers as before. It returns the very same record where nothing is to be written.
 *
 * `accept`, `take`, `renew` and `takeLetter` decide from the record alone, so they may be applied again to whatever record
 * is there. A change by a lease holder was decided from what the holder knew before, so it also needs `Held`. Time decides
 * who may try to take a lease; no promise depends on time.
 */

export type ConversationTransition<Answer> = Transition<ConversationRecord, Answer>;

/**
 * What a change by the lease holder requires of the record: the holder's nonce, that `step` is the next number, and that
 * the head of the inbox is still the message of delivery `mark` (null: the change was decided from no message).
 */
export type Held = { readonly owner: string; readonly step: number; readonly mark: string | null };

/** Who takes a lease, and for how long. `schema` is the newest version that the process can read. */
export type Taking = { readonly owner: string; readonly leaseMs: number; readonly schema: number };

export const MAX_INBOX = 50;
const MAX_INBOX_BYTES = 64 * 1024;
/** Dead letters of one conversation. */
const MAX_LETTERS = 20;

const same = <Answer>(record: ConversationRecord | null, answer: Answer) => ({ record, answer });

/** Whether replies, and messages behind them, have to wait: only a wake-up may run then, and nothing may be sent. */
const isPutOff = ({ retry }: ConversationRecord, nowMs: number): boolean =>
  retry !== null && retry.atMs > nowMs;

/** Whether the state's wake-up is due. */
const isWoken = ({ wakeMs }: ConversationRecord, nowMs: number): boolean => wakeMs > 0 && wakeMs <= nowMs;

/** The first 8 characters (48 bits) of an id's hash: what is remembered of it, with the hour of its filing. */
const hashOf = (id: string): string => hash('sha256', id, 'base64url').slice(0, ID_CHARS - HOUR_CHARS);

const HOUR_MS = 3_600_000;
const REMEMBERED_HOURS = 48;
/** Ids beyond are dropped, the oldest first. */
const REMEMBERED_CHARS = 64 * ID_CHARS;

/** The hour as two digits of base 32; they come again after 42 days. */
const hourOf = (nowMs: number): string => toHour(Math.floor(nowMs / HOUR_MS));

function isRecent(ids: string, at: number, hour: string): boolean {
  const filed = Number.parseInt(ids.slice(at + ID_CHARS - HOUR_CHARS, at + ID_CHARS), 32);
  const age = (Number.parseInt(hour, 32) - filed) & 1023;
  // A clock that was put back makes an id younger than new.
  return age <= REMEMBERED_HOURS || age > 1023 - REMEMBERED_HOURS;
}

function isRemembered(ids: string, idHash: string, nowMs: number): boolean {
  for (let at = 0; at < ids.length; at += ID_CHARS) {
    if (ids.startsWith(idHash, at)) return isRecent(ids, at, hourOf(nowMs));
  }
  return false;
}

/** Appends an id, and drops those that are too old or too many. Ids are in the order of their filing. */
function rememberId(ids: string, idHash: string, nowMs: number): string {
  const hour = hourOf(nowMs);
  let first = Math.max(0, ids.length - REMEMBERED_CHARS + ID_CHARS);
  while (first < ids.length && !isRecent(ids, first, hour)) first += ID_CHARS;
  return ids.slice(first) + idHash + hour;
}

export type Accepted =
  | 'leased'
  /** Another process works on the conversation, or will: it is due. */
  | 'queued'
  | 'duplicate'
  /** The inbox is full: nothing was filed or remembered; the next turn tells the customer. */
  | 'full';

export type Filing = {
  readonly id: string;
  /** Fresh for each delivery of the message: it tells an executed swap from a second delivery. */
  readonly nonce: string;
  readonly body: unknown;
  readonly schema: number;
  /** Filed even into a full inbox: an operator's decision is no message of the customer's. */
  readonly uncapped?: boolean | undefined;
  /** Takes the lease as well, if it is free and nothing has to wait. */
  readonly take?: Taking | undefined;
};

/** Files a message; what waits for a retry is brought forward. */
export function accept(filing: Filing): ConversationTransition<Accepted> {
  const { id, nonce, body, schema, uncapped = false, take: taking } = filing;
  const idHash = hashOf(id);
  return (before, nowMs) => {
    const record = before ?? newRecord(nowMs);
    if (isRemembered(record.ids, idHash, nowMs)) return same(before, acceptedBefore(record, filing));
    if (!uncapped && isFull(record, body)) {
      return { record: { ...record, dropped: record.dropped + 1 }, answer: 'full' };
    }
    const { retry } = record;
    const inSeq = record.inSeq + 1;
    const filed: ConversationRecord = {
      ...record,
      schema: Math.max(record.schema, schema),
      inSeq,
      inbox: [...record.inbox, { seq: inSeq, id, mark: nonce, atMs: nowMs, body }],
      ids: rememberId(record.ids, idHash, nowMs),
      retry: retry && { ...retry, atMs: Math.min(retry.atMs, retry.earliestMs) },
    };
    const leased = taking === undefined ? null : withLease(filed, taking, nowMs);
    return leased === null ? { record: filed, answer: 'queued' } : { record: leased, answer: 'leased' };
  };
}

function isFull({ inbox }: ConversationRecord, body: unknown): boolean {
  if (inbox.length === 0) return false;
  const bodies = [...inbox.map((message) => message.body), body];
  return inbox.length >= MAX_INBOX || JSON.stringify(bodies).length > MAX_INBOX_BYTES;
}

function acceptedBefore({ inbox, lease }: ConversationRecord, { id, nonce, take: taking }: Filing): Accepted {
  if (taking !== undefined && lease?.owner === taking.owner) return 'leased';
  return inbox.some((message) => message.id === id && message.mark === nonce) ? 'queued' : 'duplicate';
}

/** `newer`: a newer process wrote into the record, so newer processes work on it. */
export type Taken = 'leased' | 'none' | 'newer';

/** Takes the lease of a conversation that has something to do now. */
export function take(taking: Taking): ConversationTransition<Taken> {
  return (record, nowMs) => {
    if (record === null) return same(record, 'none');
    if (record.lease?.owner === taking.owner) return same(record, 'leased');
    if (record.schema > taking.schema) return same(record, 'newer');
    const leased = withLease(record, taking, nowMs);
    if (leased !== null) return { record: leased, answer: 'leased' };
    const ranOut = record.lease !== null && record.lease.untilMs <= nowMs;
    return { record: ranOut ? { ...record, lease: null } : record, answer: 'none' };
  };
}

/** The record with the lease; null where it cannot be taken or there is nothing to do. */
function withLease(record: ConversationRecord, taking: Taking, nowMs: number): ConversationRecord | null {
  const { owner, leaseMs, schema } = taking;
  const isFree = record.lease === null || record.lease.untilMs <= nowMs;
  if (!isFree || record.schema > schema) return null;
  const waits = record.inbox.length > 0 || record.outbox.length > 0;
  if (!(waits && !isPutOff(record, nowMs)) && !isWoken(record, nowMs)) return null;
  const ranOut = record.lease !== null;
  return {
    ...record,
    // Older processes cannot read what this lease will write.
    schema,
    attempts: record.attempts + (ranOut ? 1 : 0),
    lease: { owner, untilMs: nowMs + leaseMs, step: 0, ...(ranOut && { takeover: true }) },
  };
}

/** Prolongs the lease; false: it is lost. A lease that ran out and that nobody took still counts. */
export function renew({ owner, leaseMs }: Omit<Taking, 'schema'>): ConversationTransition<boolean> {
  return (record, nowMs) => {
    if (record?.lease?.owner !== owner) return same(record, false);
    const untilMs = Math.max(record.lease.untilMs, nowMs + leaseMs);
    return { record: { ...record, lease: { ...record.lease, untilMs } }, answer: true };
  };
}

/** How a change by the lease holder stands to the record: `done`, it took effect already; `stale`, it may not be made. */
function standing(record: ConversationRecord | null, { owner, step, mark }: Held): 'held' | 'done' | 'stale' {
  if (record?.lease?.owner !== owner) return 'stale';
  if (record.lease.step === step) return 'done';
  if (record.lease.step !== step - 1) return 'stale';
  return mark === null || record.inbox[0]?.mark === mark ? 'held' : 'stale';
}

export type Intended =
  /** Written by this very attempt: the call may be made, and no other attempt may make it. */
  | { readonly kind: 'go' }
  /** Another attempt wrote it, and may have made the call: none is made. */
  | { readonly kind: 'known'; readonly call: PendingCall }
  | { readonly kind: 'stale' };

export type Outcomes = Readonly<Record<string, unknown>>;

export type IntendedCall = {
  readonly operation: string;
  /** Names the attempt: no other one writes the same. */
  readonly by: string;
  readonly body: unknown;
  /** How earlier calls of the turn ended. */
  readonly outcomes?: Outcomes;
};

/** Writes that a call is about to be made, and how the calls before it ended. */
export function intend(
  held: Held,
  { operation, by, body, outcomes = {} }: IntendedCall,
): ConversationTransition<Intended> {
  return (record, nowMs) => {
    const how = standing(record, held);
    if (record === null || how === 'stale') return same(record, { kind: 'stale' });
    const known = record.journal[operation];
    const answer: Intended =
      known === undefined || known.by === by ? { kind: 'go' } : { kind: 'known', call: known };
    if (how === 'done') return same(record, known === undefined ? { kind: 'stale' } : answer);
    const journal = withOutcomes(record.journal, outcomes);
    return {
      record: {
        ...record,
        lease: leaseAt(record, held.step),
        journal: known === undefined ? { ...journal, [operation]: { by, atMs: nowMs, body } } : journal,
      },
      answer,
    };
  };
}

function leaseAt({ lease }: ConversationRecord, step: number) {
  if (lease === null) throw new TypeError('a held record has a lease');
  return { ...lease, step };
}

function withOutcomes(journal: ConversationRecord['journal'], outcomes: Outcomes) {
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
  /** Numbered on from the record's `outSeq`. */
  readonly replies: readonly OutboxEntry[];
  /** The head of the inbox is answered. */
  readonly consumed: boolean;
  readonly wakeMs: number | null;
  /** Operations whose outcome is known for good. */
  readonly settled: readonly string[];
  /** Drops all dead letters but those of this change. */
  readonly forget?: boolean | undefined;
  readonly dead?: readonly Omit<DeadLetter, 'atMs'>[] | undefined;
  /** How many dropped messages the turn told the customer of. */
  readonly dropped: number;
  readonly listed?: readonly RequestedEntry[] | undefined;
};

/**
 * Ends a turn's decision: state, replies, answered message, wake-up, settled calls and dead letters, all or
 * nothing. False: stale, nothing was changed.
 */
export function commit(held: Held, change: Commit): ConversationTransition<boolean> {
  return (record, nowMs) => {
    const how = standing(record, held);
    if (record === null || how === 'stale') return same(record, false);
    if (how === 'done') return same(record, true);
    const { replies, settled, forget, dead = [] } = change;
    const { handed: _, ...lease } = leaseAt(record, held.step);
    return {
      record: {
        ...record,
        lease,
        state: change.state,
        stored: change.stored,
        inbox: change.consumed ? record.inbox.slice(1) : record.inbox,
        outbox: replies.length === 0 ? record.outbox : [...record.outbox, ...replies],
        outSeq: record.outSeq + replies.length,
        journal: settled.length === 0 ? record.journal : without(record.journal, settled),
        wakeMs: change.wakeMs ?? 0,
        attempts: 0,
        dropped: Math.max(0, record.dropped - change.dropped),
        listed: change.listed ?? [],
        dead:
          dead.length === 0 && !forget ? record.dead : lettersAfter(forget ? [] : record.dead, dead, nowMs),
      },
      answer: true,
    };
  };
}

function without(journal: ConversationRecord['journal'], settled: readonly string[]) {
  return Object.fromEntries(Object.entries(journal).filter(([operation]) => !settled.includes(operation)));
}

/** A letter replaces an older one of the same id. */
function lettersAfter(kept: ConversationRecord['dead'], dead: NonNullable<Commit['dead']>, nowMs: number) {
  const others = kept.filter(({ id }) => !dead.some((letter) => letter.id === id));
  return [...others, ...dead.map((letter) => ({ ...letter, atMs: nowMs }))].slice(-MAX_LETTERS);
}

/**
 * How long replies and messages are put off, and why. `leastMs`: a new message may bring that forward to this (default: it
 * may not). `tries`, `sinceMs` and `madeAtMs` are kept in `retry`. `all`: wake-ups wait as well, and replies that wait
 * already keep their time.
 */
export type Wait = {
  readonly afterMs: number;
  readonly reason: string;
  readonly leastMs?: number | undefined;
  readonly tried?: Tried | undefined;
  readonly madeAtMs?: number | undefined;
  readonly all?: boolean | undefined;
};

/** Sends of a reply that perhaps delivered it: how many, and when the first was. */
export type Tried = Pick<Retry, 'tries' | 'sinceMs'>;
export const NEVER_TRIED: Tried = { tries: 0, sinceMs: 0 };

export type Release = {
  /** Nothing is left to do up to this number of the outbox. */
  readonly sentSeq: number;
  readonly wait?: Wait | undefined;
  readonly leaseMs: number;
  readonly schema: number;
  /** How calls ended of a turn that is given back. */
  readonly outcomes?: Outcomes | undefined;
};

/**
 * Ends a delivery: drops what was sent, then hands over the next work under the same lease (true), or frees the lease. A
 * reply that is left comes before any further step, so the lease is freed then and its next holder begins with the outbox.
 */
export function release(
  held: Held,
  { sentSeq, wait, leaseMs, schema, outcomes }: Release,
): ConversationTransition<boolean> {
  return (before, nowMs) => {
    const how = standing(before, held);
    if (before === null || how !== 'held') return same(before, how === 'done');
    const lease = leaseAt(before, held.step);
    const delivered = withoutSent(before, sentSeq);
    const record = outcomes
      ? { ...delivered, journal: withOutcomes(delivered.journal, outcomes) }
      : delivered;
    const hasMore = record.inbox.length > 0 || isWoken(record, nowMs);
    if (hasMore && wait === undefined && record.outbox.length === 0 && record.schema <= schema) {
      return {
        record: {
          ...record,
          retry: null,
          attempts: record.attempts + (lease.handed ? 1 : 0),
          lease: { ...lease, untilMs: nowMs + leaseMs, handed: true },
        },
        answer: true,
      };
    }
    const wakeMs =
      wait?.all && record.wakeMs > 0 ? Math.max(record.wakeMs, nowMs + wait.afterMs) : record.wakeMs;
    return { record: { ...record, lease: null, wakeMs, retry: retryOf(record, wait, nowMs) }, answer: false };
  };
}

function withoutSent(record: ConversationRecord, sentSeq: number): ConversationRecord {
  const { outbox } = record;
  let sent = 0;
  let { knew } = record;
  for (; sent < outbox.length; sent++) {
    const entry = outbox[sent];
    if (entry === undefined || entry.seq > sentSeq) break;
    if (entry.asks) knew = record.inSeq;
  }
  return sent === 0 ? record : { ...record, outbox: outbox.slice(sent), knew };
}

function retryOf(record: ConversationRecord, wait: Wait | undefined, nowMs: number): Retry | null {
  // A wake-up ran while replies wait: they keep their time.
  if (isPutOff(record, nowMs) && (wait === undefined || wait.all)) return record.retry;
  if (wait === undefined) return null;
  const { afterMs, leastMs = afterMs, reason, tried = NEVER_TRIED, madeAtMs } = wait;
  const replyWaits = record.outbox.length > 0;
  return {
    ...{ atMs: nowMs + afterMs, earliestMs: nowMs + leastMs, reason },
    ...{ tries: tried.tries, sinceMs: tried.sinceMs },
    madeAtMs: replyWaits ? (madeAtMs ?? record.retry?.madeAtMs ?? 0) : 0,
  };
}

/** Removes a dead letter; null: there is none of that id. */
export function takeLetter(id: string): ConversationTransition<DeadLetter | null> {
  return (record) => {
    const letter = record?.dead.find((one) => one.id === id);
    if (!record || letter === undefined) return same(record, null);
    return { record: { ...record, dead: record.dead.filter((one) => one !== letter) }, answer: letter };
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
  const { retry, dead, journal, listed } = record;
  const filed: IndexEntry[] = [];
  const atMs = dueMs(record);
  if (atMs !== null) filed.push({ index: 'due', member: name, score: atMs });
  if (retry !== null && retry.madeAtMs > 0)
    filed.push({ index: 'undelivered', member: name, score: retry.madeAtMs });
  if (dead[0] !== undefined) filed.push({ index: 'dead', member: name, score: dead[0].atMs });
  for (const operation of Object.keys(journal)) {
    const call = journal[operation];
    if (call && call.outcome === undefined) {
      filed.push({ index: 'intents', member: `${name}:${operation}`, score: call.atMs });
    }
  }
  for (const { index, part, score } of listed) {
    if (isIndex(index)) filed.push({ index, member: part === undefined ? name : `${name}:${part}`, score });
  }
  return filed;
}

/** When a process must look at the conversation; null: never. */
function dueMs({ lease, inbox, outbox, retry, wakeMs }: ConversationRecord): number | null {
  if (lease !== null) return lease.untilMs;
  const [message] = inbox;
  if (message === undefined && outbox.length === 0) return wakeMs > 0 ? wakeMs : null;
  const waitsMs = retry?.atMs ?? message?.atMs ?? 0;
  return wakeMs > 0 ? Math.min(waitsMs, wakeMs) : waitsMs;
}
