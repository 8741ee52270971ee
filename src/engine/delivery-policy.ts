import type { Delivery, Failure } from './messages.ts';
import type { Tries, Wait } from './transitions.ts';

/*
 * What to do after a delivery was tried, and when the next try is. It is the table "What a platform's answer
 * means" of docs/how-it-works.md.
 */

/** What becomes of a reply. */
export type Fate =
  | { readonly kind: 'done' }
  | { readonly kind: 'waits'; readonly wait: Wait }
  | { readonly kind: 'dropped'; readonly why: Failure };

/** A reply before a try to deliver it. Times are epoch ms by the store's clock. */
export type DeliveryTry = {
  /** When the reply was made. */
  readonly madeAtMs: number;
  readonly nowMs: number;
  /** Earlier tries that perhaps delivered it. */
  readonly tried: Tries;
  /** In [0, 1). */
  random(): number;
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A reply that could not be delivered for this long is dropped. */
const GIVE_UP_MS = 24 * HOUR;

/**
 * When a reply that was perhaps delivered is tried again, counted from its first try. A reply that comes
 * twice is better than silence about money. A reply that comes many times is not.
 */
const RETRY_MS = [10 * SECOND, MINUTE, 10 * MINUTE, HOUR];
/** The times while the channel delivers nothing at all. */
const RETRY_IN_OUTAGE_MS = [...RETRY_MS, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR];

/** The shortest and the longest wait, and those of replies that were not tried. */
const BACK_OFF_MS = [SECOND, 10 * MINUTE] as const;
export const NOT_TRIED_MS = [2 * SECOND, MINUTE] as const;

const GIVEN_UP: Fate = { kind: 'dropped', why: 'late' };

/** `lastDeliveredMs`: when the channel last delivered anything to anybody. */
export function afterDelivery(delivery: Delivery, before: DeliveryTry, lastDeliveredMs: number): Fate {
  const { madeAtMs, nowMs, tried } = before;
  const leftMs = GIVE_UP_MS - (nowMs - madeAtMs);
  const { kind } = delivery;
  switch (kind) {
    case 'delivered':
      return { kind: 'done' };
    case 'unreachable':
      return { kind: 'dropped', why: delivery.blocked ? 'blocked' : 'unreachable' };
    case 'rejected':
      return { kind: 'dropped', why: 'refused' };
    case 'undelivered':
    case 'unauthorized':
    case 'throttled': {
      const afterMs = kind === 'throttled' ? delivery.afterMs : undefined;
      const wait =
        afterMs === undefined ? backOff(before, kind) : { afterMs, leastMs: afterMs, reason: kind };
      return leftMs < (afterMs ?? 0) ? GIVEN_UP : { kind: 'waits', wait: { ...wait, tried } };
    }
    case 'uncertain': {
      const next = afterUncertain(before, lastDeliveredMs);
      const { afterMs: leastMs = 0 } = delivery;
      if (next === null || leftMs < leastMs) return GIVEN_UP;
      const afterMs = Math.max(next.afterMs, leastMs);
      return { kind: 'waits', wait: { ...next, afterMs, leastMs, reason: kind } };
    }
  }
}

/** Null: it was tried often enough. */
function afterUncertain(
  { nowMs, tried: { tries, sinceMs }, random }: DeliveryTry,
  lastDeliveredMs: number,
): { readonly afterMs: number; readonly tried: Tries } | null {
  const dueMs = sinceMs + (RETRY_IN_OUTAGE_MS[tries - 1] ?? 0);
  // A message of the customer moved this try forward: it is not counted.
  if (tries > 0 && nowMs < dueMs) return { afterMs: dueMs - nowMs, tried: { tries, sinceMs } };
  const firstMs = tries === 0 ? nowMs : sinceMs;
  const plan = lastDeliveredMs >= firstMs ? RETRY_MS : RETRY_IN_OUTAGE_MS;
  const nextMs = plan[tries];
  if (nextMs === undefined) return null;
  // Never earlier than planned, or the try would not be counted.
  const afterMs = Math.max(firstMs + nextMs - nowMs, SECOND) * (1 + random() / 10);
  return { afterMs: Math.round(afterMs), tried: { tries: tries + 1, sinceMs: firstMs } };
}

/** Half the reply's age, so that waits grow. A new message moves the next try forward. */
export function backOff(
  { madeAtMs, nowMs, random }: Pick<DeliveryTry, 'madeAtMs' | 'nowMs' | 'random'>,
  reason: string,
  [minMs, maxMs]: readonly [number, number] = BACK_OFF_MS,
): Wait {
  const waitMs = Math.min(Math.max((nowMs - madeAtMs) / 2, minMs), maxMs);
  // Spread, so that many conversations do not come back at once.
  return { afterMs: Math.round(waitMs * (0.8 + 0.4 * random())), leastMs: 0, reason };
}
