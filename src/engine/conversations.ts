import { LeaseLost } from '../conversation/effect.ts';
import { VERSION } from '../conversation/state.ts';
import type { Runtime } from '../runtime.ts';
import { StoreUnavailable } from '../store/port.ts';
import type { EngineLimits } from './limits.ts';
import type { Incoming } from './messages.ts';
import type { ConversationRecord, InboxMessage } from './record.ts';
import {
  type AcceptResult,
  accept,
  type Commit,
  type ConversationTransition,
  commit,
  type Filing,
  type IntendedCall,
  type IntendResult,
  intend,
  type LeaseRequest,
  NEVER_TRIED,
  type Precondition,
  type Release,
  release,
  renew,
  type Tries,
  take,
} from './transitions.ts';
import type { UpdateOptions, UpdateResult, VersionedRecords } from './versioned-records.ts';

/** A message that this process just filed. It is kept parsed, so that the turn need not parse it again. */
export type FiledMessage = { readonly deliveryId: string; readonly incoming: Incoming };

export type LeaseOrigin = {
  readonly record: ConversationRecord;
  /** The store's clock when the record was written. */
  readonly nowMs: number;
  /** When the lease ends on this process's monotonic clock, or a little before its end. */
  readonly aliveUntilMs: number;
  readonly filed?: FiledMessage | undefined;
};

/** This process's right to work on a conversation, with the conversation's record. */
export class Lease {
  readonly conversation: string;
  readonly owner: string;
  readonly filed: FiledMessage | undefined;
  /** The record after the last change under the lease, and the store's clock at that change. */
  record: ConversationRecord;
  nowMs: number;
  aliveUntilMs: number;
  /** Whether replies have to wait: nothing may be sent, and no message be answered. */
  isPutOff = false;
  /** The message to answer; null: none, or messages have to wait. */
  head: InboxMessage | null = null;
  /** Whether there is a wake-up to handle and no message to answer. */
  isWoken = false;
  /** The number of the last change under the lease. */
  step: number;
  /** All items of the outbox up to this number are done. */
  sentSeq = 0;
  /** Earlier tries to send the first reply in the outbox. */
  tried: Tries;
  /** AntCRM may have been called for the turn at work, so the turn must be finished. */
  pastIntent = false;
  isLost = false;
  /** The delivery id of the message that the next change is decided from. */
  #deliveryId: string | null = null;
  /** Created when it is first asked for: most turns make no call that could be aborted. */
  #abort: AbortController | undefined;

  constructor(conversation: string, { record, nowMs, aliveUntilMs, filed }: LeaseOrigin) {
    this.conversation = conversation;
    this.filed = filed;
    this.record = record;
    this.nowMs = nowMs;
    this.aliveUntilMs = aliveUntilMs;
    this.owner = record.lease?.owner ?? '';
    this.step = record.lease?.step ?? 0;
    this.tried = record.retry ?? NEVER_TRIED;
    this.beginNext(record.retry !== null && record.retry.atMs > nowMs);
  }

  /** How often the work was begun since the last commit, this time included. */
  get attempt(): number {
    return this.record.attempts + 1;
  }

  /** What the next change by the holder requires. */
  get precondition(): Precondition {
    return { owner: this.owner, step: this.step + 1, deliveryId: this.#deliveryId };
  }

  /**
   * Notes a change that the holder made. The work to do (`head`, `isWoken`, `isPutOff`) stays the same until
   * `beginNext`, even if waiting replies become due: new replies must not overtake them.
   */
  advance(record: ConversationRecord | null, nowMs: number): void {
    this.step += 1;
    if (record === null) return;
    this.record = record;
    this.nowMs = nowMs;
  }

  /** The current message is answered: the next change does not depend on a message. */
  endMessage(): void {
    this.#deliveryId = null;
  }

  /** Chooses the next work: a message, a wake-up or nothing. */
  beginNext(isPutOff = false): void {
    const { record, nowMs } = this;
    this.isPutOff = isPutOff;
    this.head = isPutOff ? null : (record.inbox[0] ?? null);
    this.isWoken = this.head === null && record.wakeMs > 0 && record.wakeMs <= nowMs;
    this.#deliveryId = this.head?.mark ?? null;
  }

  lose(): void {
    this.isLost = true;
    this.#abort?.abort();
  }

  /** Aborts once the lease is known to be lost. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isLost) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Throws `LeaseLost` if the lease is known to be lost. */
  assertNotLost(): void {
    if (this.isLost) throw new LeaseLost();
  }
}

/**
 * What became of a claim. `taken`: another process was faster, or nothing is left to do. `left`: only a newer
 * process can work on the conversation.
 */
export type ClaimResult = Lease | 'taken' | 'left';

/**
 * Decides a turn within the swap that files its message. It gets the record, whose lease was just taken. It
 * may be called again if another process was faster, so it must have no effect but its result. Null: the
 * message is only filed.
 */
export type DecideAtOnce = (record: ConversationRecord, nowMs: number) => ConversationRecord | null;

export type ConversationRecords = Pick<VersionedRecords<ConversationRecord>, 'update' | 'isKnown'>;

export type ConversationsParts = {
  readonly records: ConversationRecords;
  readonly runtime: Runtime;
  readonly limits: Pick<EngineLimits, 'leaseMs' | 'renewMs'>;
  onError(error: unknown): void;
};

/** How soon an unconfirmed release is tried again. Each further wait is twice as long. */
const RELEASE_RETRY_MS = 250;

/**
 * The changes of conversations' records: accept, claim, renew, intend, commit, release. All reject with
 * `StoreUnavailable` if the store did not confirm; the change may have taken effect all the same.
 *
 * @example
 * const lease = await conversations.claim(name);
 * if (typeof lease !== 'object') return lease;
 * await conversations.commit(lease, decided);
 * await conversations.release(lease);
 */
export class Conversations {
  readonly #parts: ConversationsParts;
  /** Leases at work. They are renewed. */
  readonly #live = new Set<Lease>();
  #isRunning = false;

  constructor(parts: ConversationsParts) {
    this.#parts = parts;
  }

  /** Whether a message of the conversation can be filed without reading its record first. */
  isKnown(conversation: string): boolean {
    return this.#parts.records.isKnown(conversation);
  }

  /**
   * Files a message. With `take`, it takes the lease if it is free, and `decideAtOnce` goes on in the same
   * swap.
   *
   * @example
   * const { answer, record } = await conversations.accept(name, { id, deliveryId, body, take: true });
   */
  accept(
    conversation: string,
    { take: isTaking, ...filing }: Omit<Filing, 'schema' | 'take'> & { readonly take: boolean },
    decideAtOnce?: DecideAtOnce,
  ): Promise<UpdateResult<ConversationRecord, AcceptResult>> {
    const file = accept({ ...filing, schema: VERSION, take: isTaking ? this.#leaseRequest() : undefined });
    if (decideAtOnce === undefined) return this.#parts.records.update(conversation, file);
    return this.#parts.records.update(conversation, (before, nowMs) => {
      const { record, answer } = file(before, nowMs);
      const decided = answer === 'leased' && record !== null ? decideAtOnce(record, nowMs) : null;
      return { record: decided ?? record, answer };
    });
  }

  /** Takes the lease of a conversation that is listed as due. */
  async claim(conversation: string): Promise<ClaimResult> {
    const aliveUntilMs = this.#parts.runtime.monotonicMs() + this.#parts.limits.leaseMs;
    const taken = await this.#parts.records.update(conversation, take(this.#leaseRequest()), {
      listed: true,
    });
    const { answer, record, nowMs } = taken;
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
    else if (this.#live.has(lease)) lease.lose();
    return answer;
  }

  /** Throws `LeaseLost`, also if the lease has ended by this process's clock. */
  assertHeld(lease: Lease): void {
    if (this.#parts.runtime.monotonicMs() >= lease.aliveUntilMs) lease.lose();
    lease.assertNotLost();
  }

  /** Renews the lease from now on, until `drop`. Both return how many leases are at work. */
  hold(lease: Lease): number {
    return this.#live.add(lease).size;
  }

  drop(lease: Lease): number {
    this.#live.delete(lease);
    return this.#live.size;
  }

  /** The call may be made if `intended` is `go` and `durable` is true: enough replicas have the intent. */
  async intend(
    lease: Lease,
    call: Omit<IntendedCall, 'by'>,
  ): Promise<{ readonly intended: IntendResult; readonly durable: boolean }> {
    const by = `${lease.owner}:${lease.step + 1}`;
    const trip = { name: 'intend', operation: call.operation } as const;
    const intending = intend(lease.precondition, { ...call, by });
    const { answer, durable } = await this.#change(lease, intending, { durable: true, trip });
    return { intended: answer, durable };
  }

  /** Throws `LeaseLost` if another process has taken over. */
  async commit(lease: Lease, decided: Commit): Promise<void> {
    const { answer } = await this.#change(lease, commit(lease.precondition, decided), {
      trip: { name: 'commit' },
    });
    if (!answer) throw new LeaseLost();
    if (decided.consumed) lease.endMessage();
  }

  /**
   * Ends a delivery. True: the lease goes on with the next work. It tries until the lease ends, because a
   * reply that is not noted as sent would be sent again.
   */
  async release(lease: Lease, ending: Pick<Release, 'wait' | 'outcomes'> = {}): Promise<boolean> {
    const { runtime, limits } = this.#parts;
    lease.endMessage();
    const releasing = { ...ending, sentSeq: lease.sentSeq, leaseMs: limits.leaseMs, schema: VERSION };
    for (let waitMs = RELEASE_RETRY_MS; ; waitMs *= 2) {
      try {
        const { answer } = await this.#change(lease, release(lease.precondition, releasing));
        if (answer) lease.beginNext();
        return answer;
      } catch (error) {
        const isOver = runtime.monotonicMs() + waitMs >= lease.aliveUntilMs;
        if (!(error instanceof StoreUnavailable) || isOver) throw error;
      }
      await runtime.sleep(waitMs);
    }
  }

  start(): void {
    this.#isRunning = true;
    this.#parts.runtime.timer(this.#parts.limits.renewMs, () => this.#renewAll());
  }

  stop(): void {
    this.#isRunning = false;
  }

  #renewAll(): void {
    if (!this.#isRunning) return;
    for (const lease of this.#live) this.isHeld(lease).catch(this.#parts.onError);
    this.#parts.runtime.timer(this.#parts.limits.renewMs, () => this.#renewAll());
  }

  #leaseRequest(): LeaseRequest {
    const { runtime, limits } = this.#parts;
    return { owner: runtime.id(), leaseMs: limits.leaseMs, schema: VERSION };
  }

  /** A change that only the holder may make. */
  async #change<Answer>(
    lease: Lease,
    transition: ConversationTransition<Answer>,
    options?: UpdateOptions,
  ): Promise<UpdateResult<ConversationRecord, Answer>> {
    const updated = await this.#parts.records.update(lease.conversation, transition, options);
    lease.advance(updated.record, updated.nowMs);
    return updated;
  }
}
