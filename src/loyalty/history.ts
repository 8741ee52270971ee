import type { Effect, Identifier, Movement, Outcome, Skew } from '../conversation/effect.ts';
import type { HistoryPeriod, Read } from './port.ts';
import { HISTORY_PAGE, type HistoryQuery, type LoyaltyRecord } from './port.ts';
import type { Session } from './session.ts';

/** A read of more pages is incomplete. */
const MAX_PAGES = 50;
const NO_SKEW: Skew = { ms: 0, errorMs: 0 };

type HistoryEffect = Extract<Effect, { kind: 'history' }>;
type Filter = Omit<HistoryQuery, 'page'>;
type Pages = Promise<Read<{ readonly records: readonly LoyaltyRecord[]; readonly isComplete: boolean }>>;

/** Reads the first pages, and keeps each record once: a new record shifts the pages. */
export async function readAll(session: Session, query: Filter): Pages {
  const records: LoyaltyRecord[] = [];
  const seen = new Set<string | undefined>();
  for (let page = 1; page <= MAX_PAGES; page++) {
    const read = await session.history({ ...query, page });
    if (!read.ok) return read;
    for (const record of read.value.records) {
      if (record.id === undefined || !seen.has(record.id)) records.push(record);
      seen.add(record.id);
    }
    if (!read.value.full) return { ok: true, value: { records, isComplete: true } };
  }
  return { ok: true, value: { records, isComplete: false } };
}

/**
 * Reads the records `[skip, skip + take)` from the one page of AntCRM that holds them: `take` divides its
 * page size. Newest first within that page. The next page is read only to know `more`. Periods and times are
 * by the store's clock. If the answer shows that AntCRM's clock differs, the page is read again.
 */
export async function readHistory(effect: HistoryEffect, session: Session): Promise<Outcome> {
  const { type, by, skip, take, fromMs, toMs } = effect;
  const page = Math.floor(skip / HISTORY_PAGE) + 1;
  let query: HistoryQuery = { type, by, fromMs, toMs, page };
  let read = await session.history(query);
  // A skew within its error says nothing: then AntCRM's times are taken as they are.
  const { skew } = session;
  const { ms: aheadMs, errorMs } = skew && Math.abs(skew.ms) > skew.errorMs ? skew : NO_SKEW;
  if (read.ok && aheadMs !== 0 && (fromMs ?? toMs) !== undefined) {
    // Widened by the error, so that it holds the whole period by AntCRM's clock.
    if (fromMs !== undefined) query = { ...query, fromMs: fromMs + aheadMs - errorMs };
    if (toMs !== undefined) query = { ...query, toMs: toMs + aheadMs + errorMs };
    read = await session.history(query);
  }
  if (!read.ok) return { kind: 'unavailable' };

  const records = inPeriod(read.value.records, query).sort((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0));
  const start = skip % HISTORY_PAGE;
  const end = start + take;
  const more = records.length > end || (read.value.full && (await hasNextRecords(session, query)));
  const shown = records
    .slice(start, end)
    .map(({ whose: _, atMs, ...record }) => ({ ...record, atMs: atMs && atMs - aheadMs }));
  return { kind: 'history', records: shown, more };
}

/** Periods are half-open, whatever AntCRM does about the end. A record without a time is shown. */
function inPeriod(records: readonly LoyaltyRecord[], { fromMs = -Infinity, toMs = Infinity }: HistoryPeriod) {
  return records.filter(({ atMs }) => atMs === undefined || (atMs >= fromMs && atMs < toMs));
}

/** If the next page cannot be read, there may be more: pressing "next" asks again. */
async function hasNextRecords(session: Session, query: HistoryQuery): Promise<boolean> {
  const read = await session.history({ ...query, page: query.page + 1 });
  return !read.ok || read.value.full || inPeriod(read.value.records, query).length > 0;
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
  const [earned, spent] = await Promise.all([
    readAll(session, { type: 'point', by }),
    readAll(session, { type: 'gift', by }),
  ]);
  if (!earned.ok || !spent.ok) return { kind: 'unavailable' };
  const partial = !earned.value.isComplete || !spent.value.isComplete;
  return { kind: 'sums', earned: sum(earned.value.records), spent: sum(spent.value.records), partial };
}

const sum = (records: readonly LoyaltyRecord[]): number =>
  records.reduce((total, { failed, score = 0 }) => total + (failed ? 0 : score), 0);

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
  session.assertMayBegin();
  const points = await readPoints(by, session, LIST_MS);
  return points === undefined ? { kind: 'unavailable' } : { kind: 'balance', points };
}
