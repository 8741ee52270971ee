import type { LoyaltyRecord, UnpagedQuery } from './port.ts';
import type { Session } from './session.ts';

/*
 * Reading the pages of a history. Who reads for a customer's eyes may be content with less than all of them.
 */

/**
 * Why a history was not read whole.
 * - `unavailable`, `unreadable`: AntCRM did not answer, or not with records that all can be told apart.
 * - `stale`: the answer is older than an earlier one, or comes from a cache.
 * - `unsteady`: records came again on a later page.
 * - `ignored`: AntCRM sends the same page whatever `page` says. `endless`: it has more than `MAX_PAGES`.
 */
export type ReadFault = 'unavailable' | 'unreadable' | 'stale' | 'unsteady' | 'ignored' | 'endless';
export type Whole<Value> =
  | { readonly isWhole: true; readonly value: Value }
  | { readonly isWhole: false; readonly why: ReadFault };

/**
 * `marks` tell the entries apart. `pages`: how many had entries. `doubt`, absent: these are all records, or
 * enough of them.
 */
type PagesRead = {
  readonly records: readonly LoyaltyRecord[];
  readonly marks: readonly string[];
  readonly pages: number;
  readonly doubt?: ReadFault;
};

/** A read of more pages is incomplete. */
const MAX_PAGES = 50;
/** If pages shift during a read, all are read again. */
const PASSES = 3;
const isWorthRepeating = (why: ReadFault): boolean =>
  why === 'stale' || why === 'unsteady' || why === 'ignored';

/**
 * The whole history of a customer: pages are read until one is empty, so no page size is assumed. Pages that
 * repeat or shift are read again from the first, twice at most. A shift may hide a record between two pages,
 * and a page may be answered as empty though it is not, so a history counts only if it is read twice and is
 * the same. `trustsOnePage`: one page counts at once, where a wrong history only sends an operation to staff.
 */
export async function readWhole(
  session: Session,
  query: UnpagedQuery,
  { trustsOnePage = false } = {},
): Promise<Whole<readonly LoyaltyRecord[]>> {
  const whole = new Set<string>();
  for (let pass = 1; ; pass++) {
    const { records, marks, pages, doubt: why } = await readPages(session, query);
    const text = marks.join();
    const isEnough = whole.has(text) || (trustsOnePage && pages < 2);
    if (why === undefined && isEnough) return { isWhole: true, value: records };
    if (why === undefined) whole.add(text);
    if (pass < PASSES && (why === undefined || isWorthRepeating(why))) continue;
    if (why === 'ignored' || why === 'endless') session.tools.alarmPages(why);
    return { isWhole: false, why: why ?? 'unsteady' };
  }
}

/** Reads the pages once, until `isEnough` or one is empty, and keeps each record once. */
export async function readPages(
  session: Session,
  query: UnpagedQuery,
  isEnough = (_records: readonly LoyaltyRecord[]) => false,
): Promise<PagesRead> {
  const records: LoyaltyRecord[] = [];
  const seen = new Set<string>();
  let isUnsteady = false;
  let pages = 0;
  const end = (why?: ReadFault): PagesRead => ({
    records,
    marks: [...seen],
    pages,
    ...(why && { doubt: why }),
  });
  for (let previous = ''; pages < MAX_PAGES; pages++) {
    const read = await session.history({ ...query, page: pages + 1 });
    if (!read.ok) return end(read.reason);
    if (session.isStale(read.time)) return end('stale');
    const { marks, isWhole } = read.value;
    if (!isWhole) return end('unreadable');
    if (marks.length === 0) return end(isUnsteady ? 'unsteady' : undefined);
    if (marks.join() === previous) return end('ignored');
    isUnsteady ||= marks.some((mark) => seen.has(mark));
    records.push(...read.value.records.filter(({ id }) => id === undefined || !seen.has(id)));
    for (const mark of marks) seen.add(mark);
    if (isEnough(records)) return end();
    previous = marks.join();
  }
  return end('endless');
}

/** The points of the records that did not fail. */
export const sumScores = (records: readonly LoyaltyRecord[]): number =>
  records.reduce((sum, { failed, score = 0 }) => sum + (failed ? 0 : score), 0);
