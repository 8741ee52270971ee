/**
 * Messages, leases and what a turn leaves. A mailbox keeps, per conversation: the messages accepted and not yet answered,
 * the state, the replies not yet delivered (outbox), a lease, and when to look at it next (due). Rules: `store.ts`.
 *
 * @example
 * const accepted = await store.accept({ conversation, id: '475', body, nonce: randomUUID(), take: true });
 * if (accepted.kind !== 'leased') return;
 * const committed = await store.commit(accepted.work, change);
 * // Deliver the outbox; here one reply was appended.
 * if (committed) await store.release(accepted.work, committed.firstSeq);
 */
export interface Mailbox {
  /**
   * Files a message, which brings forward what waits (`Wait`); with `take`, takes the conversation's lease if nobody
   * holds it and nothing must wait. Remembers the last 100 ids that it filed of a conversation for 48 h. At most `mailboxCap` messages
   * wait (`StoreOptions`); more are dropped and counted (`dropped` of the next work), and may come again. What a newer process wrote
   * (`schema`) is left to newer processes: `queued`. `nonce` is fresh for each call: it tells a re-sent command from a
   * second delivery of the same message.
   */
  accept(message: NewMessage): Promise<Accepted>;

  /**
   * Takes the leases of up to `room` conversations that are due: expired leases, waiting messages nobody took,
   * wake-ups, postponed deliveries. All shards are seen within 2 s when called every `SWEEP_MS`.
   * Leaves conversations that a newer process wrote to: filing a message or taking a lease raises the schema of the
   * conversation to that of the process, and nothing lowers it.
   */
  claim(room: number): Promise<Work[]>;

  /** Extends the lease by `LEASE_MS`. False: the lease is lost, and what its holder computes is void. */
  renew(lease: Lease): Promise<boolean>;

  /**
   * Ends a step: saves the state, appends to the outbox, removes the head message, sets the wake-up, forgets settled
   * intents and, where asked to, dead letters; all or nothing. False: the lease or the version is stale, nothing was
   * changed, discard everything.
   */
  commit(lease: Lease, change: Change): Promise<Committed | false>;

  /**
   * Ends a delivery: drops the outbox up to and including `sentSeq`, then hands over the next work under the same
   * lease, or frees the lease (null), also where that is for newer processes. With `wait` the lease is freed, and nobody
   * gets work of this conversation until it is over. Null, too, if the lease is stale. A lease given back with an outbox
   * or a head unfinished is due again (at once where there is nothing to wait for).
   * Work that a release handed over, and that comes again without a commit, has one attempt more. `nonce` is fresh for
   * each release, and the same where it is asked for once more because the store did not confirm.
   */
  release(lease: Lease, sentSeq: number, wait?: Wait, nonce?: string): Promise<Next | null>;
}

export const LEASE_MS = 15_000;
export const SWEEP_MS = 500;
export const DEDUPE_IDS = 100;

/**
 * The right to work on a conversation: only the lease with the highest fence can change anything. A store that lost its
 * last writes in a failover may give the same fence once more; the nonce, of the command that took the lease, differs.
 *
 * `mark` is the nonce of the release that handed over what is worked on, if one did. `commit` and `intend` are stale where
 * the store does not know of it any more: it lost the message, too, and gives its number to the next one.
 */
export type Lease = {
  readonly conversation: string;
  readonly fence: number;
  readonly nonce: string;
  readonly mark?: string | undefined;
};

export type NewMessage = {
  readonly conversation: string;
  /** The channel's own id of the message; the same id counts once. */
  readonly id: string;
  readonly body: Buffer;
  readonly nonce: string;
  readonly take: boolean;
  /** Filed however many messages wait: what an operator decided is no message of the customer's. */
  readonly uncapped?: boolean;
};

export type Accepted =
  | { readonly kind: 'leased'; readonly work: Work }
  /** Somebody else works on the conversation, or will: it is due. */
  | { readonly kind: 'queued' }
  | { readonly kind: 'duplicate' }
  /** The mailbox is full; the customer is told once, by the next turn (`dropped`). */
  | { readonly kind: 'full' };

/** What a lease holder gets to see first. Deliver the outbox before any step. */
export type Work = Lease &
  Next & {
    readonly version: number;
    readonly state: Buffer | null;
    readonly outbox: readonly OutboxEntry[];
    /** As the last release left it. */
    readonly tried: Tried;
    /** The store had the conversation and lost its state, though not all else; told until a commit or a release. */
    readonly lost: boolean;
    /** The lease before this one ran out: its process died, or hangs. */
    readonly takeover: boolean;
  };

/** Sends of the first reply of the outbox that the platform perhaps took: how many, and when the first was (epoch ms). */
export type Tried = { readonly times: number; readonly sinceMs: number };
export const NEVER_TRIED: Tried = { times: 0, sinceMs: 0 };

/**
 * How long a conversation is put off, ms from now: nobody works on it for `afterMs`, unless a message is filed, which may
 * bring that forward to `leastMs` (unsaid: it may not). `tried` is kept for the next work; unsaid, it begins anew.
 * `madeAtMs`: when the first reply that is left was made (epoch ms), for the backlog; unsaid, that stays as it was.
 */
export type Wait = {
  readonly afterMs: number;
  readonly leastMs?: number | undefined;
  readonly tried?: Tried | undefined;
  readonly madeAtMs?: number | undefined;
};

/**
 * What is to be done: at most one of a head message and a wake-up (messages go first); neither: only the outbox was
 * left. `attempts` is 1 plus the number of leases that expired since the last commit, and of releases that handed over the
 * same once more; leases given back do not count.
 */
export type Next = {
  readonly head: {
    readonly seq: number;
    readonly body: Buffer;
    readonly attempts: number;
    /** Filed after the last commit and the last delivery: its writer could know all that was said so far. */
    readonly current: boolean;
  } | null;
  /** The wake-up that the state asked for has come. It stays armed until a commit sets the next. */
  readonly wake: { readonly attempts: number } | null;
  /** Messages refused because the mailbox was full, of which no committed turn has been told yet. */
  readonly dropped: number;
  readonly nowMs: number;
};

/** `seq` rises by one with every reply of a conversation and never comes again. */
export type OutboxEntry = { readonly seq: number; readonly body: Buffer };

export type Change = {
  /** The version the step started from; it becomes version + 1. */
  readonly version: number;
  readonly state: Buffer;
  readonly outbox: readonly Buffer[];
  /** The head message this step answered. */
  readonly consumed: number | null;
  readonly wakeAtMs: number | null;
  /** Operations whose intents are to be forgotten. */
  readonly settled: readonly string[];
  /** Drops the conversation's dead letters and states kept aside, but for those of this change. */
  readonly forget?: boolean | undefined;
  /** A state that could not be opened, which this one takes the place of: kept for as long as a state, and not counted. */
  readonly aside?: Buffer | undefined;
  /** Messages or blobs to keep for operators: why, and the sealed body. */
  readonly dead?: readonly { readonly reason: string; readonly body: Buffer }[];
};

/** `firstSeq`: the number of the first appended outbox entry. */
export type Committed = { readonly firstSeq: number };
