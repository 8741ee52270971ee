import { NewerVersion } from '../conversation/state.ts';

/* How a process leaves work under a lease without a result. What is never expected is an error instead. */

/**
 * The process gives the lease back and changes nothing. Any process may take the turn after `afterMs`. This
 * is not a failure, and does not count as an attempt.
 */
export type GivenBack = { readonly end: 'givenBack'; readonly reason: string; readonly afterMs: number };

/** Another process has the lease, or may have it. What this process decided does not count. */
export const LOST = 'lost';
export type Lost = typeof LOST;

/** This process leaves the work without a result. */
export type Abandoned = GivenBack | Lost;

/** A turn that finds no room in a bulkhead is tried again after this, or after up to three times as long. */
const NO_ROOM_MS = 2000;
/** A turn that only another process can handle is given back for this long. */
const OTHERS_MS = 2000;

export const giveBack = (reason: string, afterMs = 0): GivenBack => ({ end: 'givenBack', reason, afterMs });

export const STOPPING = giveBack('stopping');
export const UNKNOWN_FLOW = giveBack('flow', OTHERS_MS);

/** `random` in [0, 1) spreads the retries of turns that found no room at the same time. */
export const giveBackForRoom = (random: number): GivenBack =>
  giveBack('no room', Math.round(NO_ROOM_MS * (1 + 2 * random)));

/** Whether there is no result, because this process left the work. */
export function isAbandoned<Result>(result: Result | Abandoned): result is Abandoned {
  return result === LOST || (typeof result === 'object' && result !== null && 'end' in result);
}

/**
 * What `read` returns; null: it throws. If only a newer process can read the body, the lease is given back.
 */
export function readOrGiveBack<T>(read: () => T): T | GivenBack | null {
  try {
    return read();
  } catch (error) {
    return error instanceof NewerVersion ? giveBack('newer version', OTHERS_MS) : null;
  }
}
