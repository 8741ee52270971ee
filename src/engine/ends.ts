import { NewerVersion } from '../conversation/state.ts';

/* How the work under a lease ends where it is not done. Errors are for what is never expected. */

/**
 * The lease is given back, and nothing was changed: this process or another one takes the turn after
 * `afterMs`. It is no failure, and does not count as an attempt.
 */
export type GivenBack = { readonly end: 'givenBack'; readonly reason: string; readonly afterMs: number };

/** Another process has the lease, or may have it: what this one decided is void. */
export const LOST = 'lost';
export type Lost = typeof LOST;

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

/** Whether the work ended, and there is no result. */
export function isEnd<Result>(result: Result | GivenBack | Lost): result is GivenBack | Lost {
  return result === LOST || (typeof result === 'object' && result !== null && 'end' in result);
}

/** What `read` returns; null: it throws. It is given back if only newer processes can read it. */
export function readOrGiveBack<T>(read: () => T): T | GivenBack | null {
  try {
    return read();
  } catch (error) {
    return error instanceof NewerVersion ? giveBack('newer version', OTHERS_MS) : null;
  }
}
