import type {
  Effect,
  EffectContext,
  HistoryRead,
  Identifier,
  Movement,
  Outcome,
  Skew,
} from '../conversation/effect.ts';
import { assertMayBegin, type Tools, within } from './intent.ts';
import type { AntCrm, HistoryPage, HistoryQuery, LoyaltyRecord, Period, Read, Reads } from './port.ts';
import { HISTORY_PAGE } from './port.ts';

type History = Pick<AntCrm, 'history'>;

/** How many pages "all pages" may be: with more, the read is incomplete. */
const PAGE_CAP = 50;

/** Every record of the query on the first `cap` pages, each once: pages shift when a record is added meanwhile. */
export async function readAll(
  reads: History,
  query: All,
  { cap = PAGE_CAP, first }: { readonly cap?: number; readonly first?: HistoryPage | undefined } = {},
): Promise<Read<{ records: LoyaltyRecord[]; complete: boolean }>> {
  const records: LoyaltyRecord[] = [];
  const seen = new Set<string>();
  for (let page = 1; page <= cap; page++) {
    const known = page === 1 && first ? ({ ok: true, value: first } as const) : undefined;
    const read = known ?? (await reads.history({ ...query, page }));
    if (!read.ok) return read;
    records.push(...read.value.records.filter(({ id }) => id === undefined || !seen.has(id)));
    for (const { id } of read.value.records) if (id !== undefined) seen.add(id);
    if (!read.value.full) return { ok: true, value: { records, complete: true } };
  }
  return { ok: true, value: { records, complete: false } };
}

/**
 * Records `[skip, skip + take)`, out of the one page of AntCRM's that holds them: `take` divides its page size.
 * Newest first within that page; AntCRM promises no order. The next page is looked at only to know `more`. Periods and
 * the times shown are the store's; AntCRM is asked by its own clock. `skewNow`: how far that is ahead, as far as is known.
 */
export async function readHistory(
  reads: History,
  effect: Extract<Effect, { kind: 'history' }>,
  skewNow: () => Skew | undefined,
): Promise<Outcome> {
  const { type, by, skip, take } = effect;
  const page = Math.floor(skip / HISTORY_PAGE) + 1;
  const skew = skewNow();
  const period = periodBy(effect, skew);
  const query = { type, by, ...period };
  const read = await reads.history({ ...query, page });
  if (!read.ok) return { kind: 'unavailable' };
  // AntCRM's first answer shows its clock, and so for what time it should have been asked.
  if (skew === undefined && offBy(skewNow()) !== 0) return readHistory(reads, effect, skewNow);

  const records = read.value.records.filter((record) => isWithin(record, period)).sort(newestFirst);
  const start = skip % HISTORY_PAGE;
  const end = start + take;
  const more =
    records.length > end || (read.value.full && (await isThereMore(reads, { ...query, page: page + 1 })));
  const shown = records.slice(start, end).map((record) => asShown(record, offBy(skew)));
  const all = effect.sum && (await sumOf(reads, query, page === 1 ? read.value : undefined));
  return { kind: 'history', records: shown, more, ...(all && { sum: all }) };
}

/** At most this many pages make a sum: nobody waits for the rest of a long history. */
const SUM_PAGES = 5;

type All = Omit<HistoryQuery, 'page'>;

/** What the records of a period add up to, and how many they are; undefined where they could not be read. */
async function sumOf(reads: History, query: All, first?: HistoryPage): Promise<HistoryRead['sum']> {
  const read = await readAll(reads, query, { cap: SUM_PAGES, first });
  if (!read.ok) return undefined;
  const records = read.value.records.filter((record) => isWithin(record, query));
  return { score: sum(records), count: records.length, partial: !read.value.complete };
}

/** Where the next page cannot be read, there may be more: pressing "next" asks again. */
async function isThereMore(reads: History, query: HistoryQuery): Promise<boolean> {
  const read = await reads.history(query);
  return !read.ok || read.value.full || read.value.records.some((record) => isWithin(record, query));
}

/** A period by AntCRM's clock, so wide that it surely holds all of it. */
function periodBy({ fromMs, toMs }: Period, skew: Skew | undefined): Period {
  const ms = offBy(skew);
  const errorMs = ms === 0 ? 0 : (skew?.errorMs ?? 0);
  return {
    fromMs: fromMs === undefined ? undefined : fromMs + ms - errorMs,
    toMs: toMs === undefined ? undefined : toMs + ms + errorMs,
  };
}

/** A skew within its error says nothing: then AntCRM's times are taken as they are. */
const offBy = (skew: Skew | undefined): number =>
  skew === undefined || Math.abs(skew.ms) <= skew.errorMs ? 0 : skew.ms;

/** Periods are half-open; whether AntCRM counts the end in is unknown. A record without a time is shown. */
function isWithin({ atMs }: LoyaltyRecord, { fromMs = -Infinity, toMs = Infinity }: Period): boolean {
  return atMs === undefined || (atMs >= fromMs && atMs < toMs);
}

const newestFirst = (a: LoyaltyRecord, b: LoyaltyRecord): number => (b.atMs ?? 0) - (a.atMs ?? 0);

function asShown({ status, atMs, whose: _, ...record }: LoyaltyRecord, aheadMs: number) {
  const at = atMs === undefined ? {} : { atMs: atMs - aheadMs };
  return { ...record, ...at, failed: status === 'failed' };
}

/** The customer's points: from the contact record, else what the history adds up to. */
export async function readBalance(reads: Reads, contacts: 'on' | 'off', by: Identifier): Promise<Outcome> {
  if (contacts === 'off') return readSums(reads, by);
  const contact = await reads.contact(by);
  if (!contact.ok) return { kind: 'unavailable' };
  if (contact.value === null) return { kind: 'balance', points: null };
  const { points, rank, rankPoints } = contact.value;
  return points === undefined ? readSums(reads, by) : { kind: 'balance', points, rank, rankPoints };
}

async function readSums(reads: Reads, by: Identifier): Promise<Outcome> {
  const [earned, spent] = await Promise.all([
    readAll(reads, { type: 'point', by }),
    readAll(reads, { type: 'gift', by }),
  ]);
  if (!earned.ok || !spent.ok) return { kind: 'unavailable' };
  return {
    kind: 'sums',
    earned: sum(earned.value.records),
    spent: sum(spent.value.records),
    partial: !earned.value.complete || !spent.value.complete,
  };
}

const sum = (records: readonly LoyaltyRecord[]): number =>
  records.reduce((total, { status, score = 0 }) => total + (status === 'succeeded' ? score : 0), 0);

/** Reading the balance may hold up a list of gifts this long, and the result of an operation half as long. */
const LIST_MS = 2000;
const RESULT_MS = 1000;

type Parts = Pick<Tools, 'antcrm' | 'contacts' | 'world'>;

/**
 * The customer's points by AntCRM's record of them: null = it knows no such customer; undefined = they cannot be had, or
 * not within `withinMs`. Asks once, and never throws.
 */
export async function readPoints(
  by: Identifier,
  context: EffectContext,
  parts: Parts,
  withinMs = RESULT_MS,
): Promise<number | null | undefined> {
  if (parts.contacts === 'off' || context.signal.aborted || context.stopping()) return undefined;
  const contact = await within(withinMs, parts, context, () => parts.antcrm.contact(by));
  return contact?.ok ? (contact.value === null ? null : contact.value.points) : undefined;
}

/** Both readings, where there are both. */
export function movement(before: number | undefined, after: number | null | undefined): Movement | undefined {
  return before === undefined || after === undefined || after === null ? undefined : { before, after };
}

/** The same as an outcome: `unavailable` where the points cannot be had. */
export async function readExactBalance(
  by: Identifier,
  context: EffectContext,
  parts: Parts,
): Promise<Outcome> {
  assertMayBegin(context);
  const points = await readPoints(by, context, parts, LIST_MS);
  return points === undefined ? { kind: 'unavailable' } : { kind: 'balance', points };
}
