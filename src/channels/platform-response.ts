import type { Delivery, FetchedPhoto } from '../engine/outlet.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';

/** Why a call to a platform did not succeed. What each case means for a reply: `Delivery`. */
export type CallFailure = Exclude<Delivery, { readonly kind: 'delivered' }>;

/**
 * A platform's answer, as the table below reads it.
 *
 * - `status`: the HTTP status, or the platform's own error code where it writes one into the body. Undefined: the answer
 *   could not be read (a gateway's page, more bytes than we take), so nobody knows what became of the call.
 * - `afterMs`: how long the platform wants us to wait (`Retry-After`, `retry_after`).
 * - `says`: what the platform's own codes or words say beyond the status: that an edit changes nothing (`delivered`), that
 *   the customer or the conversation is gone (`unreachable`), that our token or our bot is refused (`unauthorized`).
 */
export type PlatformAnswer = {
  readonly status: number | undefined;
  readonly afterMs?: number | undefined;
  readonly says?: 'delivered' | 'unreachable' | 'unauthorized' | undefined;
};

/** What a platform's answer means: one table for all channels (docs/how-it-works.md, "What a platform's answer means"). */
export function meaningOf({ status, afterMs, says }: PlatformAnswer): Delivery {
  const wait = afterMs !== undefined && afterMs > 0 ? { afterMs } : {};
  if (status === undefined) return { kind: 'uncertain' };
  if (status < 300) return { kind: 'delivered' };
  // No platform of ours redirects: this is something in between, and no redirect is followed.
  if (status < 400) return { kind: 'undelivered' };
  // A gateway's or the platform's own fault: nobody knows how far the call came.
  if (status >= 500 || status === 408) return { kind: 'uncertain', ...wait };
  if (status === 429) return { kind: 'throttled', ...wait };
  if (says !== undefined) return { kind: says };
  switch (status) {
    // Teams: another message of the conversation was being written.
    case 412:
      return { kind: 'throttled', ...wait };
    case 401:
      return { kind: 'unauthorized' };
    case 403:
      return { kind: 'unreachable' };
    default:
      return { kind: 'rejected' };
  }
}

/** Answers that may differ a moment later. */
const TRANSIENT: ReadonlySet<CallFailure['kind']> = new Set(['throttled', 'undelivered', 'uncertain']);

/** What it means for a picture that a platform's call did not succeed. */
export function unfetched({ kind }: CallFailure): FetchedPhoto {
  return { kind: TRANSIENT.has(kind) ? 'unavailable' : 'refused' };
}

const TOKEN_ALARM_MS = 60_000;

/** The alarm that a platform refuses the bot's token, to be called at each refusal: raised once a minute at most. */
export function tokenAlarm(channel: string, observe: Pick<Observe, 'alarm'>): () => void {
  return atMostEvery(TOKEN_ALARM_MS, () => observe.alarm('channel_token_refused', { channel }));
}
