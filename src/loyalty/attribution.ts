import type { AwaitedRecord, Lookup, Outcome, Skew } from '../conversation/effect.ts';
import { isAmbiguous, isSameCode, mayHaveCode } from './codes.ts';
import { type OtherOperations, toLockNames } from './locks.ts';
import type { LoyaltyRecord } from './port.ts';

/** What the history says of an operation (see `checked` of `Outcome`). */
export type Finding = Pick<Extract<Outcome, { kind: 'checked' }>, 'found' | 'receipt'>;

/** `codes`: the gifts that the operator lists. */
type Evidence = {
  readonly others: OtherOperations;
  readonly skewNow: Skew | undefined;
  readonly codes: readonly string[];
};

/** When the record of a call may have been created, epoch ms by AntCRM's clock. Both ends are included. */
type CallSpan = { readonly calledMs: number; readonly fromMs: number; readonly toMs: number };

/** A call can reach AntCRM until its deadline. Its record may be created this much later, ms. */
const PROCESSING_MS = 60 * 1000;
/** An unknown clock is assumed to be off by at most this much, either way. */
const UNKNOWN_SKEW: Skew = { ms: 0, errorMs: 31 * 60 * 1000 };

/**
 * Finds the record of an operation. `records` are all that AntCRM lists since the lookup's `fromMs`. A record
 * of the baseline, or one that settled another operation, does not belong to this operation. A new record
 * that does not say what tells it apart may be ours: then nothing is decided. Any other successful record
 * - belongs to this operation if it was created in time and no other awaited success may own it. Two or more
 *   such records are `several`: one may be of a cashier;
 * - is strange if it was created earlier or later and no awaited success may own it: it may be a cashier's,
 *   or AntCRM's clock is wrong. It proves neither that the call was applied nor that it was not.
 *
 * `skewNow` is used where the lookup does not know the skew at the time of the call.
 */
export function attribute(lookup: Lookup, records: readonly LoyaltyRecord[], evidence: Evidence): Finding {
  const { others, skewNow } = evidence;
  const skew = lookup.skew ?? skewNow;
  const span = spanOf(lookup, skew);
  const sorted = sortRecords(lookup, records, { ...evidence, span });
  if (typeof sorted === 'string') return { found: sorted };
  const { since, before, older, merged, isRefused } = sorted;

  const awaited = others.awaited.filter(({ code }) => isSameCode(code, lookup.code));
  const spans = awaited.map((success) => spanOf(success, success.skew ?? skew));
  const earlier = spans.filter(({ calledMs }) => calledMs <= span.calledMs);
  const later = spans.filter(({ calledMs }) => calledMs > span.calledMs);
  const candidates = pairWithSpans(since, later).records;
  const inTime = candidates.filter((record) => isWithin(record, span));
  const isStrange = before.some((record) => !earlier.some((other) => isWithin(record, other)));
  const unservedSpans = pairWithSpans([...older, ...before], earlier).spans;
  const othersShare = unservedSpans.filter((other) =>
    inTime.some((record) => isWithin(record, other)),
  ).length;

  const mergedInTime = merged.filter((record) => !record.failed && isWithin(record, span));
  if (inTime.length + mergedInTime.length > othersShare + 1) return { found: 'several' };
  if (merged.length > 0) return { found: 'unreadable' };
  // The newest: earlier calls left the older records.
  const [newest] = inTime;
  if (newest && inTime.length > othersShare) {
    const { id: record, score, what } = newest;
    return { found: 'applied', receipt: { record, score, what } };
  }
  if (candidates.length > 0 || isStrange) return { found: 'undecided' };
  return { found: isRefused ? 'refused' : 'none' };
}

/**
 * Successes that may have the lookup's code. `older`: records of the baseline. `before`: newer records,
 * created before the call. `since`: records created since the call. `merged`: new records that may belong to
 * another customer.
 */
type SortedRecords = Readonly<Record<'older' | 'before' | 'since' | 'merged', readonly LoyaltyRecord[]>> & {
  readonly isRefused: boolean;
};

/** `unreadable`, `undecided`: the records prove nothing. */
function sortRecords(
  lookup: Lookup,
  records: readonly LoyaltyRecord[],
  { others, codes, span }: Evidence & { readonly span: CallSpan },
): SortedRecords | 'unreadable' | 'undecided' {
  const known = [lookup.code, ...codes, ...others.awaited.map(({ code }) => code), ...textCodes(records)];
  const missing = new Set(lookup.baseline);
  const since: LoyaltyRecord[] = [];
  const before: LoyaltyRecord[] = [];
  const older: LoyaltyRecord[] = [];
  const merged: LoyaltyRecord[] = [];
  let isRefused = false;
  let isUnclear = false;
  for (const record of records.filter((candidate) => mayBeOf(lookup, candidate))) {
    const { id = '', failed, atMs = Number.POSITIVE_INFINITY } = record;
    const isOld = missing.delete(id) || lookup.baseline.includes(id);
    if (others.settled.includes(id)) continue;
    if (isOld) {
      if (!failed) older.push(record);
    } else if (!isComplete(lookup, record)) {
      // An accumulation has no baseline. If a record has no code, only its time can show that it is older.
      if (lookup.kind === 'redeem' || record.code !== undefined || isNear(record, span)) return 'unreadable';
    } else if (lookup.kind === 'redeem' && hasForeignName(lookup, record)) merged.push(record);
    else if (isAmbiguous(record, known)) isUnclear = true;
    else if (failed) isRefused ||= isWithin(record, span);
    else (atMs < span.fromMs ? before : since).push(record);
  }
  // The read was cut off, or is of a copy of AntCRM's data that lags behind.
  if (missing.size > 0) return 'unreadable';
  return isUnclear ? 'undecided' : { older, before, since, merged, isRefused };
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
