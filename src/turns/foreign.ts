import type { Lease } from '../store/mailbox.ts';
import { createRecent } from '../store/recent.ts';

/** How long a conversation is left to other processes. */
const LEAVE_MS = 60_000;
/** How soon a conversation that was left may be taken again. */
export const LEFT_AGAIN_MS = 2000;

/** At least this many are remembered; one that is forgotten is left for a minute more. */
const MOST = 1000;

/** Conversations in a flow that this process does not have. */
export type Foreign = {
  /**
   * Whether another process should have its chance first: for a minute from when this process first saw the conversation
   * in that state.
   */
  isLeft(session: Pick<Lease, 'conversation'> & { readonly version: number }, nowMs: number): boolean;
};

export function createForeign(): Foreign {
  const seen = createRecent<{ readonly version: number; readonly sinceMs: number }>(MOST, 2 * LEAVE_MS);
  return {
    isLeft({ conversation, version }, nowMs) {
      const known = seen.get(conversation);
      if (known?.version === version) return nowMs - known.sinceMs < LEAVE_MS;
      seen.set(conversation, { version, sinceMs: nowMs });
      return true;
    },
  };
}
