import { setTimeout as delay } from 'node:timers/promises';
import { writeAwaited } from '../conversation/effect.ts';
import type { Observe } from '../observe.ts';
import type { Spans } from '../spans.ts';
import type { OutboxItem } from '../store/bodies.ts';
import type { Locks } from '../store/locks.ts';
import { NEVER_TRIED, type Tried, type Wait } from '../store/mailbox.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { type Bulkhead, NO_ROOM } from './bulkhead.ts';
import type { Delivery, Outgoing } from './delivery.ts';
import { secondsSince } from './elapsed.ts';
import { assertHeld, type Held } from './leases.ts';
import { createOutages, HELD_BACK } from './outages.ts';
import type { Outlet } from './outlet.ts';
import { type Attempted, backOff, type Fate, fateOf } from './retries.ts';

/** An item of the outbox at work: its reply may carry what is never stored. */
type Item = Exclude<OutboxItem, { kind: 'reply' }> | { readonly kind: 'reply'; readonly outgoing: Outgoing };

/** An item with its number in the outbox; null where it could not be opened. */
export type Numbered = { readonly seq: number; readonly item: Item | null };

/** `sentSeq`: up to this number nothing is left to do. `wait`: how long the rest has to wait. */
export type Delivered = { readonly sentSeq: number; readonly wait?: Wait };

/** When a lock that could not be given back is tried again. */
const UNLOCK_AGAIN_MS = 1000;
/**
 * How long a reply waits, at least and at most, that was not tried: the channel's bulkhead is full, or its platform is
 * out of order.
 */
const NO_ROOM_MS = [1000, 5000] as const;
const HELD_BACK_MS = [5000, 60_000] as const;

/**
 * Runs the items of an outbox: replies in order, each until it is delivered, dropped or has to wait; the replies behind
 * one that waits wait too. Locks are given back in any case, for another conversation may need them; one that cannot be
 * given back now is given back later. Throws `LeaseLost` before it would send without the lease.
 */
export function createOutboxRunner(options: {
  store: Pick<Locks, 'unlock'>;
  outlet(channel: string): Outlet | undefined;
  bulkhead(channel: string): Bulkhead;
  readonly spans: Spans;
  observe: Pick<Observe, 'alarm' | 'answered' | 'delivery' | 'failing' | 'log'>;
  /** The longest wait within a turn, all waits of one reply together. */
  patienceMs: number;
  random(): number;
  /** Called with what goes wrong and is tried again later. */
  onError(error: unknown): void;
}) {
  const { store, outlet, bulkhead, observe, spans, patienceMs, random, onError } = options;
  const outages = createOutages(observe);

  /** `tried` is of the first reply. */
  async function deliver(
    held: Held,
    outbox: readonly Numbered[],
    { nowMs, tried }: { readonly nowMs: number; readonly tried: Tried },
  ): Promise<Delivered> {
    const delivered = await sendInOrder(held, outbox, nowMs, tried);
    for (const { seq, item } of outbox) {
      if (item?.kind !== 'unlock') continue;
      try {
        const { customer, operation, record, awaited } = item;
        await store.unlock(customer, operation, record, awaited && writeAwaited(awaited));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        onError(error);
        // The lock may be on another node. What was sent is noted all the same, or it would be sent again and again.
        const { sentSeq, wait } = delivered;
        const afterMs = Math.max(wait?.afterMs ?? 0, UNLOCK_AGAIN_MS);
        return { sentSeq: Math.min(sentSeq, seq - 1), wait: { ...wait, afterMs } };
      }
    }
    return delivered;
  }

  async function sendInOrder(
    held: Held,
    outbox: readonly Numbered[],
    nowMs: number,
    tried: Tried,
  ): Promise<Delivered> {
    let triedBefore = tried;
    for (const { seq, item } of outbox) {
      if (item?.kind !== 'reply') continue;
      const { outgoing } = item;
      const attempted = { atMs: outgoing.atMs, nowMs, tried: triedBefore, random };
      const { channel, traceparent = null } = outgoing;
      const fate = await spans.around(
        'deliver',
        { channel },
        () => sendOrDrop(held, outgoing, seq, attempted),
        traceparent,
      );
      if (fate.kind === 'waits') {
        return { sentSeq: seq - 1, wait: { ...fate.wait, madeAtMs: outgoing.atMs } };
      }
      triedBefore = NEVER_TRIED;
    }
    return { sentSeq: outbox.at(-1)?.seq ?? 0 };
  }

  async function sendOrDrop(
    held: Held,
    outgoing: Outgoing,
    seq: number,
    attempted: Attempted,
  ): Promise<Fate> {
    const fate = await send(held, outgoing, seq, attempted);
    spans.note({ result: fate.kind });
    if (fate.kind === 'dropped') {
      observe.alarm(fate.alarm, { channel: outgoing.channel, conversation: held.conversation });
    }
    return fate;
  }

  async function send(held: Held, outgoing: Outgoing, seq: number, attempted: Attempted): Promise<Fate> {
    const { channel } = outgoing;
    let patience = patienceMs;
    for (;;) {
      const afterMs = (await outlet(channel)?.pace?.(outgoing)) ?? 0;
      if (afterMs > 0) return { kind: 'waits', wait: { afterMs, tried: attempted.tried } };
      assertHeld(held);
      const delivery = await bulkhead(channel)(() =>
        outages.send(channel, attempted.nowMs, () => attempt(outgoing, seq)),
      );
      if (delivery === NO_ROOM) return putOff(attempted, NO_ROOM_MS);
      if (delivery === HELD_BACK) return putOff(attempted, HELD_BACK_MS);
      observe.delivery(channel, delivery.kind);
      spans.note({ outcome: delivery.kind });
      if (delivery.kind === 'delivered') noteAnswer(outgoing);
      const fate = fateOf(delivery, attempted, (sinceMs) => outages.worksSince(channel, sinceMs));
      if (delivery.kind !== 'throttled' || fate.kind !== 'waits' || fate.wait.afterMs > patience) return fate;
      patience -= fate.wait.afterMs;
      await delay(fate.wait.afterMs);
    }
  }

  /** Only a reply to a message counts: what the bot says unasked answers none. */
  function noteAnswer({ channel, last, acceptedMs }: Outgoing): void {
    const seconds = secondsSince(acceptedMs);
    if (last && seconds !== null) observe.answered(channel, seconds);
  }

  /** A channel that throws has a bug, and may have sent the reply all the same. */
  async function attempt(outgoing: Outgoing, seq: number): Promise<Delivery> {
    const channel = outlet(outgoing.channel);
    if (channel === undefined) return { kind: 'undelivered' };
    try {
      return await channel.deliver(outgoing, seq);
    } catch (err) {
      observe.log.error({ err, channel: outgoing.channel }, 'a channel threw while delivering');
      return { kind: 'uncertain' };
    }
  }

  return deliver;
}

/** The reply waits without having been tried. */
function putOff(attempted: Attempted, [minMs, maxMs]: readonly [number, number]): Fate {
  return { kind: 'waits', wait: { ...backOff(attempted, minMs, maxMs), tried: attempted.tried } };
}
