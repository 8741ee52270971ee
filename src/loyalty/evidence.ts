import type { AwaitedRecord, Lookup, Receipt, Skew } from '../conversation/effect.ts';
import { isAmbiguous, isSameCode, mayHaveCode } from './codes.ts';
import { type OtherOperations, toLockNames } from './locks.ts';
import type { LoyaltyRecord } from './port.ts';

/**
 * What is known about an operation whose outcome AntCRM did not say. Times are epoch ms by the store's clock;
 * a record's is by AntCRM's.
 * - `rows`: all records of the operation's type since the lookup's `fromMs`. `others`: of the other type, and
 *   `points`, where the balance was read; null: AntCRM has no such customer.
 * - `atMs`: when this read began. `skewNow`: of the `Date` of its answers.
 * - `siblings`: what other operations left. `codes`: the gifts that the operator lists.
 */
export type Evidence = {
  readonly lookup: Lookup;
  readonly atMs: number;
  readonly skewNow: Skew | undefined;
  readonly rows: readonly LoyaltyRecord[];
  readonly balance?:
    | {
        readonly others: readonly LoyaltyRecord[];
        readonly points: number | null;
        readonly isMerged: boolean;
      }
    | undefined;
  readonly siblings: OtherOperations;
  readonly seen: SeenHistory;
  readonly codes: readonly string[];
};

/**
 * What this AntCRM has shown of our own successes (`canary.ts`). `lagMs`: how long a record took at most.
 * `clock`: how far the clock of the records is ahead of the store's. `follows`: whether the balance moved
 * with the last success.
 */
export type SeenHistory = {
  readonly lagMs?: number | undefined;
  readonly clock?: Skew | undefined;
  readonly follows?: boolean | undefined;
};

/**
 * Why nothing is known.
 * - `incomplete`: a record of the baseline is missing, or one that may be ours does not say enough.
 * - `several`: more than one record may be ours. `strange`: a record has another time, and may be ours.
 * - `clock`: AntCRM's clock is not known, or wrong.
 * - `unseen`, `lag`: no success of ours was seen yet in this history, or records come later than this read.
 * - `balance`: the points moved otherwise than the records say.
 */
export type Doubt = 'incomplete' | 'several' | 'strange' | 'clock' | 'unseen' | 'lag' | 'balance';

export type Verdict =
  | { readonly is: 'applied'; readonly receipt: Receipt; readonly atMs: number | undefined }
  | { readonly is: 'refused' | 'notApplied' }
  | { readonly is: 'undecided'; readonly why: Doubt };

/** When the record of a call may have been created, epoch ms by AntCRM's clock. Both ends are included. */
type CallSpan = { readonly calledMs: number; readonly fromMs: number; readonly toMs: number };

/** A call can reach AntCRM until its deadline. Its record may be created this much later, ms. */
const PROCESSING_MS = 60 * 1000;
/** An unknown clock is assumed to be off by at most this much, either way. */
const UNKNOWN_SKEW: Skew = { ms: 0, errorMs: 31 * 60 * 1000 };
/** A clock further off than this is wrong: the lack of a record proves nothing then. */
const MAX_SKEW_MS = 2 * 60 * 1000;
export const isSmallSkew = ({ ms }: Skew): boolean => Math.abs(ms) <= MAX_SKEW_MS;

const doubt = (why: Doubt) => ({ is: 'undecided', why }) as const;

/**
 * What a history proves about an operation. Nothing else concludes anything from AntCRM's records.
 *
 * | verdict | if |
 * | --- | --- |
 * | applied | one new success with the operation's code was created in the span of its call (until a minute after its deadline), and no other operation may own it; the balance, where it follows our successes, moved as all records say |
 * | refused, not applied | there is no such record, nor one with another time; AntCRM's clock is right; a success of ours was seen in this history, none came later than this read is after the call; and the balance is exactly what the records make of it |
 * | undecided | else: who reads may read again, and then staff decide |
 *
 * "New" is what the baseline does not have. A record that settled another operation, or that another awaited
 * success may own, is not ours. A fall or rise of the balance that no record explains (a reset, an expiry, a
 * record that is not shown yet) is a doubt and never an effect. Prices decide nothing. Where the balance may
 * not be read, the history decides alone. A customer that AntCRM knew neither before nor after an accumulation
 * has earned nothing: no success need be seen for that.
 */
export function judge(evidence: Evidence): Verdict {
  const found = findRecords(evidence);
  if (typeof found === 'string') return doubt(found);
  const { ours, isStrange, isRefused } = found;
  if (ours) {
    const why = contradict(evidence, ours);
    const { id: record, score, what, atMs } = ours;
    return why ? doubt(why) : { is: 'applied', receipt: { record, score, what }, atMs };
  }
  if (isStrange) return doubt('strange');
  const why = doubtAbsence(evidence);
  if (why) return doubt(why);
  return { is: isRefused ? 'refused' : 'notApplied' };
}

/** `ours`: the record of the call. `isStrange`: a record proves neither that it was applied nor that not. */
type Found = {
  readonly ours: LoyaltyRecord | undefined;
  readonly isStrange: boolean;
  readonly isRefused: boolean;
};

/**
 * A record of the baseline, or one that settled another operation, does not belong to this operation. Any
 * other success
 * - belongs to this operation if it was created in time and no other awaited success may own it. Two or more
 *   such records are `several`: one may be of a cashier;
 * - is strange if it was created earlier or later and no awaited success may own it: it may be a cashier's,
 *   or AntCRM's clock is wrong.
 */
function findRecords(evidence: Evidence): Found | Doubt {
  const { lookup, siblings } = evidence;
  const skew = clockOf(evidence);
  const span = spanOf(lookup, skew);
  const sorted = sortRecords(evidence, span);
  if (typeof sorted === 'string') return sorted;
  const { since, before, older, merged, isRefused, isUnclear } = sorted;
  if (isUnclear) return 'strange';

  const awaited = siblings.awaited.filter(({ code }) => isSameCode(code, lookup.code));
  const spans = awaited.map((success) => spanOf(success, evidence.seen.clock ?? success.skew ?? skew));
  const earlier = spans.filter(({ calledMs }) => calledMs <= span.calledMs);
  const later = spans.filter(({ calledMs }) => calledMs > span.calledMs);
  const candidates = pairWithSpans(since, later).records;
  const inTime = candidates.filter((record) => isWithin(record, span));
  const isEarly = before.some((record) => !earlier.some((other) => isWithin(record, other)));
  const unservedSpans = pairWithSpans([...older, ...before], earlier).spans;
  const othersShare = unservedSpans.filter((other) =>
    inTime.some((record) => isWithin(record, other)),
  ).length;

  const mergedInTime = merged.filter((record) => !record.failed && isWithin(record, span));
  if (inTime.length + mergedInTime.length > othersShare + 1) return 'several';
  if (merged.length > 0) return 'incomplete';
  // The newest: earlier calls left the older records.
  const ours = inTime.length > othersShare ? inTime[0] : undefined;
  return { ours, isStrange: candidates.length > 0 || isEarly, isRefused };
}

/**
 * Successes that may have the lookup's code. `older`: records of the baseline. `before`: newer records,
 * created before the call. `since`: records created since the call. `merged`: new records that may belong to
 * another customer. `isUnclear`: the code of a record may be another's.
 */
type SortedRecords = Readonly<Record<'older' | 'before' | 'since' | 'merged', readonly LoyaltyRecord[]>> & {
  readonly isRefused: boolean;
  readonly isUnclear: boolean;
};

function sortRecords(
  { lookup, rows, siblings, codes }: Evidence,
  span: CallSpan,
): SortedRecords | 'incomplete' {
  const known = [lookup.code, ...codes, ...siblings.awaited.map(({ code }) => code), ...textCodes(rows)];
  const missing = new Set(lookup.baseline);
  const since: LoyaltyRecord[] = [];
  const before: LoyaltyRecord[] = [];
  const older: LoyaltyRecord[] = [];
  const merged: LoyaltyRecord[] = [];
  let isRefused = false;
  let isUnclear = false;
  for (const record of rows.filter((candidate) => mayBeOf(lookup, candidate))) {
    const { id = '', failed, atMs = Number.POSITIVE_INFINITY } = record;
    const isOld = missing.delete(id) || lookup.baseline.includes(id);
    if (siblings.settled.includes(id)) continue;
    if (isOld) {
      if (!failed) older.push(record);
    } else if (!isComplete(lookup, record)) {
      // An accumulation has no baseline. If a record has no code, only its time can show that it is older.
      if (lookup.kind === 'redeem' || record.code !== undefined || isNear(record, span)) return 'incomplete';
    } else if (lookup.kind === 'redeem' && hasForeignName(lookup, record)) merged.push(record);
    else if (isAmbiguous(record, known)) isUnclear = true;
    else if (failed) isRefused ||= isWithin(record, span);
    else (atMs < span.fromMs ? before : since).push(record);
  }
  // The read was cut off, or is of a copy of AntCRM's data that lags behind.
  return missing.size > 0 ? 'incomplete' : { older, before, since, merged, isRefused, isUnclear };
}

/** Of a call that surely succeeded: the only new success of its code, whatever its time. */
export function findOnlyNew(
  { kind, code, baseline }: Lookup,
  rows: readonly LoyaltyRecord[],
  { settled, awaited }: OtherOperations,
): LoyaltyRecord | undefined {
  const news = rows.filter(
    ({ id, failed, isVague, code: own, type }) =>
      type === (kind === 'redeem' ? 'gift' : 'point') &&
      !failed &&
      !isVague &&
      own !== undefined &&
      isSameCode(own, code) &&
      id !== undefined &&
      !baseline.includes(id) &&
      !settled.includes(id),
  );
  return news.length === 1 && awaited.length === 0 ? news[0] : undefined;
}

/** A redemption without a gift's code may be of any gift. */
export function mayBeRedemptionOf(gift: string, record: LoyaltyRecord): boolean {
  return record.type === 'gift' && mayHaveCode(record, gift);
}

/** A failed accumulation may be an earlier attempt with the code, and proves nothing. */
function mayBeOf({ kind, code }: Lookup, record: LoyaltyRecord): boolean {
  if (kind === 'redeem') return mayBeRedemptionOf(code, record);
  const { type, failed, isVague } = record;
  return type === 'point' && (isVague || !failed) && mayHaveCode(record, code);
}

/**
 * Whether a record says enough to be assigned to a call: its type, its code and how it ended. A redemption
 * also needs an id and a time. An accumulation does not, because its code is good once.
 */
function isComplete({ kind }: Lookup, { id, code, atMs, isVague }: LoyaltyRecord): boolean {
  if (code === undefined || isVague) return false;
  return kind === 'accumulate' || (id !== undefined && atMs !== undefined);
}

/**
 * Whether a new record has a name that the customer did not have before the call. Then AntCRM has merged two
 * customers, and the record may belong to the other one. False if the lookup does not have all names of the
 * customer, which only AntCRM's contact record gives.
 */
function hasForeignName({ locks }: Lookup, { whose }: LoyaltyRecord): boolean {
  if (whose === undefined || !locks.some((name) => name.startsWith('customer:'))) return false;
  return toLockNames(whose).some((name) => !locks.includes(name));
}

function textCodes(records: readonly LoyaltyRecord[]): readonly string[] {
  return records.flatMap(({ code, isNumericCode }) => (code === undefined || isNumericCode ? [] : [code]));
}

/** Our own successes show the clock of the records. `Date` may be of another one. */
const clockOf = ({ seen, lookup, skewNow }: Evidence): Skew | undefined =>
  seen.clock ?? lookup.skew ?? skewNow;

/** The span of a call, widened by the error of the skew. */
function spanOf({ calledMs = 0, deadlineMs }: Lookup | AwaitedRecord, skew = UNKNOWN_SKEW): CallSpan {
  const fromMs = calledMs + skew.ms - skew.errorMs;
  return { calledMs, fromMs, toMs: deadlineMs + PROCESSING_MS + skew.ms + skew.errorMs };
}

/** A record without a time may be of any time. */
const isWithin = ({ atMs }: LoyaltyRecord, { fromMs, toMs }: CallSpan): boolean =>
  atMs === undefined || (atMs >= fromMs && atMs <= toMs);

/** A clock may be off by this much, or be corrected by it between the call and the lookup, ms. */
const NEAR_MS = 60 * 60 * 1000;
const isNear = (record: LoyaltyRecord, { calledMs, fromMs, toMs }: CallSpan): boolean =>
  isWithin(record, { calledMs, fromMs: fromMs - NEAR_MS, toMs: toMs + NEAR_MS });

/**
 * Gives each span, the latest first, the newest record that lies in it. Returns the records and the spans
 * that are left.
 */
function pairWithSpans(
  records: readonly LoyaltyRecord[],
  spans: readonly CallSpan[],
): { records: readonly LoyaltyRecord[]; spans: readonly CallSpan[] } {
  const left = records.toSorted((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0));
  const unserved: CallSpan[] = [];
  for (const span of spans.toSorted((a, b) => b.fromMs - a.fromMs)) {
    const index = left.findIndex((record) => isWithin(record, span));
    if (index < 0) unserved.push(span);
    else left.splice(index, 1);
  }
  return { records: left, spans: unserved };
}

/** Why the lack of a record does not prove that there was no effect; undefined: it does. */
function doubtAbsence(evidence: Evidence): Doubt | undefined {
  const { lookup, skewNow, seen, atMs, balance } = evidence;
  const skews = [lookup.skew, skewNow].filter((skew) => skew !== undefined);
  if (skews.length === 0 || !skews.every(isSmallSkew)) return 'clock';
  if (balance !== undefined) {
    const moved = sumMoves(evidence);
    if (balance.isMerged || moved === undefined) return 'balance';
    // What is not clear is counted so that an effect of ours would show.
    const expected = lookup.kind === 'redeem' ? moved.most : moved.least;
    if ((balance.points ?? 0) !== expected) return 'balance';
  }
  const isNobody = lookup.balance?.points === null && balance?.points === null;
  if (isNobody && evidence.rows.length === 0) return undefined;
  if (seen.lagMs === undefined) return 'unseen';
  return atMs - lookup.deadlineMs < seen.lagMs ? 'lag' : undefined;
}

/** Whether the balance says that this record is not of our call. */
function contradict(evidence: Evidence, ours: LoyaltyRecord): Doubt | undefined {
  const { balance, seen, lookup } = evidence;
  if (balance === undefined) return undefined;
  const moved = sumMoves(evidence, ours);
  const isClosed = !balance.isMerged && moved?.all.has(balance.points ?? 0);
  if (isClosed) return undefined;
  if (seen.follows) return 'balance';
  // A balance that never moved with a success says nothing against a record that was made during the call.
  const { toMs } = spanOf(lookup, clockOf(evidence));
  return (ours.atMs ?? 0) > toMs - PROCESSING_MS ? 'balance' : undefined;
}

/** Sums of unclear records that are told apart. */
const MAX_SUMS = 4096;

/**
 * What the balance may be by the records since it was read: `all` that is possible. Undefined: nobody knows.
 * A record may be older than the balance if its time is not clear. `counted`: one that is surely newer.
 */
function sumMoves({ lookup, rows, balance, ...evidence }: Evidence, counted?: LoyaltyRecord) {
  if (balance === undefined || lookup.balance === undefined) return undefined;
  const { points, readMs } = lookup.balance;
  const { calledMs = lookup.deadlineMs } = lookup;
  const { ms, errorMs } = clockOf({ lookup, rows, balance, ...evidence }) ?? UNKNOWN_SKEW;
  let all = new Set([points ?? 0]);
  for (const record of [...rows, ...balance.others]) {
    const { failed, isVague, score, type, atMs } = record;
    const mayBeNew = atMs === undefined || atMs >= readMs + ms - errorMs || record === counted;
    if (!mayBeNew || (failed && !isVague)) continue;
    if (score === undefined) return undefined;
    const change = type === 'gift' ? -score : score;
    const isNew = record === counted || (!isVague && atMs !== undefined && atMs > calledMs + ms + errorMs);
    const sums = [...all].map((sum) => sum + change);
    all = new Set(isNew ? sums : [...all, ...sums]);
    if (all.size > MAX_SUMS) return undefined;
  }
  return { all, most: Math.max(...all), least: Math.min(...all) };
}
