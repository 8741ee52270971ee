import type { HistoryType, Identifier } from '../conversation/effect.ts';

/**
 * AntCRM as the rules of calls see it (docs/antcrm.md). Phones are E.164; the client writes AntCRM's form. No method
 * throws: every way a call can end is a value. Nothing here repeats a call that might have been applied.
 *
 * @example
 * const phone = '+84867123456';
 * const writeBefore = { monotonicMs: world.monotonicMs() + 5000, wallMs: world.nowMs() + 5000 };
 * const { kind } = await antcrm.redeem({ gift: 'DAUMAY01', phone, writeBefore });
 * if (kind !== 'unknown') return kind;
 * const page = await antcrm.history({ type: 'gift', by: { kind: 'phone', value: phone }, page: 1 });
 */
export interface AntCrm {
  /** Adds the points of a code to the customer that the identifiers name. */
  accumulate(request: AccumulateRequest): Promise<CallOutcome>;
  /** Spends points. Goes out on a fresh connection, so that a stale socket cannot make the outcome ambiguous. */
  redeem(request: RedeemRequest): Promise<CallOutcome>;
  /** One page (from 1) of at most 20 records of the asked type, in AntCRM's order; `full`: there may be another. */
  history(query: HistoryQuery): Promise<Read<HistoryPage>>;
  /** The customer's record; null = AntCRM knows none, or the backend has no `/contacts`. */
  contact(by: Identifier): Promise<Read<Contact | null>>;
  /** AntCRM's clock, as far as its last answers tell. Asks nothing. */
  clock(): RemoteClock;
}

/** The part that only reads. */
export type Reads = Pick<AntCrm, 'history' | 'contact'>;

/**
 * - `known`: AntCRM's epoch ms are `World.monotonicMs()` and `aheadMs`, give or take `errorMs`.
 * - `untold`: it answers, without saying what time it is.
 * - `unasked`: it has not answered of late.
 */
export type RemoteClock =
  | { readonly kind: 'known'; readonly aheadMs: number; readonly errorMs: number }
  | { readonly kind: 'untold' | 'unasked' };

/** By both clocks: the monotonic one stands still while the machine is suspended, the wall clock may be put back. */
export type Moment = { readonly monotonicMs: number; readonly wallMs: number };

type Values = Readonly<Partial<Record<'phone' | 'email', string | undefined>>>;
export type AccumulateRequest = Values & { readonly code: string; readonly name?: string | undefined };
/** No byte may be written after `writeBefore`. */
export type RedeemRequest = Values & { readonly gift: string; readonly writeBefore: Moment };

/** Half-open; epoch ms. */
export type Period = { readonly fromMs?: number | undefined; readonly toMs?: number | undefined };

export type HistoryQuery = Period & {
  readonly type: HistoryType;
  readonly by: Identifier;
  readonly page: number;
};

/** AntCRM's page size of the history. */
export const HISTORY_PAGE = 20;
export type HistoryPage = { readonly records: readonly LoyaltyRecord[]; readonly full: boolean };

/**
 * - `applied`: AntCRM said `success: 1`.
 * - `refused`: AntCRM decided against it.
 * - `unavailable`: surely not applied (refused connection, DNS, connect time-out, open breaker, 401/403).
 * - `unknown`: perhaps applied (time-out, reset, 408, 429, 5xx, unreadable answer).
 */
export type CallOutcome = { readonly kind: 'applied' | 'refused' | 'unavailable' | 'unknown' };

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: 'unavailable' | 'unreadable' };

/** A record of the history as read: tolerant, so every part but the type may be missing. */
export type LoyaltyRecord = {
  readonly id?: string | undefined;
  readonly type: HistoryType;
  readonly status: 'succeeded' | 'failed';
  readonly score?: number | undefined;
  /** The product's or the gift's name. */
  readonly what?: string | undefined;
  /** Accumulation: the code; redemption: the gift's code. */
  readonly code?: string | undefined;
  readonly atMs?: number | undefined;
  /** The customer that it names. */
  readonly whose?: Named | undefined;
};

/** By each of these one customer is known. Phones E.164 where they can be read as such, e-mails lower-cased. */
export type Named = {
  readonly customerId?: string | undefined;
  readonly phones: readonly string[];
  readonly emails: readonly string[];
};

export type Contact = Named & {
  readonly points?: number | undefined;
  readonly rank?: string | undefined;
  readonly rankPoints?: number | undefined;
};
