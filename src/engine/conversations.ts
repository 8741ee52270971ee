import { LeaseLost } from '../conversation/effect.ts';
import { VERSION } from '../conversation/state.ts';
import type { Runtime } from '../runtime.ts';
import { StoreUnavailable } from '../store/port.ts';
import type { Limits } from './limits.ts';
import type { Incoming } from './messages.ts';
import type { ConversationRecord, InboxMessage } from './record.ts';
import {
  type Accepted,
  accept,
  type Commit,
  type ConversationTransition,
  commit,
  type Filing,
  type Held,
  type Intended,
  type IntendedCall,
  intend,
  type Release,
  release,
  renew,
  type Taking,
  take,
} from './transitions.ts';
import type { VersionedRecords } from './versioned-records.ts';

/** A message that this process filed a moment ago, under its delivery id: most often the head, so it is not parsed again. */
export type FiledMessage = { readonly mark: string; readonly incoming: Incoming };

/** The right of this process to work on a conversation, and the conversation's record as its last change left it. */
export class Lease {
  readonly conversation: string;
  readonly owner: string;
  readonly filed: FiledMessage | undefined;
  record: ConversationRecord;
  /** The store's clock when the record was as it is here. */
  nowMs: number;
  /** The message to answer; null: none, or messages have to wait. */
  head: InboxMessage | null;
  /** Whether there is no message to answer, but a wake-up. */
  isWoken: boolean;
  /** Whether replies have to wait: nothing may be sent. */
  isPutOff: boolean;
  /** The end of the lease on this process's monotonic clock; early rather than late. */
  aliveUntilMs: number;
  /** The number of the last change under the lease. */
  step: number;
  /** An intent was written for the turn at work: AntCRM may have been called, so the turn must be finished. */
  pastIntent = false;
  #mark: string | null;
  #isLost = false;
  /** Created when it is first asked for: most turns make no call that could be aborted. */
  #abort: AbortController | undefined;

  constructor(
    conversation: string,
    taken: { readonly record: ConversationRecord; readonly nowMs: number },
    { aliveUntilMs, filed }: { readonly aliveUntilMs: number; readonly filed?: FiledMessage | undefined },
  ) {
    this.conversation = conversation;
    this.filed = filed;
    const { record, nowMs } = taken;
    this.record = record;
    this.nowMs = nowMs;
    this.isPutOff = record.retry !== null && record.retry.atMs > nowMs;
    this.head = this.isPutOff ? null : (record.inbox[0] ?? null);
    this.isWoken = this.head === null && record.wakeMs > 0 && record.wakeMs <= nowMs;
    this.owner = record.lease?.owner ?? '';
    this.step = record.lease?.step ?? 0;
    this.aliveUntilMs = aliveUntilMs;
    this.#mark = this.head?.mark ?? null;
  }

  /** How often the work was begun since the last commit, this time included; a lease that was given back is not counted. */
  get attempt(): number {
    return this.record.attempts + 1;
  }

  /** What the next change by the holder requires. */
  get held(): Held {
    return { owner: this.owner, step: this.step + 1, mark: this.#mark };
  }

  /**
   * Notes a change that the holder made. What is to be done (`head`, `isWoken`, `isPutOff`) stays as it was when the work
   * began, though time passes: replies that had to wait then are not passed over by those of the turn.
   */
  advance(record: ConversationRecord | null, nowMs: number): void {
    this.step += 1;
    if (record === null) return;
    this.record = record;
    this.nowMs = nowMs;
  }

  /** The message at work is answered: the next change is decided from none. */
  endMessage(): void {
    this.#mark = null;
  }

  /** The lease was handed over to the next work. */
  beginNext(): void {
    const { record, nowMs } = this;
    this.isPutOff = false;
    this.head = record.inbox[0] ?? null;
    this.isWoken = this.head === null && record.wakeMs > 0 && record.wakeMs <= nowMs;
    this.#mark = this.head?.mark ?? null;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  lose(): void {
    this.#isLost = true;
    this.#abort?.abort();
  }

  /** Aborts once the lease is known to be lost. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isLost) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Throws `LeaseLost` where the lease is known to be lost. */
  assertNotLost(): void {
    if (this.#isLost) throw new LeaseLost();
  }
}

/** What became of a claim. `taken`: another process was faster, or nothing is left to do. `left`: it is for a newer process. */
export type Claimed = Lease | 'taken' | 'left';

/**
 * What may go on within the swap that files a message. It gets the record whose lease was just taken, may be called again
 * where another process was faster, and must have no effect but its result. Undefined: the message is only filed.
 */
export type DecideAtOnce<Decided> = (
  record: ConversationRecord,
  nowMs: number,
) => { readonly record: ConversationRecord; readonly decided: Decided } | undefined;

/** How soon a release that the store did not confirm is tried again, and how much longer each further time. */
const RELEASE_AGAIN_MS = 250;

export type Conversations = ReturnType<typeof createConversations>;

/**
 * The changes of conversations' records: accept, claim, renew, intend, commit, release. All reject with `StoreUnavailable`
 * where the store did not confirm; the change may have taken effect all the same.
 */
export function createConversations(options: {
  readonly records: Pick<VersionedRecords<ConversationRecord>, 'update' | 'isKnown'>;
  readonly runtime: Runtime;
  readonly limits: Pick<Limits, 'leaseMs' | 'renewMs'>;
  onError(error: unknown): void;
}) {
  const { records, runtime, limits, onError } = options;
  const { leaseMs, renewMs } = limits;
  const live = new Set<Lease>();
  let isRunning = false;

  const taking = (): Taking => ({ owner: runtime.id(), leaseMs, schema: VERSION });

  /** A change that only the holder may make. */
  async function change<Answer>(lease: Lease, transition: ConversationTransition<Answer>, durable = false) {
    const updated = await records.update(lease.conversation, transition, { durable });
    lease.advance(updated.record, updated.nowMs);
    return updated;
  }

  async function isHeld(lease: Lease): Promise<boolean> {
    const sinceMs = runtime.monotonicMs();
    const { answer } = await records.update(lease.conversation, renew({ owner: lease.owner, leaseMs }));
    if (answer) lease.aliveUntilMs = sinceMs + leaseMs;
    else if (live.has(lease)) lease.lose();
    return answer;
  }

  function renewAll(): void {
    if (!isRunning) return;
    for (const lease of live) isHeld(lease).catch(onError);
    runtime.timer(renewMs, renewAll);
  }

  return {
    /** Whether a message of the conversation can be filed without reading its record first. */
    isKnown: (conversation: string): boolean => records.isKnown(conversation),

    /** Files a message; with `take`, takes the lease if it is free, and goes on with `decideAtOnce` in the same swap. */
    async accept<Decided>(
      conversation: string,
      filing: Omit<Filing, 'schema' | 'take'> & { readonly take: boolean },
      decideAtOnce?: DecideAtOnce<Decided>,
    ) {
      const file = accept({ ...filing, schema: VERSION, take: filing.take ? taking() : undefined });
      let decided: Decided | undefined;
      const updated = await records.update<Accepted>(conversation, (before, nowMs) => {
        const filed = file(before, nowMs);
        const isLeased = filed.answer === 'leased' && filed.record !== null;
        const more = isLeased && filed.record ? decideAtOnce?.(filed.record, nowMs) : undefined;
        decided = more?.decided;
        return more ? { record: more.record, answer: filed.answer } : filed;
      });
      return { ...updated, decided };
    },

    /** Takes the lease of a conversation that is listed as due. */
    async claim(conversation: string): Promise<Claimed> {
      const sinceMs = runtime.monotonicMs();
      const listed = true;
      const { answer, record, nowMs } = await records.update(conversation, take(taking()), { listed });
      if (answer === 'leased' && record !== null) {
        return new Lease(conversation, { record, nowMs }, { aliveUntilMs: sinceMs + leaseMs });
      }
      return answer === 'newer' ? 'left' : 'taken';
    },

    /** Asks the store whether the lease is still held, which a process that was suspended cannot know. */
    isHeld,

    /** Throws `LeaseLost`, also where the lease has ended as far as this process can tell. */
    assertHeld(lease: Lease): void {
      if (runtime.monotonicMs() >= lease.aliveUntilMs) lease.lose();
      lease.assertNotLost();
    },

    /** From now on the lease is at work, and is renewed, until `drop`. Both return how many leases are at work. */
    hold: (lease: Lease): number => live.add(lease).size,
    drop(lease: Lease): number {
      live.delete(lease);
      return live.size;
    },

    /** `go` permits the call. `durable` false: too few replicas have the intent, so it does not. */
    async intend(
      lease: Lease,
      call: Omit<IntendedCall, 'by'>,
    ): Promise<{ intended: Intended; durable: boolean }> {
      const by = `${lease.owner}:${lease.step + 1}`;
      const { answer, durable } = await change(lease, intend(lease.held, { ...call, by }), true);
      return { intended: answer, durable };
    },

    /** Resolves to the number of the first reply. Throws `LeaseLost` where another process has taken over. */
    async commit(lease: Lease, written: Commit): Promise<number> {
      const { answer } = await change(lease, commit(lease.held, written));
      if (answer === null) throw new LeaseLost();
      if (written.consumed) lease.endMessage();
      return answer.firstSeq;
    },

    /**
     * Ends a delivery; true: the lease goes on with what is next. Tried until the lease is over: what was sent and is not
     * noted would be sent again.
     */
    async release(lease: Lease, ending: Pick<Release, 'sentSeq' | 'wait' | 'outcomes'>): Promise<boolean> {
      lease.endMessage();
      const releasing = { ...ending, leaseMs, schema: VERSION };
      for (let waitMs = RELEASE_AGAIN_MS; ; waitMs *= 2) {
        try {
          const { answer } = await change(lease, release(lease.held, releasing));
          if (answer) lease.beginNext();
          return answer;
        } catch (error) {
          const isOver = runtime.monotonicMs() + waitMs >= lease.aliveUntilMs;
          if (!(error instanceof StoreUnavailable) || isOver) throw error;
        }
        await runtime.sleep(waitMs);
      }
    },

    start(): void {
      isRunning = true;
      runtime.timer(renewMs, renewAll);
    },
    stop(): void {
      isRunning = false;
    },
  };
}
