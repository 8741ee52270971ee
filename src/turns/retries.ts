import type { Tried, Wait } from '../store/mailbox.ts';
import type { Delivery } from './delivery.ts';

/** What becomes of a reply: nothing is left to do, it waits, or it is dropped with an alarm. */
export type Fate =
  | { readonly kind: 'done' }
  | { readonly kind: 'waits'; readonly wait: Wait }
  | { readonly kind: 'dropped'; readonly alarm: 'delivery_given_up' | 'delivery_rejected' };

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A reply that could not be delivered for this long is dropped, and at once where it would have to wait for longer. */
const GIVE_UP_MS = 24 * HOUR;

/**
 * A reply that was perhaps delivered is tried again this long after its first try: a sentence said twice is cheaper than
 * silence about money, fourteen times is not.
 */
const AGAIN_MS = [10 * SECOND, MINUTE, 10 * MINUTE, HOUR];
/** The same where nothing was delivered to anybody since the first try: the platform is out of order, not the reply. */
const AGAIN_IN_OUTAGE_MS = [...AGAIN_MS, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR];

const MIN_BACKOFF_MS = SECOND;
const MAX_BACKOFF_MS = 10 * MINUTE;

/** The history of a reply. Times are epoch ms by the store's clock. */
export type Attempted = {
  /** When the reply was made. */
  readonly atMs: number;
  /** About when its lease was taken. */
  readonly nowMs: number;
  /** Before this try. */
  readonly tried: Tried;
  /** In [0, 1). */
  random(): number;
};

/**
 * What to do after a try (docs/design.md, "What a platform's answer means"). `worksSince`: whether the channel delivered
 * anything to anybody since that time.
 */
export function fateOf(
  delivery: Delivery,
  attempted: Attempted,
  worksSince: (sinceMs: number) => boolean,
): Fate {
  const { atMs, nowMs, tried } = attempted;
  const leftMs = GIVE_UP_MS - (nowMs - atMs);
  switch (delivery.kind) {
    case 'delivered':
    case 'unreachable':
      return { kind: 'done' };
    case 'rejected':
      return { kind: 'dropped', alarm: 'delivery_rejected' };
    case 'undelivered':
    case 'unauthorized':
      return leftMs < 0 ? GIVEN_UP : { kind: 'waits', wait: { ...backOff(attempted), tried } };
    case 'throttled': {
      const { afterMs } = delivery;
      const wait = afterMs === undefined ? backOff(attempted) : { afterMs, leastMs: afterMs };
      return leftMs < (afterMs ?? 0) ? GIVEN_UP : { kind: 'waits', wait: { ...wait, tried } };
    }
    case 'uncertain': {
      const next = afterUncertain(attempted, worksSince);
      const { afterMs: leastMs = 0 } = delivery;
      if (next === null || leftMs < leastMs) return GIVEN_UP;
      return { kind: 'waits', wait: { ...next, afterMs: Math.max(next.afterMs, leastMs), leastMs } };
    }
  }
}

const GIVEN_UP: Fate = { kind: 'dropped', alarm: 'delivery_given_up' };

/** Null: it was tried often enough. */
function afterUncertain(
  { nowMs, tried, random }: Attempted,
  worksSince: (sinceMs: number) => boolean,
): Required<Pick<Wait, 'afterMs' | 'tried'>> | null {
  const dueMs = tried.sinceMs + (AGAIN_IN_OUTAGE_MS[tried.times - 1] ?? 0);
  // A message of the customer brought this try forward: it does not count.
  if (tried.times > 0 && nowMs < dueMs) return { afterMs: dueMs - nowMs, tried };
  const sinceMs = tried.times === 0 ? nowMs : tried.sinceMs;
  const plan = worksSince(sinceMs) ? AGAIN_MS : AGAIN_IN_OUTAGE_MS;
  const nextMs = plan[tried.times];
  if (nextMs === undefined) return null;
  const afterMs = sinceMs + nextMs - nowMs;
  return {
    // Never earlier, or it would not count.
    afterMs: Math.round(Math.max(afterMs, MIN_BACKOFF_MS) * (1 + random() / 10)),
    tried: { times: tried.times + 1, sinceMs },
  };
}

/** Waits half the reply's age, so that waits grow without a count of tries. A new message brings it forward. */
export function backOff(
  { atMs, nowMs, random }: Pick<Attempted, 'atMs' | 'nowMs' | 'random'>,
  minMs: number = MIN_BACKOFF_MS,
  maxMs: number = MAX_BACKOFF_MS,
): Wait & { readonly leastMs: 0 } {
  const waitMs = Math.min(Math.max((nowMs - atMs) / 2, minMs), maxMs);
  return { afterMs: Math.round(waitMs * spread(random)), leastMs: 0 };
}

/** Spreads the waits, so that many conversations do not come back at once. */
const spread = (random: () => number): number => 0.8 + 0.4 * random();
