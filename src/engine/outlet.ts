import type { Sender } from '../conversation/message.ts';
import type { Incoming, StoredOutgoing } from './messages.ts';
import type { Trace } from './trace.ts';

export type { Incoming };

/** A reply on its way to its channel. A `trace` joins the last one of a turn that somebody looks into; it is never stored. */
export type Outgoing = StoredOutgoing & { readonly trace?: Trace | undefined };

/**
 * How one delivery ended. What the engine does then stands in docs/how-it-works.md, "What a platform's answer means"; the kind
 * is also the metric's label.
 * - `delivered`: the platform has it (also: an edit that changes nothing).
 * - `throttled`: not now; never before `afterMs` have passed, where the platform says so.
 * - `undelivered`: surely not delivered (no connection, a closed client).
 * - `uncertain`: perhaps delivered (a time-out, a connection cut, a fault of the platform's own): there are no idempotency keys.
 * - `unauthorized`: the platform refuses our token or our bot; the operator's fault.
 * - `unreachable`: the customer blocked the bot, or the conversation is gone; final.
 * - `rejected`: refused for another reason; the same reply will be refused again.
 */
export type Delivery =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'undelivered' | 'unauthorized' | 'unreachable' | 'rejected' }
  | { readonly kind: 'throttled' | 'uncertain'; readonly afterMs?: number };

/**
 * The part of a channel that turns use: where replies go, and who writes.
 *
 * @example
 * const afterMs = (await outlet.pace?.(outgoing)) ?? 0;
 * if (afterMs > 0) return putOff(afterMs);
 * const delivery = await outlet.deliver(outgoing, seq);
 */
export interface Outlet {
  /** Sends one reply; `seq` is its number in the conversation. Never throws: every failure is a case of `Delivery`. */
  deliver(outgoing: Outgoing, seq: number): Promise<Delivery>;
  /** Gets quiet replies, too (`Reply.quiet`): somebody there waits for the end of a turn. */
  readonly hearsQuiet?: true;
  /**
   * Waits for the moment at which the platform takes one more message. Resolves to 0 then: `deliver` it now. Or to how
   * long the reply has to be put off (ms): a wait of more than a moment must not hold a turn's slot. Never throws. Absent:
   * the platform takes whatever comes.
   */
  pace?(outgoing: Outgoing): Promise<number>;
  /** Shows that the bot is at work, for a call that takes longer than a second. Best effort, never throws. */
  working?(incoming: Pick<Incoming, 'address' | 'conversation' | 'press'>): Promise<void>;
  /**
   * Completes a sender where the platform has to be asked who somebody is, which is too slow to do before `accept`.
   * Called at the start of a message's turn; answers within two seconds and never throws.
   */
  identify?(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Promise<Sender>;
  /** The same where the platform need not be asked, because it told a while ago; undefined: it has to be. */
  known?(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Sender | undefined;
  /**
   * Fetches a picture that a customer sent: `at` is what the channel put into the message. From the platform's exact hosts,
   * without following a redirect, and no more than `MAX_PHOTO_BYTES` of it. One try, within five seconds; never throws.
   * Absent: no message of the channel has a picture to fetch.
   */
  fetchPhoto?(place: Pick<Incoming, 'address' | 'conversation'>, at: unknown): Promise<FetchedPhoto>;
}

/**
 * How a fetch ended. `large`: over `MAX_PHOTO_BYTES`. `unavailable`: no answer, or one that may be another next time.
 * `refused`: the platform does not have it, or what it names is not a place of the platform's.
 */
export type FetchedPhoto =
  | { readonly kind: 'fetched'; readonly bytes: Uint8Array }
  | { readonly kind: 'large' | 'unavailable' | 'refused' };
