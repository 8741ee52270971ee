import type { Delivery } from '../turns/delivery.ts';

/**
 * Why a call to a platform did not succeed.
 * - `later`: the platform said when to come again; surely not carried out.
 * - `unreachable`: the customer blocked the bot, or the conversation is gone; final.
 * - `rejected`: refused for another reason; the same call will be refused again.
 * - `refusedToken`: the platform does not take our token; an operator's fault.
 * - `failed`: not carried out: never sent (refused connection, DNS, connect time-out), or answered with a fault of the
 *   platform's own (5xx).
 * - `ambiguous`: perhaps carried out (time-out, reset, unreadable answer). Platforms have no idempotency keys.
 */
export type CallFailure =
  | { readonly kind: 'later'; readonly afterMs: number }
  | { readonly kind: 'unreachable' | 'rejected' | 'refusedToken' | 'failed' | 'ambiguous' };

/** What a failed call means for the reply it carried. */
export function toDelivery(failure: CallFailure): Delivery {
  switch (failure.kind) {
    case 'later':
      return { kind: 'later', afterMs: failure.afterMs };
    case 'unreachable':
    case 'rejected':
      return { kind: 'dropped', reason: failure.kind };
    // Not the customer's fault: once the operator has put the token right, the reply leaves.
    case 'refusedToken':
    case 'failed':
      return { kind: 'failed' };
    case 'ambiguous':
      return { kind: 'ambiguous' };
  }
}

const NEVER_SENT = new Set(
  (
    'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN UND_ERR_CONNECT_TIMEOUT EPROTO ' +
    'CERT_HAS_EXPIRED DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE ' +
    'ERR_TLS_CERT_ALTNAME_INVALID'
  ).split(' '),
);

/**
 * Whether it went wrong before a byte of the request was sent: an outage (try again for hours), to be told apart from
 * an answer that did not come (repeated once).
 */
export function isNeverSent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NEVER_SENT.has(String(error.code));
}
