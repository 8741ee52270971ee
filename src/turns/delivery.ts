import type { Incoming, StoredOutgoing } from '../store/messages.ts';
import type { Trace } from './trace.ts';

export type { Incoming };

/** A reply on its way to its channel. A `trace` joins the last one of a turn that somebody looks into; it is never stored. */
export type Outgoing = StoredOutgoing & { readonly trace?: Trace | undefined };

/**
 * How one delivery ended. What the engine does then stands in docs/design.md, "What a platform's answer means"; the kind
 * is also the metric's label.
 * - `delivered`: the platform has it (also: an edit that changes nothing).
 * - `throttled`: not now; never before `afterMs` have passed, where the platform says so.
 * - `undelivered`: surely not delivered (no connection, a closed client).
 * - `uncertain`: perhaps delivered (a time-out, a connection cut, a fault of the platform's own). Platforms have no
 *   idempotency keys.
 * - `unauthorized`: the platform refuses our token or our bot; the operator's fault.
 * - `unreachable`: the customer blocked the bot, or the conversation is gone; final.
 * - `rejected`: refused for another reason; the same reply will be refused again.
 */
export type Delivery =
  | { readonly kind: 'delivered' | 'undelivered' | 'unauthorized' | 'unreachable' | 'rejected' }
  | { readonly kind: 'throttled' | 'uncertain'; readonly afterMs?: number };
