import type { Awaited, Lookup, Outcome, Skew } from '../conversation/effect.ts';
import type { OtherOperations } from './locks.ts';
import type { LoyaltyRecord } from './port.ts';

/** What the history says of an operation (see `checked` of `Outcome`). */
export type Finding = Pick<Extract<Outcome, { kind: 'checked' }>, 'found' | 'receipt'>;

type Evidence = { readonly others: OtherOperations; readonly skewNow: Skew | undefined };

/** When the record of a call may have been created, epoch ms by AntCRM's clock. Both ends are included. */
type CallSpan = { readonly calledMs: number; readonly fromMs: number; readonly toMs: number };

/** A call can reach AntCRM until its deadline. Its record may be created this much later, ms. */
const PROCESSING_MS = 60 * 1000;
/** An unknown clock is assumed to be off by at most this much, either way. */
const UNKNOWN_SKEW: Skew = { ms: 0, errorMs: 31 * 60 * 1000 };

/**
 * Finds the record of an operation. `records` are all that AntCRM lists since the lookup's `fromMs`. A record
 * of the baseline, or one that settled another operation, does not belong to this operation. Any other
 * successful record
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
  const missing = new Set(lookup.baseline);
  const since: LoyaltyRecord[] = [];
  const before: LoyaltyRecord[] = [];
  const older: LoyaltyRecord[] = [];
  let isRefused = false;
  for (const record of records) {
    if (!mayBeOf(lookup, record)) continue;
    const { id = '', failed, atMs = Infinity } = record;
    const isOld = lookup.baseline.includes(id);
    missing.delete(id);
    if (others.settled.includes(id)) continue;
    // An accumulation is known by its code, which is good once, so its record needs no id.
    const isIdentified = lookup.kind === 'accumulate' || (id !== '' && record.code !== undefined);
    if (!isOld && !isIdentified) return { found: 'unreadable' };
    if (failed) isRefused ||= !isOld && isWithin(record, span);
    else if (isOld) older.push(record);
    else (atMs < span.fromMs ? before : since).push(record);
  }
  // The read was cut off, or is of a copy of AntCRM's data that lags behind.
  if (missing.size > 0) return { found: 'unreadable' };

  const awaited = others.awaited.filter(({ code }) => isSameCode(code, lookup.code));
  const spans = awaited.map((success) => spanOf(success, success.skew ?? skew));
  const earlier = spans.filter(({ calledMs }) => calledMs <= span.calledMs);
  const later = spans.filter(({ calledMs }) => calledMs > span.calledMs);
  const candidates = assign(since, later).records;
  const inTime = candidates.filter((record) => isWithin(record, span));
  const isStrange = before.some((record) => !earlier.some((other) => isWithin(record, other)));
  const unservedSpans = assign([...older, ...before], earlier).spans;
  const othersShare = unservedSpans.filter((other) =>
    inTime.some((record) => isWithin(record, other)),
  ).length;

  if (inTime.length > othersShare + 1) return { found: 'several' };
  // The newest: earlier calls left the older records.
  const [newest] = inTime;
  if (newest && inTime.length > othersShare) {
    const { id: record, score, what } = newest;
    return { found: 'applied', receipt: { record, score, what } };
  }
  if (candidates.length > 0 || isStrange) return { found: 'undecided' };
  // A refused accumulation may be an earlier attempt with the code: there is no baseline.
  return { found: isRefused && lookup.kind === 'redeem' ? 'refused' : 'none' };
}

/** A redemption without a gift's code may be of any gift. */
export function mayBeRedemptionOf(gift: string, { type, code }: LoyaltyRecord): boolean {
  return type === 'gift' && (code === undefined || isSameCode(code, gift));
}

function mayBeOf(lookup: Lookup, record: LoyaltyRecord): boolean {
  if (lookup.kind === 'redeem') return mayBeRedemptionOf(lookup.code, record);
  return record.type === 'point' && record.code !== undefined && isSameCode(record.code, lookup.code);
}

/** AntCRM may change the case of a code. A missed record would be called "not applied". */
const isSameCode = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

/** The span of a call, widened by the error of the skew. */
function spanOf({ calledMs = 0, deadlineMs }: Lookup | Awaited, skew = UNKNOWN_SKEW): CallSpan {
  const fromMs = calledMs + skew.ms - skew.errorMs;
  return { calledMs, fromMs, toMs: deadlineMs + PROCESSING_MS + skew.ms + skew.errorMs };
}

/** A record without a time may be of any time. */
const isWithin = ({ atMs }: LoyaltyRecord, { fromMs, toMs }: CallSpan): boolean =>
  atMs === undefined || (atMs >= fromMs && atMs <= toMs);

/** Pairs the newest record with the latest span, and so on. Returns the rest of both. */
function assign(
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
