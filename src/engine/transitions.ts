import type { Stored } from './bodies.ts';
import type { Transition as CellTransition, Filed, Kind } from './cell.ts';
import {
  type ConversationRecord,
  type InboxMessage,
  type Letter,
  type Listed,
  newRecord,
  type OutboxEntry,
  type PendingCall,
  readRecord,
  remember,
  remembers,
  type Tried,
  traceOf,
  writeRecord,
} from './record.ts';

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

/** What a lease holder gets to see. */
export type Work = {
  readonly owner: string;
  readonly step: number;
  readonly state: string | null;
  /** The same, read, where this process wrote it. */
  readonly stored: Stored | undefined;
  /** Replies have to wait, and messages behind them: only a wake-up may run, and nothing may be sent. */
  readonly isPutOff: boolean;
  /** To be delivered before anything else. */
  readonly outbox: readonly OutboxEntry[];
  readonly tried: Tried | null;
  readonly takeover: boolean;
} & Next;

/** What is to be done: at most one of a message and a wake-up; neither: only the outbox was left. */
export type Next = {
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
  const { lease, state, stored, outbox, tried, notBeforeMs } = record;
  return {
    owner: lease?.owner ?? '',
    step: lease?.step ?? 0,
    state,
    stored,
    isPutOff: notBeforeMs > nowMs,
    outbox: notBeforeMs <= nowMs ? outbox : [],
    tried,
    takeover: lease?.takeover ?? false,
    ...nextOf(record, nowMs),
  };
}

function nextOf(record: ConversationRecord, nowMs: number): Next {
  const { attempts, dropped, journal, wakeMs } = record;
  const head = record.notBeforeMs <= nowMs ? (record.inbox[0] ?? null) : null;
  return {
    head,
    current: head !== null && head.seq > record.knew,
    wake: head === null && isWoken(record, nowMs),
    wakeMs,
    attempts: attempts + 1,
    dropped,
    journal,
    nowMs,
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
  readonly outcomes?: Outcomes;
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
    const journal = { ...withOutcomes(record.journal, change.outcomes ?? {}) };
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
): Transition<Next | null> {
  return (before, nowMs) => {
    const holding = hold(before, held);
    if (holding.kind === 'stale') return same(before, null);
    if (holding.kind === 'done') return same(before, nextOf(holding.record, nowMs));
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
      return { record: handed, answer: nextOf(handed, nowMs) };
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
