import type { HistoryRecord, HistoryType, Identifier } from '../conversation/effect.ts';
import type { CallPermit } from '../engine/perform.ts';
import type { Deadline } from '../resilience/deadline.ts';

/**
 * AntCRM as the rules of calls see it (docs/antcrm.md). Phones are E.164; the client writes AntCRM's form. No
 * method throws: each end of a call is a value. No method repeats a call that might have been applied. What
 * changes points needs the permit of its stored intent, which is good for one call.
 */
export interface AntCrm {
  /**
   * Adds the points of a code to the customer that the identifiers name. A code is good once: a second call
   * is `refused`.
   */
  accumulate(request: AccumulateRequest): Promise<CallOutcome>;
  /**
   * Spends points. Nothing is written after `writeBefore`. Uses a fresh connection, so that a stale socket
   * cannot make the outcome ambiguous.
   *
   * @example
   * const writeBefore = deadlineIn(5000, runtime);
   * const call = await antCrm.redeem({ gift: 'DAUMAY01', phone: '+84867123456', writeBefore, permit });
   * if (call.kind === 'unknown') lookUpLater();
   */
  redeem(request: RedeemRequest): Promise<CallOutcome>;
  /**
   * Reads one page (from 1; 0 is what AntCRM has before that, if anything) of records of the given type, in
   * AntCRM's order. How many records it has is AntCRM's choice.
   */
  history(query: HistoryQuery): Promise<Read<HistoryPage>>;
  /**
   * Reads the customer's record; null if AntCRM has none.
   */
  contact(by: Identifier): Promise<Read<Contact | null>>;
}

type SentValues = Readonly<Partial<Record<'phone' | 'email', string | undefined>>>;
type PermittedValues = SentValues & { readonly permit: CallPermit };
export type AccumulateRequest = PermittedValues & {
  readonly code: string;
  readonly name?: string | undefined;
};
export type RedeemRequest = PermittedValues & { readonly gift: string; readonly writeBefore: Deadline };

/** From `fromMs` to before `toMs`; epoch ms. */
export type HistoryPeriod = { readonly fromMs?: number | undefined; readonly toMs?: number | undefined };

export type HistoryQuery = HistoryPeriod & Readonly<{ type: HistoryType; by: Identifier; page: number }>;
/** All pages. */
export type UnpagedQuery = Omit<HistoryQuery, 'page'>;

/**
 * A page of the history: `records` of the type that was asked for.
 * - `marks`: what tells its entries apart, of both types, in order. An empty page is the last one.
 * - `isWhole`: each entry could be read, and no two have one id.
 */
export type HistoryPage = {
  readonly records: readonly LoyaltyRecord[];
  readonly marks: readonly string[];
  readonly isWhole: boolean;
};

/**
 * AntCRM's clock as an answer shows it (`Date`, epoch ms, cut to seconds), and the round trip, ms.
 * `isCached`: a cache has answered (`Age` above 0).
 */
export type AnswerTime = {
  readonly dateMs: number | undefined;
  readonly tookMs: number;
  readonly isCached?: true | undefined;
};

/** `time` is absent if there was no answer. */
export type TimedAnswer = { readonly time?: AnswerTime | undefined };

/**
 * - `applied`: AntCRM said `success: 1`.
 * - `refused`: AntCRM decided against it.
 * - `unavailable`: surely not applied (refused connection, DNS, connect time-out, open breaker, 401, 403).
 * - `unknown`: perhaps applied (time-out, reset, 408, 429, 5xx, unreadable answer).
 */
export type CallOutcome = TimedAnswer & { readonly kind: 'applied' | 'refused' | 'unavailable' | 'unknown' };

type FailedRead = { readonly ok: false; readonly reason: 'unavailable' | 'unreadable' };
export type Read<Value> = TimedAnswer & ({ readonly ok: true; readonly value: Value } | FailedRead);

/**
 * A record of the history, read tolerantly, with the customer that it names.
 * - `isNumericCode`: the code was a JSON number, so that leading zeros are lost.
 * - `isVague`: it does not say its type, or not clearly how the attempt ended.
 */
export type LoyaltyRecord = Readonly<HistoryRecord> & {
  readonly whose?: CustomerNames | undefined;
  readonly isNumericCode?: true | undefined;
  readonly isVague?: true | undefined;
};

/** Each of these names one customer. Phones are E.164 where they can be, e-mails in lower case. */
export type CustomerNames = {
  readonly customerId?: string | undefined;
  readonly phones: readonly string[];
  readonly emails: readonly string[];
};

export type Contact = CustomerNames & {
  readonly points?: number | undefined;
  readonly rank?: string | undefined;
  readonly rankPoints?: number | undefined;
};
