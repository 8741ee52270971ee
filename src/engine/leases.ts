import type { AtWork } from '../observability/tracing.ts';
import type { VersionedRecords } from '../records/versioned-records.ts';
import type { Runtime, Timer } from '../runtime.ts';
import type { EngineLimits } from './limits.ts';
import type { Incoming } from './messages.ts';
import type { ConversationRecord, InboxMessage } from './record.ts';
import { isPutOff, renew, take } from './transitions.ts';

/** A message that this process just filed, parsed. `mark`: of this delivery (`Filing`). */
export type FiledMessage = { readonly mark: string; readonly incoming: Incoming };

/**
 * The right to work on a conversation, with the record that it is for, as both were at one confirmed change.
 * A value: it never changes.
 */
export type Lease = {
  readonly conversation: string;
  readonly record: ConversationRecord;
  /** The store's clock at that change. */
  readonly nowMs: number;
  /** The message that was filed when the lease was taken. */
  readonly filed?: FiledMessage | undefined;
};

/** What a lease holder does next. It stays the same until it is done, even if waiting replies become due. */
export type NextWork = {
  /** The message to answer; null: none, or messages have to wait. */
  readonly head: InboxMessage | null;
  /** Whether there is a wake-up to handle and no message to answer. */
  readonly isWoken: boolean;
  /** Whether replies have to wait: nothing may be sent, and no message be answered. */
  readonly isPutOff: boolean;
};

/** Chooses a message, a wake-up or nothing. */
export function chooseWork({ record, nowMs }: Lease, { isFirst }: { readonly isFirst: boolean }): NextWork {
  // Later under the lease, replies do not wait: it would have been given back with them.
  const isWaiting = isFirst && isPutOff(record, nowMs);
  const head = isWaiting ? null : (record.inbox[0] ?? null);
  const isWoken = head === null && record.wakeMs > 0 && record.wakeMs <= nowMs;
  return { head, isWoken, isPutOff: isWaiting };
}

/**
 * A lease that this process holds, from the moment it was taken until its work ends. `Lease` is a value; this
 * is what changes meanwhile, and only its methods change it.
 */
export class HeldLease {
  readonly conversation: string;
  readonly owner: string;
  /** How many leases of the conversation had run out when this one was taken. */
  readonly runOuts: number;
  /** What log lines and spans name meanwhile. */
  readonly atWork: AtWork;
  /** The lease as it was at the last confirmed change. */
  lease: Lease;
  /** When the lease ends on this process's monotonic clock, or a little before its end. */
  aliveUntilMs: number;
  isLost = false;
  /** Created when it is first asked for: most turns make no call that could be aborted. */
  #abort: AbortController | undefined;

  constructor(lease: Lease, aliveUntilMs: number) {
    this.conversation = lease.conversation;
    this.owner = lease.record.lease?.owner ?? '';
    this.runOuts = lease.record.runOuts;
    this.atWork = { conversation: lease.conversation };
    this.lease = lease;
    this.aliveUntilMs = aliveUntilMs;
  }

  /** Aborted when the lease is lost. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isLost) this.#abort.abort();
    return this.#abort.signal;
  }

  /** A change under the lease was confirmed. */
  advance(record: ConversationRecord, nowMs: number): void {
    const { conversation, filed } = this.lease;
    this.lease = { conversation, record, nowMs, filed };
  }

  prolong(untilMs: number): void {
    this.aliveUntilMs = untilMs;
  }

  lose(): void {
    this.isLost = true;
    this.#abort?.abort();
  }
}

/**
 * What became of a claim. `taken`: another process was faster, or nothing is left to do. `left`: only a newer
 * process can work on the conversation.
 */
export type ClaimResult = HeldLease | 'taken' | 'left';

export type ConversationRecords = Pick<VersionedRecords<ConversationRecord>, 'update' | 'isKnown'>;

export type LeasesParts = {
  readonly records: ConversationRecords;
  readonly runtime: Runtime;
  readonly limits: Pick<EngineLimits, 'leaseMs' | 'renewMs'>;
  onError(error: unknown): void;
};

/**
 * The leases of this process. Methods reject with `StoreUnavailable` if the store did not confirm; the change
 * may have taken effect all the same.
 *
 * @example
 * const held = await leases.claim(name);
 * if (typeof held === 'object') leases.live.add(held);
 */
export class Leases {
  readonly #parts: LeasesParts;
  /** Leases at work. They are renewed as long as they are here. */
  readonly live = new Set<HeldLease>();
  #timer: Timer | undefined;

  constructor(parts: LeasesParts) {
    this.#parts = parts;
  }

  async claim(conversation: string): Promise<ClaimResult> {
    const { records, runtime, limits } = this.#parts;
    const aliveUntilMs = runtime.monotonicMs() + limits.leaseMs;
    const taking = take({ owner: runtime.id(), leaseMs: limits.leaseMs });
    const { answer, record, nowMs } = await records.update(conversation, taking, { listed: true });
    if (answer === 'leased' && record !== null)
      return new HeldLease({ conversation, record, nowMs }, aliveUntilMs);
    return answer === 'newer' ? 'left' : 'taken';
  }

  /**
   * Renews the lease in the store. Resolves to whether it is still held, which a process that was suspended
   * cannot know by itself; if not, it is lost.
   */
  async renew(held: HeldLease): Promise<boolean> {
    const { records, runtime, limits } = this.#parts;
    const aliveUntilMs = runtime.monotonicMs() + limits.leaseMs;
    const renewing = renew({ owner: held.owner, leaseMs: limits.leaseMs });
    const { answer } = await records.update(held.conversation, renewing);
    if (answer) held.prolong(aliveUntilMs);
    else if (this.live.has(held)) held.lose();
    return answer;
  }

  /** Whether it is held, by what this process knows: neither lost, nor over by this process's clock. */
  isAlive(held: HeldLease): boolean {
    return !held.isLost && this.#parts.runtime.monotonicMs() < held.aliveUntilMs;
  }

  /** Renews the leases at work from time to time, until `stop`. */
  start(): void {
    this.#timer = this.#parts.runtime.timer(this.#parts.limits.renewMs, () => {
      for (const held of this.live) this.renew(held).catch(this.#parts.onError);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
