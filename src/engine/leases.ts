import { LeaseLost } from '../conversation/effect.ts';
import type { AtWork } from '../observability/tracing.ts';
import type { Runtime, Timer } from '../runtime.ts';
import type { EngineLimits } from './limits.ts';
import type { Incoming } from './messages.ts';
import type { ConversationRecord, InboxMessage } from './record.ts';
import { NEVER_TRIED, renew, type Tries, take } from './transitions.ts';
import type { VersionedRecords } from './versioned-records.ts';

/** A message that this process just filed, parsed. */
export type FiledMessage = { readonly deliveryId: string; readonly incoming: Incoming };

export type LeaseOrigin = Pick<Lease, 'record' | 'nowMs' | 'aliveUntilMs'> & {
  readonly filed?: FiledMessage | undefined;
};

/** This process's right to work on a conversation, with the conversation's record. */
export class Lease {
  readonly conversation: string;
  readonly owner: string;
  readonly filed: FiledMessage | undefined;
  /** What log lines and spans name while the lease is at work. */
  readonly atWork: AtWork;
  /** The record after the last change under the lease, and the store's clock at that change. */
  record: ConversationRecord;
  nowMs: number;
  /** When the lease ends on this process's monotonic clock, or a little before its end. */
  aliveUntilMs: number;
  /** Whether replies have to wait: nothing may be sent, and no message be answered. */
  isPutOff = false;
  /** The message to answer; null: none, or messages have to wait. */
  head: InboxMessage | null = null;
  /** Whether there is a wake-up to handle and no message to answer. */
  isWoken = false;
  /** All items of the outbox up to this number are done. */
  sentSeq = 0;
  /** Earlier tries to send the first reply in the outbox. */
  tried: Tries;
  /** AntCRM may have been called for the turn at work, so the turn must be finished. */
  pastIntent = false;
  isLost = false;
  /** Created when it is first asked for: most turns make no call that could be aborted. */
  #abort: AbortController | undefined;

  constructor(conversation: string, { record, nowMs, aliveUntilMs, filed }: LeaseOrigin) {
    this.conversation = conversation;
    this.filed = filed;
    this.atWork = { conversation };
    this.record = record;
    this.nowMs = nowMs;
    this.aliveUntilMs = aliveUntilMs;
    this.owner = record.lease?.owner ?? '';
    this.tried = record.retry ?? NEVER_TRIED;
    this.beginNext(record.retry !== null && record.retry.atMs > nowMs);
  }

  /**
   * Chooses the next work: a message, a wake-up or nothing. It stays the same until the next call, even if
   * waiting replies become due: new replies must not overtake them.
   */
  beginNext(isPutOff = false): void {
    const { record, nowMs } = this;
    this.isPutOff = isPutOff;
    this.head = isPutOff ? null : (record.inbox[0] ?? null);
    this.isWoken = this.head === null && record.wakeMs > 0 && record.wakeMs <= nowMs;
  }

  lose(): void {
    this.isLost = true;
    this.#abort?.abort();
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isLost) this.#abort.abort();
    return this.#abort.signal;
  }
}

/**
 * What became of a claim. `taken`: another process was faster, or nothing is left to do. `left`: only a newer
 * process can work on the conversation.
 */
export type ClaimResult = Lease | 'taken' | 'left';

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
 * const lease = await leases.claim(name);
 * if (typeof lease === 'object') leases.live.add(lease);
 */
export class Leases {
  readonly #parts: LeasesParts;
  /** Leases at work. They are renewed as long as they are here. */
  readonly live = new Set<Lease>();
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
      return new Lease(conversation, { record, nowMs, aliveUntilMs });
    return answer === 'newer' ? 'left' : 'taken';
  }

  /** Asks the store whether the lease is still held, which a process that was suspended cannot know. */
  async isHeld(lease: Lease): Promise<boolean> {
    const { records, runtime, limits } = this.#parts;
    const aliveUntilMs = runtime.monotonicMs() + limits.leaseMs;
    const renewing = renew({ owner: lease.owner, leaseMs: limits.leaseMs });
    const { answer } = await records.update(lease.conversation, renewing);
    if (answer) lease.aliveUntilMs = aliveUntilMs;
    else if (this.live.has(lease)) lease.lose();
    return answer;
  }

  /** Throws `LeaseLost`, also if the lease has ended by this process's clock. */
  assertHeld(lease: Lease): void {
    if (this.#parts.runtime.monotonicMs() >= lease.aliveUntilMs) lease.lose();
    if (lease.isLost) throw new LeaseLost();
  }

  /** Renews the leases at work from time to time, until `stop`. */
  start(): void {
    this.#timer = this.#parts.runtime.timer(this.#parts.limits.renewMs, () => {
      for (const lease of this.live) this.isHeld(lease).catch(this.#parts.onError);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
