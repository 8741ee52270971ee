import { writeAwaited } from '../conversation/effect.ts';
import { Unwordable } from '../conversation/reply.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Spans } from '../observability/tracing.ts';
import type { Runtime } from '../runtime.ts';
import { StoreUnavailable } from '../store/port.ts';
import type { Conversations, Lease } from './conversations.ts';
import {
  type Attempt,
  afterDelivery,
  backOff,
  type Fate,
  HELD_BACK_MS,
  NO_ROOM_MS,
} from './delivery-policy.ts';
import { type Bulkhead, eachChannel, type Limits } from './limits.ts';
import type { Delivery, OutboxItem, Outgoing, Platform } from './messages.ts';
import type { Outages } from './outages.ts';
import { NEVER_TRIED, type Tried, type Wait } from './transitions.ts';

/** An item with its number in the outbox; null where it could not be read. */
export type NumberedItem = { readonly seq: number; readonly item: OutboxItem | null };

/** `sentSeq`: nothing is left to do up to this number. `wait`: how long the rest has to wait. */
export type Delivered = { readonly sentSeq: number; readonly wait?: Wait };

/** When a lock that could not be given back is tried again. */
const UNLOCK_AGAIN_MS = 1000;
const ALARM_EVERY_MS = 60_000;

export type OutboxTools = {
  readonly conversations: Pick<Conversations, 'assertHeld'>;
  /** The channel of that name, if this process has it. */
  platform(channel: string): Platform | undefined;
  /** How many deliveries and look-ups a channel's platform gets at once. */
  bulkhead(channel: string): Bulkhead;
  readonly outages: Outages;
  unlock(customer: string, operation: string, record?: string, awaited?: string): Promise<void>;
  /** Called with what goes wrong and is tried again later. */
  onError(error: unknown): void;
  readonly limits: Pick<Limits, 'patienceMs'>;
  readonly runtime: Runtime;
  readonly spans: Spans;
  readonly observe: Observe;
};

/** A lock could not be given back: it is tried again from its item on. */
type FailedUnlock = { readonly seq: number };

/**
 * Does what commits left to be done: replies leave in order, each until it is delivered, dropped or has to wait, and the
 * replies behind one that waits wait as well. Locks are given back in any case, because another conversation may need them.
 */
export class Outbox {
  readonly #tools: OutboxTools;
  readonly #alarmRejected: (channel: string) => (conversation: string) => void;

  constructor(tools: OutboxTools) {
    const { observe, runtime } = tools;
    this.#tools = tools;
    this.#alarmRejected = eachChannel((channel) =>
      atMostEvery(
        ALARM_EVERY_MS,
        (conversation: string) => observe.alarm('delivery_rejected', { channel, conversation }),
        runtime.monotonicMs,
      ),
    );
  }

  /** `tried` is of the first reply. Throws `LeaseLost` before it would send without the lease. */
  async deliver(lease: Lease, items: readonly NumberedItem[], tried: Tried): Promise<Delivered> {
    const delivered = await this.#sendInOrder(lease, items, tried);
    const failed = await this.unlock(items);
    if (failed === null) return delivered;
    // What was sent is noted all the same, or it would be sent again and again.
    const sentSeq = Math.min(delivered.sentSeq, failed.seq - 1);
    const afterMs = Math.max(delivered.wait?.afterMs ?? 0, UNLOCK_AGAIN_MS);
    return { sentSeq, wait: { reason: 'unlock', ...delivered.wait, afterMs } };
  }

  /** Gives back the locks among the items. Resolves to the first one that the store did not confirm. */
  async unlock(items: readonly NumberedItem[]): Promise<FailedUnlock | null> {
    for (const { seq, item } of items) {
      if (item?.kind !== 'unlock') continue;
      const { customer, operation, record, awaited } = item;
      try {
        await this.#tools.unlock(customer, operation, record, awaited && writeAwaited(awaited));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#tools.onError(error);
        return { seq };
      }
    }
    return null;
  }

  async #sendInOrder(lease: Lease, items: readonly NumberedItem[], tried: Tried): Promise<Delivered> {
    const { runtime } = this.#tools;
    let triedBefore = tried;
    for (const { seq, item } of items) {
      if (item?.kind !== 'reply') continue;
      const { outgoing } = item;
      const { atMs } = outgoing;
      const attempt: Attempt = { atMs, nowMs: lease.nowMs, tried: triedBefore, random: runtime.random };
      const fate = await this.#send(lease, seq, outgoing, attempt);
      if (fate.kind === 'waits') return { sentSeq: seq - 1, wait: { ...fate.wait, madeAtMs: atMs } };
      triedBefore = NEVER_TRIED;
    }
    return { sentSeq: items.at(-1)?.seq ?? 0 };
  }

  /** Sends until the reply is delivered, dropped, or has to wait for longer than a turn may last. */
  async #send(lease: Lease, seq: number, outgoing: Outgoing, attempt: Attempt): Promise<Fate> {
    const { platform, conversations, limits, observe, spans, outages, runtime } = this.#tools;
    const { channel, reply, traceparent = null } = outgoing;
    const to = platform(channel);
    if (reply.quiet && !to?.hearsQuiet) return { kind: 'done' };
    for (let patienceMs = limits.patienceMs; ; ) {
      const paced = to?.pace?.(outgoing) ?? 0;
      const afterMs = typeof paced === 'number' ? paced : await paced;
      if (afterMs > 0) return { kind: 'waits', wait: { afterMs, reason: 'pace', tried: attempt.tried } };
      conversations.assertHeld(lease);
      const sinceMs = runtime.nowMs();
      const delivery = await this.#try(to, outgoing, seq, attempt.nowMs);
      if (typeof delivery === 'string') return waiting(attempt, delivery);
      observe.delivery(channel, delivery.kind, this.#answeredMs(delivery, outgoing));
      const fate = afterDelivery(delivery, attempt, (sinceMs) => outages.worksSince(channel, sinceMs));
      if (spans.isTracing) {
        const about = { channel, outcome: delivery.kind, result: fate.kind };
        spans.mark({ name: 'deliver', sinceMs, parent: traceparent, ...about });
      }
      if (fate.kind === 'rejected') this.#alarmRejected(channel)(lease.conversation);
      if (fate.kind === 'givenUp') {
        observe.alarm('delivery_given_up', { channel, conversation: lease.conversation });
      }
      if (delivery.kind !== 'throttled' || fate.kind !== 'waits' || fate.wait.afterMs > patienceMs)
        return fate;
      patienceMs -= fate.wait.afterMs;
      await runtime.sleep(fate.wait.afterMs);
    }
  }

  /** One try. `no room`: the channel's bulkhead is full. `held back`: the platform fails, and it is no time for a probe. */
  async #try(
    to: Platform | undefined,
    outgoing: Outgoing,
    seq: number,
    nowMs: number,
  ): Promise<Delivery | 'no room' | 'held back'> {
    const { outages } = this.#tools;
    const { channel } = outgoing;
    if (to === undefined) return { kind: 'undelivered' };
    const bulkhead = this.#tools.bulkhead(channel);
    const call = bulkhead.enter() ?? (await bulkhead.wait());
    if (call === null) return 'no room';
    try {
      const permit = outages.admit(channel, nowMs);
      if (permit === null) return 'held back';
      const delivery = await this.#deliver(to, outgoing, seq);
      outages.note(channel, permit, delivery, nowMs);
      return delivery;
    } finally {
      bulkhead.leave(call);
    }
  }

  async #deliver(to: Platform, outgoing: Outgoing, seq: number): Promise<Delivery> {
    try {
      return await to.deliver(outgoing, seq);
    } catch (err) {
      this.#tools.observe.log.error({ err, channel: outgoing.channel }, 'a channel threw while delivering');
      // A channel that throws has a bug, and may have sent the reply; but one without words will never have any.
      return { kind: err instanceof Unwordable ? 'rejected' : 'uncertain' };
    }
  }

  /** How long a message waited for its answer; undefined where this is not the last reply to one. */
  #answeredMs({ kind }: Delivery, { last, acceptedMs }: Outgoing): number | undefined {
    if (kind !== 'delivered' || !last || acceptedMs === undefined) return undefined;
    return Math.max(0, this.#tools.runtime.nowMs() - acceptedMs);
  }
}

/** The reply waits without having been tried. */
function waiting(attempt: Attempt, reason: 'no room' | 'held back'): Fate {
  const wait = backOff(attempt, reason, reason === 'no room' ? NO_ROOM_MS : HELD_BACK_MS);
  return { kind: 'waits', wait: { ...wait, tried: attempt.tried } };
}
