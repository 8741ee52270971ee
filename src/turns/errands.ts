import { setTimeout as delay } from 'node:timers/promises';
import { writeAwaited } from '../conversation/effect.ts';
import type { Sender } from '../conversation/message.ts';
import type { Observe } from '../observe.ts';
import type { Errand } from './bodies.ts';
import type { Delivery, Incoming, Outgoing } from './delivery.ts';
import { assertHeld, type Held } from './leases.ts';
import { type Mailbox, StoreUnavailable } from './mailbox.ts';

/** The part of a channel that turns need; `channels/channel.ts` says what each promises. */
export type Outlet = {
  deliver(outgoing: Outgoing, seq: number): Promise<Delivery>;
  working?(incoming: Pick<Incoming, 'address' | 'conversation' | 'press'>): Promise<void>;
  identify?(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Promise<Sender>;
};

/** An errand with its number in the outbox; null where it could not be opened. */
export type Numbered = { readonly seq: number; readonly errand: Errand | null };

/** `sentSeq`: the last number of which nothing is left to do. `postponeMs`: when to come again for the rest. */
export type Delivered = { readonly sentSeq: number; readonly postponeMs?: number };

/** A reply that could not be delivered for this long is dropped. */
const GIVE_UP_MS = 24 * 60 * 60 * 1000;
/** A reply that was perhaps delivered is tried again this long after it was made: said twice is better than not at all. */
const UNCERTAIN_AGAIN_MS = [10_000, 60_000, 10 * 60_000, 60 * 60_000] as const;
/** Where a platform does not say when to come again: between this and twice as much, at random. */
const THROTTLED_MS = 500;
const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 10 * 60 * 1000;

type Fate = { readonly kind: 'done' } | { readonly kind: 'postponed'; readonly afterMs: number };
const DONE: Fate = { kind: 'done' };

/**
 * Runs the errands of an outbox: replies in order, each until it is sent, dropped or postponed; what follows a postponed
 * one waits with it. Holds are given back in any case, for another conversation may wait for them.
 * A hold that cannot be given back now is given back later. Throws `LeaseLost` before it would send without the lease.
 */
export function createDelivery(options: {
  mailbox: Pick<Mailbox, 'letGo'>;
  outlet(channel: string): Outlet | undefined;
  observe: Pick<Observe, 'delivery' | 'log'>;
  /** The longest wait within a turn, all waits of one reply together. */
  patienceMs: number;
  random(): number;
  /** Told of what goes wrong and is tried again later. */
  onError(error: unknown): void;
}) {
  const { mailbox, outlet, observe, patienceMs, random, onError } = options;

  async function deliver(held: Held, outbox: readonly Numbered[], nowMs: number): Promise<Delivered> {
    let delivered: Delivered = { sentSeq: outbox.at(-1)?.seq ?? 0 };
    for (const { seq, errand } of outbox) {
      if (errand?.kind !== 'reply') continue;
      const fate = await send(held, errand.outgoing, seq, nowMs);
      if (fate.kind === 'done') continue;
      delivered = { sentSeq: seq - 1, postponeMs: fate.afterMs };
      break;
    }
    for (const { seq, errand } of outbox) {
      if (errand?.kind !== 'unlock') continue;
      try {
        const { customer, operation, record, awaited } = errand;
        await mailbox.letGo(customer, operation, record, awaited && writeAwaited(awaited));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        onError(error);
        // The hold may be on another node. What was sent is noted all the same, or it would be sent again and again.
        const { sentSeq, postponeMs = 0 } = delivered;
        return { sentSeq: Math.min(sentSeq, seq - 1), postponeMs: Math.max(postponeMs, MIN_BACKOFF_MS) };
      }
    }
    return delivered;
  }

  async function send(held: Held, outgoing: Outgoing, seq: number, nowMs: number): Promise<Fate> {
    let patience = patienceMs;
    for (;;) {
      assertHeld(held);
      const delivery = await attempt(outgoing, seq);
      observe.delivery(outgoing.channel, delivery.kind);
      switch (delivery.kind) {
        case 'delivered':
        case 'unreachable':
        case 'rejected':
          return DONE;
        case 'undelivered':
        case 'unauthorized':
          return backOff(held, outgoing, nowMs);
        case 'uncertain':
          return again(held, outgoing, nowMs, delivery.afterMs ?? 0);
        case 'throttled': {
          const afterMs = delivery.afterMs ?? Math.round(THROTTLED_MS * (1 + random()));
          if (afterMs > patience) return postpone(held, outgoing, nowMs, afterMs);
          patience -= afterMs;
          await delay(afterMs);
        }
      }
    }
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

  /** Perhaps delivered: four more tries over an hour, by the reply's age, never before the platform's own wait. */
  function again(held: Held, outgoing: Outgoing, nowMs: number, leastMs: number): Fate {
    const ageMs = nowMs - outgoing.atMs;
    const nextMs = UNCERTAIN_AGAIN_MS.find((atMs) => atMs > ageMs);
    if (nextMs === undefined) return giveUp(held, outgoing, 'nobody knows whether it arrived');
    return { kind: 'postponed', afterMs: Math.max(nextMs - ageMs, leastMs) };
  }

  /** Waits half the reply's age: so nobody has to count, and the waits grow by half. */
  function backOff(held: Held, outgoing: Outgoing, nowMs: number): Fate {
    const ageMs = nowMs - outgoing.atMs;
    const waitMs = Math.min(Math.max(ageMs / 2, MIN_BACKOFF_MS), MAX_BACKOFF_MS);
    return postpone(held, outgoing, nowMs, Math.round(waitMs * (0.8 + 0.4 * random())));
  }

  function postpone(held: Held, outgoing: Outgoing, nowMs: number, afterMs: number): Fate {
    return nowMs - outgoing.atMs > GIVE_UP_MS
      ? giveUp(held, outgoing, 'it could not be delivered for 24 h')
      : { kind: 'postponed', afterMs };
  }

  function giveUp(held: Held, { channel }: Outgoing, why: string): Fate {
    observe.log.warn({ channel, conversation: held.conversation }, `a reply was dropped: ${why}`);
    return DONE;
  }

  return deliver;
}
