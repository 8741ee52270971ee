import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Transition as CellTransition, Filed, Kind } from './cell.ts';
import type { Stored } from './messages.ts';

/*
 * A conversation's record, in the shape that transitions work on, and how it is written. What is sealed into the store:
 *
 *   envelope's length (4 bytes) | ids' length (2 bytes) | envelope (JSON) | ids (8 bytes each) | state (the rest)
 *
 * The envelope is read loosely, for ever: an older process files messages into what a newer one wrote, and carries along
 * what it does not know. The state is read by those who take a lease, and by nobody who only files.
 */

/** A message that was accepted and is not answered. `mark`: the nonce of the accept that filed it. */
const messageSchema = z.looseObject({
  seq: z.number(),
  id: z.string(),
  mark: z.string(),
  body: z.unknown(),
});

/** A reply that is not delivered, or whatever else a commit left to be done. `asks`: it is a question. */
const outboxSchema = z.looseObject({
  seq: z.number(),
  body: z.unknown(),
  asks: z.literal(true).optional(),
});

/** A call that may have been made; `by` is the attempt that may make it. Without `outcome` nobody knows how it ended. */
const callSchema = z.looseObject({
  by: z.string(),
  atMs: z.number(),
  body: z.unknown(),
  outcome: z.unknown().optional(),
});

/**
 * The right to work on the conversation. `owner`: a fresh nonce; `step`: the number of the holder's last change;
 * `takeover`: the lease before it ran out; `handed`: a release handed over what is at hand.
 */
const leaseSchema = z.looseObject({
  owner: z.string(),
  untilMs: z.number(),
  step: z.number(),
  takeover: z.literal(true).optional(),
  handed: z.literal(true).optional(),
});

/** Sends of the first reply that the platform perhaps took: how many, and when the first was. */
const triedSchema = z.looseObject({ times: z.number(), sinceMs: z.number() });

/** What no turn could be made of, for operators. */
const letterSchema = z.looseObject({
  id: z.string(),
  atMs: z.number(),
  reason: z.string(),
  body: z.unknown(),
});

/** An entry of an index that the state asks for; `part` stands behind the conversation's name in the member. */
const listedSchema = z.looseObject({ index: z.string(), part: z.string().optional(), score: z.number() });

const envelopeSchema = z.looseObject({
  /** The newest version of all that is kept: it only rises. */
  schema: z.number().default(0),
  inbox: z.array(messageSchema).default([]),
  /** Number of the last message that was filed; what it was when a question was last delivered. */
  inSeq: z.number().default(0),
  knew: z.number().default(0),
  outbox: z.array(outboxSchema).default([]),
  /** Number of the last reply. */
  outSeq: z.number().default(0),
  /** By operation. */
  journal: z.record(z.string(), callSchema).default({}),
  lease: leaseSchema.nullable().default(null),
  /** Leases that ran out since the last commit, and releases that handed over the same once more. */
  attempts: z.number().default(0),
  /** When the state asked to be woken; 0: never. */
  wakeMs: z.number().default(0),
  /** No message is answered and no reply sent before this; no new message brings that forward beyond `earliestMs`. */
  notBeforeMs: z.number().default(0),
  earliestMs: z.number().default(0),
  tried: triedSchema.nullable().default(null),
  /** When the first reply was made that had to be put off; 0: none had to be. */
  undeliveredMs: z.number().default(0),
  /** Messages that found the inbox full, of which no turn was told. */
  dropped: z.number().default(0),
  dead: z.array(letterSchema).default([]),
  listed: z.array(listedSchema).default([]),
});

/** What a loose schema reads, without the names that are only carried along: one that is not known is a mistake. */
export type Declared<T> = T extends readonly (infer Item)[]
  ? readonly Declared<Item>[]
  : T extends object
    ? {
        readonly [Name in keyof T as IsCarried<Name, T[Name]> extends true ? never : Name]: Declared<T[Name]>;
      }
    : T;

type IsCarried<Name, Value> = string extends Name ? (unknown extends Value ? true : false) : false;

export type InboxMessage = Declared<z.infer<typeof messageSchema>>;
export type OutboxEntry = Declared<z.infer<typeof outboxSchema>>;
export type PendingCall = Declared<z.infer<typeof callSchema>>;
export type Tried = Declared<z.infer<typeof triedSchema>>;
export type Letter = Declared<z.infer<typeof letterSchema>>;
export type Listed = Declared<z.infer<typeof listedSchema>>;
type Envelope = Declared<z.infer<typeof envelopeSchema>>;

/**
 * All that is kept of a conversation. `seen`: ids of the last messages (`remember`); `state`: the dialogue's, as JSON;
 * `stored`: the same, read, where this process wrote it a moment ago.
 */
export type ConversationRecord = Envelope & {
  readonly seen: Buffer;
  readonly state: string | null;
  readonly stored?: Stored | undefined;
};

const NOTHING = { ...envelopeSchema.parse({}), seen: Buffer.alloc(0), state: null };

/**
 * The record of a conversation that nobody has heard of, or whose record was lost. Its replies are numbered on from the
 * clock's milliseconds, which no count has come to: a number that was given before must not come again.
 */
export function newRecord(nowMs: number): ConversationRecord {
  return { ...NOTHING, outSeq: nowMs };
}

const HEADER_BYTES = 6;

export function writeRecord({ seen, state, stored: _, ...envelope }: ConversationRecord): Buffer {
  const said: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(envelope)) {
    if (!(name in NOTHING && isNothing(value))) said[name] = value;
  }
  const text = JSON.stringify(said);
  const [textBytes, stateBytes] = [Buffer.byteLength(text), state === null ? 0 : Buffer.byteLength(state)];
  const plain = Buffer.allocUnsafe(HEADER_BYTES + textBytes + seen.length + stateBytes);
  plain.writeUInt32BE(textBytes, 0);
  plain.writeUInt16BE(seen.length, 4);
  plain.write(text, HEADER_BYTES);
  seen.copy(plain, HEADER_BYTES + textBytes);
  if (state !== null) plain.write(state, HEADER_BYTES + textBytes + seen.length);
  return plain;
}

/** What reads as it was, though it is not written. */
function isNothing(value: unknown): boolean {
  if (value === 0 || value === null) return true;
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

/** Throws where it is none of ours. */
export function readRecord(plain: Buffer): ConversationRecord {
  const seenAt = HEADER_BYTES + plain.readUInt32BE(0);
  const stateAt = seenAt + plain.readUInt16BE(4);
  if (stateAt > plain.length) throw new RangeError('a record is cut off');
  return {
    ...envelopeSchema.parse(JSON.parse(plain.toString('utf8', HEADER_BYTES, seenAt))),
    seen: plain.subarray(seenAt, stateAt),
    state: stateAt === plain.length ? null : plain.toString('utf8', stateAt),
  };
}

/*
 * The memory of messages: 6 bytes of an id's hash, and the hour in which it was filed (2 bytes).
 */

const ENTRY_BYTES = 8;
const ID_BYTES = 6;
const HOUR_MS = 3_600_000;
const REMEMBERED = 64;
const REMEMBERED_HOURS = 48;

const hourOf = (nowMs: number): number => Math.floor(nowMs / HOUR_MS) & 0xffff;

/** What is kept of a message's id. */
const traceOf = (id: string): Buffer => hash('sha256', id, 'buffer').subarray(0, ENTRY_BYTES);

function remembers(seen: Buffer, trace: Buffer, nowMs: number): boolean {
  const wanted = trace.readUIntBE(0, ID_BYTES);
  for (let at = 0; at < seen.length; at += ENTRY_BYTES) {
    if (seen.readUIntBE(at, ID_BYTES) === wanted) return isRecent(seen, at, nowMs);
  }
  return false;
}

/** Adds an id, and drops what is too old or too many. */
function remember(seen: Buffer, trace: Buffer, nowMs: number): Buffer {
  let from = Math.max(0, seen.length - ENTRY_BYTES * (REMEMBERED - 1));
  while (from < seen.length && !isRecent(seen, from, nowMs)) from += ENTRY_BYTES;
  const kept = Buffer.concat([seen.subarray(from), trace]);
  kept.writeUInt16BE(hourOf(nowMs), kept.length - ENTRY_BYTES + ID_BYTES);
  return kept;
}

function isRecent(seen: Buffer, at: number, nowMs: number): boolean {
  const hours = (hourOf(nowMs) - seen.readUInt16BE(at + ID_BYTES)) & 0xffff;
  // A clock that was put back makes an entry younger than new.
  return hours <= REMEMBERED_HOURS || hours > 0xff00;
}

/*
 * Everything that can happen to a conversation's record: pure functions, each idempotent. Where its effect is there already
 * (an executed swap whose answer was lost), it changes nothing and answers as before. The very same record comes back where
 * nothing is to be written.
 *
 * `accept`, `take`, `renew` and `takeLetter` decide from the record alone, so they may be applied again to whatever record is
 * there by then. What a lease holder does depends on what it was told before: it needs the holder's own nonce, exactly the
 * next step number, and the mark of the message that it was decided from (`Held`). Time decides who may try; it protects
 * nothing.
 */

export type Transition<Answer> = CellTransition<ConversationRecord, Answer>;

/** What a change of the lease's holder needs; `mark`: of the message that it was decided from, null if from none. */
export type Held = { readonly owner: string; readonly step: number; readonly mark: string | null };

/** `schema`: the newest version that the process can read. */
export type Taking = { readonly owner: string; readonly leaseMs: number; readonly schema: number };

/** What a lease holder gets to see, and what is to be done now: `outbox` before anything else, then `head`, or `wake`. */
export type Work = {
  readonly owner: string;
  readonly step: number;
  readonly state: string | null;
  /** The same, read, where this process wrote it. */
  readonly stored: Stored | undefined;
  /** Replies have to wait, and messages behind them: only a wake-up may run, and nothing may be sent. */
  readonly isPutOff: boolean;
  readonly outbox: readonly OutboxEntry[];
  readonly tried: Tried | null;
  readonly takeover: boolean;
  readonly head: InboxMessage | null;
  /** The head was filed after the last question was delivered: its writer could know that. */
  readonly current: boolean;
  readonly wake: boolean;
  /** When the state asked to be woken; 0: never. It stays so until a commit says otherwise. */
  readonly wakeMs: number;
  /** 1 plus the number of attempts that failed since the last commit; a lease given back is none. */
  readonly attempts: number;
  readonly dropped: number;
  readonly journal: ConversationRecord['journal'];
  readonly nowMs: number;
};

export const MAX_INBOX = 50;
const MAX_INBOX_BYTES = 64 * 1024;
/** Dead letters of a conversation. */
const MAX_LETTERS = 20;

/** What is written where a change changes nothing. */
const same = <Answer>(record: ConversationRecord | null, answer: Answer) => ({ record, answer });

export type Accepted =
  | { readonly kind: 'leased'; readonly work: Work }
  /** Somebody else works on the conversation, or will: it is due. */
  | { readonly kind: 'queued' }
  | { readonly kind: 'duplicate' }
  /** The inbox is full: nothing was filed or remembered; the customer is told by the next turn. */
  | { readonly kind: 'full' };

export type Filing = {
  readonly id: string;
  /** Fresh for each delivery of the message: it tells a change that took effect already from a second delivery. */
  readonly nonce: string;
  readonly body: unknown;
  readonly schema: number;
  /** Filed however many messages wait: what an operator decided is no message of the customer's. */
  readonly uncapped?: boolean | undefined;
  /** Takes the lease, too, if nobody has it and nothing must wait. */
  readonly take?: Taking | undefined;
};

/** Files a message, which brings forward what waits. */
export function accept(filing: Filing): Transition<Accepted> {
  const { id, nonce, body, schema, uncapped = false, take: taking } = filing;
  const trace = traceOf(id);
  return (before, nowMs) => {
    const record = before ?? newRecord(nowMs);
    if (remembers(record.seen, trace, nowMs))
      return same(before, again(record, { id, nonce, taking }, nowMs));
    if (!uncapped && isFull(record, body)) {
      return { record: { ...record, dropped: record.dropped + 1 }, answer: { kind: 'full' } };
    }
    const inSeq = record.inSeq + 1;
    const waits = record.inbox.length > 0 || record.outbox.length > 0;
    const filed: ConversationRecord = {
      ...record,
      schema: Math.max(record.schema, schema),
      inSeq,
      inbox: [...record.inbox, { seq: inSeq, id, mark: nonce, body }],
      seen: remember(record.seen, trace, nowMs),
      notBeforeMs: waits ? Math.min(record.notBeforeMs, record.earliestMs) : nowMs,
    };
    const leased = taking === undefined ? null : leaseOf(filed, taking, nowMs);
    if (leased === null) return { record: filed, answer: { kind: 'queued' } };
    return { record: leased, answer: { kind: 'leased', work: workOf(leased, nowMs) } };
  };
}

function isFull({ inbox }: ConversationRecord, body: unknown): boolean {
  if (inbox.length === 0) return false;
  const bodies = [...inbox.map((message) => message.body), body];
  return inbox.length >= MAX_INBOX || JSON.stringify(bodies).length > MAX_INBOX_BYTES;
}

function again(
  record: ConversationRecord,
  { id, nonce, taking }: { id: string; nonce: string; taking: Taking | undefined },
  nowMs: number,
): Accepted {
  if (taking !== undefined && record.lease?.owner === taking.owner) {
    return { kind: 'leased', work: workOf(record, nowMs) };
  }
  const isMine = record.inbox.some((message) => message.id === id && message.mark === nonce);
  return { kind: isMine ? 'queued' : 'duplicate' };
}

/** `newer`: a newer process wrote something of it, and newer processes will work on it. */
export type Taken = { readonly kind: 'leased'; readonly work: Work } | { readonly kind: 'none' | 'newer' };

/** Takes the lease of a conversation where there is something to do now. */
export function take(taking: Taking): Transition<Taken> {
  return (record, nowMs) => {
    if (record === null) return same(record, { kind: 'none' });
    if (record.lease?.owner === taking.owner) {
      return same(record, { kind: 'leased', work: workOf(record, nowMs) });
    }
    if (record.schema > taking.schema) return same(record, { kind: 'newer' });
    const leased = leaseOf(record, taking, nowMs);
    if (leased !== null) return { record: leased, answer: { kind: 'leased', work: workOf(leased, nowMs) } };
    const ranOut = record.lease !== null && record.lease.untilMs <= nowMs;
    return { record: ranOut ? { ...record, lease: null } : record, answer: { kind: 'none' } };
  };
}

/** The record with the lease; null where it cannot be taken, or there is nothing to do. */
function leaseOf(record: ConversationRecord, taking: Taking, nowMs: number): ConversationRecord | null {
  const { owner, leaseMs, schema } = taking;
  const isFree = record.lease === null || record.lease.untilMs <= nowMs;
  if (!isFree || record.schema > schema) return null;
  const isReady = (record.inbox.length > 0 || record.outbox.length > 0) && record.notBeforeMs <= nowMs;
  if (!isReady && !isWoken(record, nowMs)) return null;
  const ranOut = record.lease !== null;
  return {
    ...record,
    // What this lease will write, older processes cannot read.
    schema,
    attempts: record.attempts + (ranOut ? 1 : 0),
    lease: { owner, untilMs: nowMs + leaseMs, step: 0, ...(ranOut && { takeover: true }) },
  };
}

const isWoken = ({ wakeMs }: ConversationRecord, nowMs: number): boolean => wakeMs > 0 && wakeMs <= nowMs;

function workOf(record: ConversationRecord, nowMs: number): Work {
  const { lease, state, stored, tried, attempts, dropped, journal, wakeMs } = record;
  const isPutOff = record.notBeforeMs > nowMs;
  const head = isPutOff ? null : (record.inbox[0] ?? null);
  return {
    ...{ owner: lease?.owner ?? '', step: lease?.step ?? 0, takeover: lease?.takeover ?? false },
    ...{ state, stored, isPutOff, outbox: isPutOff ? [] : record.outbox, tried },
    ...{ head, current: head !== null && head.seq > record.knew },
    wake: head === null && isWoken(record, nowMs),
    ...{ wakeMs, attempts: attempts + 1, dropped, journal, nowMs },
  };
}

/** Prolongs the lease; false: it is lost. A lease that ran out and that nobody took still counts. */
export function renew({ owner, leaseMs }: Omit<Taking, 'schema'>): Transition<boolean> {
  return (record, nowMs) => {
    if (record?.lease?.owner !== owner) return same(record, false);
    const untilMs = Math.max(record.lease.untilMs, nowMs + leaseMs);
    return { record: { ...record, lease: { ...record.lease, untilMs } }, answer: true };
  };
}

/** The record once its holder may change it: the step is noted. `done`: this very change took effect already. */
function hold(
  record: ConversationRecord | null,
  { owner, step, mark }: Held,
): { readonly kind: 'held' | 'done'; readonly record: ConversationRecord } | { readonly kind: 'stale' } {
  if (record?.lease?.owner !== owner) return { kind: 'stale' };
  if (record.lease.step === step) return { kind: 'done', record };
  if (record.lease.step !== step - 1) return { kind: 'stale' };
  if (mark !== null && record.inbox[0]?.mark !== mark) return { kind: 'stale' };
  return { kind: 'held', record: { ...record, lease: { ...record.lease, step } } };
}

export type Intended =
  /** Written by this very attempt: the call may be made, and none other may. */
  | { readonly kind: 'go' }
  /** Another attempt wrote it, and may have made the call: none is made. */
  | { readonly kind: 'known'; readonly call: PendingCall }
  | { readonly kind: 'stale' };

export type Outcomes = Readonly<Record<string, unknown>>;

/** Writes down that a call is about to be made, and how calls before it ended. */
export function intend(
  held: Held,
  call: {
    readonly operation: string;
    readonly by: string;
    readonly body: unknown;
    readonly outcomes?: Outcomes;
  },
): Transition<Intended> {
  const { operation, by, body, outcomes = {} } = call;
  return (before, nowMs) => {
    const state = hold(before, held);
    if (state.kind === 'stale') return same(before, state);
    const { record } = state;
    const known = record.journal[operation];
    if (state.kind === 'done') {
      return same(before, known === undefined ? { kind: 'stale' } : callAnswer(known, by));
    }
    const journal = withOutcomes(record.journal, outcomes);
    if (known !== undefined) return { record: { ...record, journal }, answer: callAnswer(known, by) };
    return {
      record: { ...record, journal: { ...journal, [operation]: { by, atMs: nowMs, body } } },
      answer: { kind: 'go' },
    };
  };
}

const callAnswer = (call: PendingCall, by: string): Intended =>
  call.by === by ? { kind: 'go' } : { kind: 'known', call };

function withOutcomes(journal: ConversationRecord['journal'], outcomes: Outcomes) {
  const changed = Object.entries(outcomes).flatMap(([operation, outcome]) => {
    const call = journal[operation];
    return call === undefined ? [] : [[operation, { ...call, outcome }] as const];
  });
  return changed.length === 0 ? journal : { ...journal, ...Object.fromEntries(changed) };
}

export type Commit = {
  readonly state: string;
  /** The same, as it was before it was written. */
  readonly stored?: Stored | undefined;
  readonly replies: readonly Omit<OutboxEntry, 'seq'>[];
  /** The message that it was decided from is answered. */
  readonly consumed: boolean;
  readonly wakeMs: number | null;
  /** Operations whose outcome is known for good. */
  readonly settled: readonly string[];
  /** Drops the dead letters, but for those of this change. */
  readonly forget?: boolean | undefined;
  readonly dead?: readonly Omit<Letter, 'atMs'>[] | undefined;
  /** How many dropped messages the turn was told of. */
  readonly dropped: number;
  /** What indexes have of the state. */
  readonly listed?: readonly Listed[] | undefined;
};

/** Number of the first reply; null: stale, nothing was changed. */
export type Committed = { readonly firstSeq: number } | null;

/** Ends a step: state, replies, removal of the message, wake-up, settled calls, dead letters; all or nothing. */
export function commit(held: Held, change: Commit): Transition<Committed> {
  return (before, nowMs) => {
    const holding = hold(before, held);
    if (holding.kind === 'stale') return same(before, null);
    const { record } = holding;
    if (holding.kind === 'done') return same(before, { firstSeq: record.outSeq - change.replies.length + 1 });
    const { handed: _, ...lease } = { ...leaseIn(record), handed: undefined };
    const journal = { ...record.journal };
    for (const operation of change.settled) delete journal[operation];
    const letters = (change.dead ?? []).map((letter) => ({ ...letter, atMs: nowMs }));
    return {
      record: {
        ...record,
        lease,
        state: change.state,
        stored: change.stored,
        inbox: change.consumed ? record.inbox.slice(1) : record.inbox,
        outbox: [
          ...record.outbox,
          ...change.replies.map((reply, at) => ({ ...reply, seq: record.outSeq + at + 1 })),
        ],
        outSeq: record.outSeq + change.replies.length,
        journal,
        wakeMs: change.wakeMs ?? 0,
        attempts: 0,
        dropped: Math.max(0, record.dropped - change.dropped),
        listed: change.listed ?? [],
        dead: [...(change.forget ? [] : lettersLeft(record, letters)), ...letters].slice(-MAX_LETTERS),
      },
      answer: { firstSeq: record.outSeq + 1 },
    };
  };
}

/** A letter of the same id takes the place of the one before it. */
const lettersLeft = ({ dead }: ConversationRecord, letters: readonly Letter[]): Letter[] =>
  dead.filter(({ id }) => letters.every((letter) => letter.id !== id));

function leaseIn({ lease }: ConversationRecord) {
  if (lease === null) throw new TypeError('a record that is held has a lease');
  return lease;
}

/**
 * How long a conversation is put off. `leastMs`: a new message may bring that forward to this (unsaid: it may not).
 * `tried` is kept for the next work; unsaid, it begins anew. `madeAtMs`: when the first reply that is left was made.
 * `all`: wake-ups wait, too; those of replies that wait do not.
 */
export type Wait = {
  readonly afterMs: number;
  readonly leastMs?: number | undefined;
  readonly tried?: Tried | undefined;
  readonly madeAtMs?: number | undefined;
  readonly all?: boolean | undefined;
};

/** `sentSeq`: nothing is left to do up to this reply. */
export type Release = {
  readonly sentSeq: number;
  readonly wait?: Wait | undefined;
  readonly leaseMs: number;
  readonly schema: number;
  /** How calls of a turn ended that is given back. */
  readonly outcomes?: Outcomes | undefined;
};

/**
 * Ends a delivery: drops what was sent, and hands over what is next under the same lease, or frees the lease (null). What is
 * left of the outbox comes before any further step, so then the lease is freed, and whoever takes it next gets the outbox.
 */
export function release(
  held: Held,
  { sentSeq, wait, leaseMs, schema, outcomes = {} }: Release,
): Transition<Work | null> {
  return (before, nowMs) => {
    const holding = hold(before, held);
    if (holding.kind === 'stale') return same(before, null);
    if (holding.kind === 'done') return same(before, workOf(holding.record, nowMs));
    const { record } = holding;
    const outbox = record.outbox.filter(({ seq }) => seq > sentSeq);
    const asked = record.outbox.some(({ seq, asks }) => seq <= sentSeq && asks);
    const delivered = {
      ...record,
      outbox,
      journal: withOutcomes(record.journal, outcomes),
      knew: asked ? record.inSeq : record.knew,
      undeliveredMs: outbox.length === 0 ? 0 : (wait?.madeAtMs ?? record.undeliveredMs),
    };
    const more = record.inbox.length > 0 || isWoken(record, nowMs);
    if (more && wait === undefined && outbox.length === 0 && record.schema <= schema) {
      const lease = leaseIn(record);
      const handed: ConversationRecord = {
        ...delivered,
        tried: null,
        notBeforeMs: Math.min(record.notBeforeMs, nowMs),
        attempts: record.attempts + (lease.handed ? 1 : 0),
        lease: { ...lease, untilMs: nowMs + leaseMs, handed: true },
      };
      return { record: handed, answer: workOf(handed, nowMs) };
    }
    return { record: { ...delivered, lease: null, ...putOff(delivered, wait, nowMs) }, answer: null };
  };
}

function putOff(
  record: ConversationRecord,
  wait: Wait | undefined,
  nowMs: number,
): Pick<ConversationRecord, 'notBeforeMs' | 'earliestMs' | 'tried' | 'wakeMs'> {
  const { wakeMs, notBeforeMs, earliestMs, tried } = record;
  // A wake-up ran while replies waited: they go on to.
  const stays = record.notBeforeMs > nowMs && (wait === undefined || wait.all === true);
  const isIdle = record.inbox.length === 0 && record.outbox.length === 0;
  const { afterMs = 0, leastMs = afterMs, tried: again, all = false }: Partial<Wait> = wait ?? {};
  return {
    ...(stays
      ? { notBeforeMs, earliestMs, tried }
      : {
          notBeforeMs: isIdle && wait === undefined ? 0 : nowMs + afterMs,
          earliestMs: isIdle && wait === undefined ? 0 : nowMs + leastMs,
          tried: again ?? null,
        }),
    wakeMs: all && wakeMs > 0 ? Math.max(wakeMs, nowMs + afterMs) : wakeMs,
  };
}

/** Removes a dead letter; null: there is none of that id. */
export function takeLetter(id: string): Transition<Letter | null> {
  return (record) => {
    const letter = record?.dead.find((one) => one.id === id);
    if (!record || letter === undefined) return same(record, null);
    return { record: { ...record, dead: record.dead.filter((one) => one !== letter) }, answer: letter };
  };
}

/** When somebody must look at the conversation; null: never. */
function dueMs({ lease, inbox, outbox, notBeforeMs, wakeMs }: ConversationRecord): number | null {
  if (lease !== null) return lease.untilMs;
  const waitsMs = inbox.length > 0 || outbox.length > 0 ? notBeforeMs : Number.POSITIVE_INFINITY;
  const at = Math.min(waitsMs, wakeMs > 0 ? wakeMs : Number.POSITIVE_INFINITY);
  return Number.isFinite(at) ? at : null;
}

const STATE_MS = 180 * 24 * 60 * 60 * 1000;

export const CONVERSATION: Kind<ConversationRecord> = {
  kind: 'c',
  ttlMs: STATE_MS,
  write: writeRecord,
  read: readRecord,
  entries,
  own: ['due', 'undelivered', 'dead', 'unclear'],
};

function entries(name: string, record: ConversationRecord): Filed[] {
  const { undeliveredMs, dead, journal, listed } = record;
  const at = dueMs(record);
  const [letter] = dead;
  const open = Object.entries(journal).filter(([, { outcome }]) => outcome === undefined);
  return [
    ...(at === null ? [] : [{ index: 'due', member: name, score: at } as const]),
    ...(undeliveredMs === 0 ? [] : [{ index: 'undelivered', member: name, score: undeliveredMs } as const]),
    ...(letter === undefined ? [] : [{ index: 'dead', member: name, score: letter.atMs } as const]),
    ...open.map(
      ([operation, { atMs }]) => ({ index: 'intents', member: `${name}:${operation}`, score: atMs }) as const,
    ),
    ...listed.flatMap(({ index, part, score }): Filed[] => {
      const member = part === undefined ? name : `${name}:${part}`;
      return index === 'tickets' || index === 'unclear' ? [{ index, member, score }] : [];
    }),
  ];
}
