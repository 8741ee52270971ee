import type { Effect, Identifier, Movement, Outcome, Skew } from '../conversation/effect.ts';
import { readPages, sumScores } from './pages.ts';
import type { HistoryPage, HistoryPeriod, LoyaltyRecord, Read, UnpagedQuery } from './port.ts';
import type { Session } from './session.ts';

/** Customers see no further page than this. */
const MAX_PAGES = 50;
const NO_SKEW: Skew = { ms: 0, errorMs: 0 };

type HistoryEffect = Extract<Effect, { kind: 'history' }>;

/**
 * Reads the records `[skip, skip + take)`, and whether there are more. Periods and times are by the store's
 * clock. If the first answer shows that AntCRM's clock differs, the period is corrected.
 */
export async function readHistory(effect: HistoryEffect, session: Session): Promise<Outcome> {
  const { type, by, skip, take, fromMs, toMs } = effect;
  let filter: UnpagedQuery = { type, by, fromMs, toMs };
  let first = await session.history({ ...filter, page: 1 });
  // A skew within its error says nothing: then AntCRM's times are taken as they are.
  const { skew } = session;
  const { ms: aheadMs, errorMs } = skew && Math.abs(skew.ms) > skew.errorMs ? skew : NO_SKEW;
  if (first.ok && aheadMs !== 0 && (fromMs ?? toMs) !== undefined) {
    // Widened by the error, so that it holds the whole period by AntCRM's clock.
    if (fromMs !== undefined) filter = { ...filter, fromMs: fromMs + aheadMs - errorMs };
    if (toMs !== undefined) filter = { ...filter, toMs: toMs + aheadMs + errorMs };
    first = await session.history({ ...filter, page: 1 });
  }
  const rows = await readRows(first, { session, filter, count: skip + take });
  if (rows === 'unavailable') return { kind: rows };
  const shown = rows.records.slice(skip, skip + take).map(({ atMs, ...record }) => {
    const { whose: _, isNumericCode: __, isVague: ___, ...row } = record;
    return { ...row, atMs: atMs && atMs - aheadMs };
  });
  return { kind: 'history', records: shown, more: rows.more };
}

type RowsQuery = { readonly session: Session; readonly filter: UnpagedQuery; readonly count: number };
type Rows = { readonly records: readonly LoyaltyRecord[]; readonly more: boolean };

/**
 * At least the first `count` records, or all if there are fewer. AntCRM's pages are read from the first on,
 * because how many records one has is AntCRM's choice. Each is sorted by itself, newest first, so that a
 * record keeps its place.
 */
async function readRows(
  first: Read<HistoryPage>,
  { session, filter, count }: RowsQuery,
): Promise<Rows | 'unavailable'> {
  const records: LoyaltyRecord[] = [];
  const seen = new Set<string>();
  let read = first;
  for (let page = 1; ; page++) {
    // There may be more: pressing "next" asks again.
    if (!read.ok) return records.length < count ? 'unavailable' : { records, more: true };
    const { marks, records: listed } = read.value;
    const isLast = page === MAX_PAGES || marks.every((mark) => seen.has(mark));
    const fresh = inPeriod(listed, filter).filter(({ id }) => id === undefined || !seen.has(id));
    records.push(...fresh.sort((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0)));
    if (isLast || records.length > count) return { records, more: records.length > count };
    for (const mark of marks) seen.add(mark);
    read = await session.history({ ...filter, page: page + 1 });
  }
}

/** Periods are half-open, whatever AntCRM does about the end. A record without a time is shown. */
function inPeriod(records: readonly LoyaltyRecord[], { fromMs = -Infinity, toMs = Infinity }: HistoryPeriod) {
  return records.filter(({ atMs }) => atMs === undefined || (atMs >= fromMs && atMs < toMs));
}

/** The customer's points: from the contact record, else what the history adds up to. */
export async function readBalance(by: Identifier, session: Session): Promise<Outcome> {
  if (session.tools.contacts === 'off') return readSums(by, session);
  const contact = await session.contact(by);
  if (!contact.ok) return { kind: 'unavailable' };
  if (contact.value === null) return { kind: 'balance', points: null };
  const { points, rank, rankPoints } = contact.value;
  return points === undefined ? readSums(by, session) : { kind: 'balance', points, rank, rankPoints };
}

async function readSums(by: Identifier, session: Session): Promise<Outcome> {
  const earned = await readPages(session, { type: 'point', by });
  const spent = await readPages(session, { type: 'gift', by });
  const doubts = [earned.doubt, spent.doubt].filter((doubt) => doubt !== undefined);
  if (doubts.some((doubt) => doubt === 'unavailable' || doubt === 'unreadable'))
    return { kind: 'unavailable' };
  const partial = doubts.length > 0;
  return { kind: 'sums', earned: sumScores(earned.records), spent: sumScores(spent.records), partial };
}

type Points = number | null | undefined;
/** How long a list of gifts waits for the points, and how long the result of an operation waits for them. */
const LIST_MS = 2000;
const RESULT_MS = 1000;

/**
 * The customer's points by AntCRM's record: null if AntCRM has no record, undefined if it cannot be read
 * within `withinMs`. Asks once, and never throws.
 */
export async function readPoints(by: Identifier, session: Session, withinMs = RESULT_MS): Promise<Points> {
  if (session.tools.contacts === 'off' || !session.mayRead()) return undefined;
  const contact = await session.waitAtMost(withinMs, session.contact(by));
  if (!contact?.ok) return undefined;
  return contact.value === null ? null : contact.value.points;
}

/** Pairs the points before and after an operation; undefined unless both were read. */
export function toMovement(before: number | undefined, after: Points): Movement | undefined {
  return before === undefined || after === undefined || after === null ? undefined : { before, after };
}

/** The points of AntCRM's record; `unavailable` if they cannot be read. Never a sum of the history. */
export async function readExactBalance(by: Identifier, session: Session): Promise<Outcome> {
  if (!session.mayBegin()) return { kind: 'unavailable' };
  const points = await readPoints(by, session, LIST_MS);
  return points === undefined ? { kind: 'unavailable' } : { kind: 'balance', points };
}
