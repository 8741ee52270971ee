import type { Lookup, Outcome, Receipt, Skew } from '../conversation/effect.ts';
import { byRemoteClock, type Span } from './clock.ts';
import type { Others } from './locks.ts';
import type { LoyaltyRecord } from './port.ts';

/** What the history says of an operation (see `checked` of `Outcome`). */
export type Finding = Pick<Extract<Outcome, { kind: 'checked' }>, 'found' | 'receipt'>;

/** A call can reach AntCRM until its deadline; this much later a record may still be that call's. */
const PROCESSING_MS = 60 * 1000;

/**
 * Whose records are these? `records` are all that AntCRM lists since `fromMs` of the lookup. Those that were there
 * before the call (`baseline`) or settled another operation are not this one's. Of the other successes,
 * - those created in time are its own, unless another success still waits for them. More than one that nobody waits for
 *   are `several`: one may be a cashier's;
 * - those created before or after, and not waited for either, are strange: a cashier's, perhaps, or AntCRM's clock is not
 *   what it says. None is taken for a success, and nothing is concluded from there being no other.
 *
 * Records carry AntCRM's times; `skew` is used where the lookup does not know it from the time of the call.
 */
export function attribute(
  lookup: Lookup,
  records: readonly LoyaltyRecord[],
  { settled, awaited }: Others,
  skew: Skew | undefined,
): Finding {
  const possible = records.filter((record) => mayBe(lookup, record));
  const old = new Set([...lookup.baseline, ...settled]);
  const fresh = possible.filter(({ id }) => id === undefined || !old.has(id));
  const isReadable = isWhole(lookup, possible) && fresh.every((record) => isIdentified(lookup, record));
  if (!isReadable) return { found: 'unreadable' };

  const span = spanOf(lookup, lookup.skew ?? skew);
  const others = awaited
    .filter(({ code }) => isSameCode(code, lookup.code))
    .map((one) => ({ calledMs: calledMs(one), ...spanOf(one, one.skew ?? lookup.skew ?? skew) }));
  const [later, earlier] = part(others, (other) => other.calledMs > calledMs(lookup));

  const successes = fresh.filter(({ status }) => status === 'succeeded');
  const [before, since] = part(successes, ({ atMs = Infinity }) => atMs < span.fromMs);
  const [inTime, after] = part(share(since, later).records, (record) => isWithin(record, span));
  const strange = [...after, ...before.filter((record) => !earlier.some((one) => isWithin(record, one)))];

  const open = possible.filter(({ status, id = '' }) => status === 'succeeded' && !settled.includes(id));
  const older = open.filter((record) => !since.includes(record));
  const wait = share(older, earlier).spans;
  const taken = wait.filter((one) => inTime.some((record) => isWithin(record, one))).length;

  if (inTime.length > taken + 1) return { found: 'several' };
  // The newest: earlier calls left the older records.
  if (inTime[0] && inTime.length > taken) return { found: 'applied', receipt: asReceipt(inTime[0]) };
  if (inTime.length + strange.length > 0) return { found: 'undecided' };
  // A refused accumulation may be somebody's earlier try of the code: nothing says what was there before ours.
  const isRefused = lookup.kind === 'redeem' && fresh.some((record) => isWithin(record, span));
  return { found: isRefused ? 'refused' : 'none' };
}

/** A redemption that does not say of which gift may be the one. */
export function mayBeRedemptionOf(gift: string, { type, code }: LoyaltyRecord): boolean {
  return type === 'gift' && (code === undefined || isSameCode(code, gift));
}

function mayBe(lookup: Lookup, record: LoyaltyRecord): boolean {
  return lookup.kind === 'redeem'
    ? mayBeRedemptionOf(lookup.code, record)
    : record.type === 'point' && record.code !== undefined && isSameCode(record.code, lookup.code);
}

/** A read that lacks a record of the baseline was cut off, or is of a copy of AntCRM's data that lags behind. */
function isWhole({ baseline }: Lookup, records: readonly LoyaltyRecord[]): boolean {
  const ids = new Set(records.map(({ id }) => id));
  return baseline.every((id) => ids.has(id));
}

/** An accumulation is known by its code, which is good once, so its record needs no id. */
const isIdentified = ({ kind }: Lookup, { id, code }: LoyaltyRecord): boolean =>
  kind === 'accumulate' || (id !== undefined && code !== undefined);

/** Codes are sent as typed; AntCRM may list them as it spells them. A missed record would be called "not applied". */
const isSameCode = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

/** When the record of a call may have been created, by AntCRM's clock. */
const spanOf = (called: Pick<Lookup, 'calledMs' | 'deadlineMs'>, skew: Skew | undefined): Span =>
  byRemoteClock({ fromMs: calledMs(called), toMs: called.deadlineMs + PROCESSING_MS }, skew);
const calledMs = ({ calledMs = 0 }: Pick<Lookup, 'calledMs'>): number => calledMs;

/** A record without a time may be of any. */
const isWithin = ({ atMs }: LoyaltyRecord, { fromMs, toMs }: Span): boolean =>
  atMs === undefined || (atMs >= fromMs && atMs <= toMs);

/** Gives each span one of the records within it, the newest to the latest: what is left over, in that order. */
function share<S extends Span>(
  records: readonly LoyaltyRecord[],
  spans: readonly S[],
): { records: readonly LoyaltyRecord[]; spans: readonly S[] } {
  let left = records.toSorted((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0));
  const unserved = spans
    .toSorted((a, b) => b.fromMs - a.fromMs)
    .filter((span) => {
      const mine = left.find((record) => isWithin(record, span));
      left = left.filter((record) => record !== mine);
      return mine === undefined;
    });
  return { records: left, spans: unserved };
}

function part<T>(all: readonly T[], is: (one: T) => boolean): [yes: readonly T[], no: readonly T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

const asReceipt = ({ id, score, what }: LoyaltyRecord): Receipt => ({ record: id, score, what });
