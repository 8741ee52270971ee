import type { Lookup, Skew } from '../conversation/effect.ts';
import type { Contact, LoyaltyRecord, UnpagedQuery } from './port.ts';
import type { Session } from './session.ts';

/*
 * What proves something about an operation, all of it (docs/antcrm.md, "What is a proof"): a history that was
 * read whole, and that nothing happened. Who reads for a customer's eyes may be content with less.
 */

/**
 * Why something is not proved.
 * - `unavailable`, `unreadable`: AntCRM did not answer, or not with records that all can be read.
 * - `stale`: the answer is older than an earlier one, or comes from a cache.
 * - `unsteady`: records came again on a later page.
 * - `ignored`: AntCRM sends the same page whatever `page` says. `endless`: it has more than `MAX_PAGES`.
 * - `clock`: AntCRM's clock is not known, or wrong.
 * - `balance`: points are missing that no record explains.
 */
export type ProofFault =
  | 'unavailable'
  | 'unreadable'
  | 'stale'
  | 'unsteady'
  | 'ignored'
  | 'endless'
  | 'clock'
  | 'balance';
export type Proof<Value> =
  | { readonly proven: true; readonly value: Value }
  | { readonly proven: false; readonly why: ProofFault };

const doubt = (why: ProofFault) => ({ proven: false, why }) as const;

/**
 * `marks` tell the entries apart. `pages`: how many had entries. `doubt`, absent: these are all records, or
 * enough of them.
 */
type PagesRead = {
  readonly records: readonly LoyaltyRecord[];
  readonly marks: readonly string[];
  readonly pages: number;
  readonly doubt?: ProofFault;
};

/** A read of more pages is incomplete. */
const MAX_PAGES = 50;
/** If pages shift during a read, all are read again. */
const PASSES = 3;
const isWorthRepeating = (why: ProofFault): boolean =>
  why === 'stale' || why === 'unsteady' || why === 'ignored';

/**
 * The whole history of a customer: pages are read until one is empty, so no page size is assumed. Pages that
 * repeat or shift are read again from the first, twice at most. A shift may hide a record between two pages,
 * and a page may be answered as empty though it is not, so a history counts only if it is read twice and is
 * the same. `trustsOnePage`: one page counts at once, where a wrong history only sends an operation to staff.
 */
export async function proveHistory(
  session: Session,
  query: UnpagedQuery,
  { trustsOnePage = false } = {},
): Promise<Proof<readonly LoyaltyRecord[]>> {
  const whole = new Set<string>();
  for (let pass = 1; ; pass++) {
    const { records, marks, pages, doubt: why } = await readPages(session, query);
    const text = marks.join();
    const isEnough = whole.has(text) || (trustsOnePage && pages < 2);
    if (why === undefined && isEnough) return { proven: true, value: records };
    if (why === undefined) whole.add(text);
    if (pass < PASSES && (why === undefined || isWorthRepeating(why))) continue;
    if (why === 'ignored' || why === 'endless') session.tools.alarmPages(why);
    return doubt(why ?? 'unsteady');
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
  const end = (why?: ProofFault): PagesRead => ({
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

/** A clock further off than this is wrong: the lack of a record proves nothing then. */
const MAX_SKEW_MS = 2 * 60 * 1000;
export const isSmallSkew = ({ ms }: Skew): boolean => Math.abs(ms) <= MAX_SKEW_MS;

/** Skews at the time of the call and now: at least one must be known, and none may be large. */
function isTrusted(...skews: readonly (Skew | undefined)[]): boolean {
  const measured = skews.filter((skew) => skew !== undefined);
  return measured.length > 0 && measured.every(isSmallSkew);
}

/**
 * Whether an operation without a record had no effect. A whole history is not enough: AntCRM's clock must be
 * right, and where the points before a redemption are known, none may be missing (`redemptions` are all of
 * the customer's).
 */
export async function proveNoEffect(
  lookup: Lookup,
  redemptions: readonly LoyaltyRecord[],
  session: Session,
): Promise<Proof<void>> {
  if (!isTrusted(lookup.skew, session.skew)) return doubt('clock');
  const { balance, by, fromMs, calledMs = lookup.deadlineMs } = lookup;
  if (balance === undefined || session.tools.contacts === 'off') return NO_EFFECT;
  const contact = await session.contact(by);
  if (!contact.ok) return doubt(contact.reason);
  if (session.isStale(contact.time)) return doubt('stale');
  if (isMerged(contact.value, lookup)) return doubt('balance');
  const points = contact.value?.points;
  if (points === undefined) return NO_EFFECT;
  const accumulations = await proveHistory(session, { type: 'point', by, fromMs });
  if (!accumulations.proven) return accumulations;
  const { ms, errorMs } = lookup.skew ?? session.skew ?? NO_SKEW;
  // The balance was read between these two. What is not clear counts against the proof.
  const earliestMs = balance.readMs + ms - errorMs;
  const latestMs = calledMs + ms + errorMs;
  const earned = accumulations.value.filter(({ atMs }) => atMs === undefined || atMs >= earliestMs);
  if (earned.some(({ failed, score }) => !failed && score === undefined)) return doubt('balance');
  const spent = redemptions.filter(({ atMs = 0, isVague }) => !isVague && atMs > latestMs);
  const expected = balance.points + sumScores(earned) - sumScores(spent);
  // Without a price, one missing point is too many.
  return expected - points >= (balance.price ?? 1) ? doubt('balance') : NO_EFFECT;
}

const NO_EFFECT = { proven: true, value: undefined } as const;
const NO_SKEW: Skew = { ms: 0, errorMs: 0 };

/** The points of a customer who became another one tell nothing of those before the call. */
function isMerged(contact: Contact | null, { locks }: Lookup): boolean {
  const { customerId } = contact ?? {};
  return contact === null || (customerId !== undefined && !locks.includes(`customer:${customerId}`));
}

/** The points of the records that did not fail. */
export const sumScores = (records: readonly LoyaltyRecord[]): number =>
  records.reduce((sum, { failed, score = 0 }) => sum + (failed ? 0 : score), 0);
