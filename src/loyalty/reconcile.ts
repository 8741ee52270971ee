import type { Effect, Identifier, Lookup, Outcome, Receipt } from '../conversation/effect.ts';
import type { Clock } from './clock.ts';
import { type Journal, type Reads, readsFor } from './journal.ts';
import type { Loyalty, LoyaltyRecord } from './loyalty.ts';
import { readAll } from './reads.ts';

/** AntCRM's clock may differ from ours by this much, either way (docs/antcrm.md). */
export const SKEW_MS = 2 * 60 * 1000;
/** How far back the baseline of a redemption, and hence its lookup, begins. */
export const BASELINE_MS = 5 * 60 * 1000;
/** The read-back after a success takes at most this long in all. */
const READ_BACK_MS = 2000;
const READ_BACK_EVERY_MS = 300;

/** What the history says of an operation (see `checked` of `Outcome`). */
type Finding = Pick<Extract<Outcome, { kind: 'checked' }>, 'found' | 'receipt'>;

/**
 * The ids of the redemptions of `gift` that are there before the call; null if there is no baseline to be had: the
 * history cannot be read completely, or holds a record without an id, which could never be told from a new one.
 */
export async function takeBaseline(
  reads: Reads,
  by: Identifier,
  gift: string,
  fromMs: number,
): Promise<string[] | null> {
  const read = await readAll(reads, { type: 'gift', by, fromMs });
  if (!read.ok || !read.value.complete) return null;
  const ids = read.value.records.filter((record) => mayBeRedemptionOf(gift, record)).map(({ id }) => id);
  return ids.every((id) => id !== undefined) ? ids : null;
}

/** Looks up an operation whose outcome is unknown. Refreshes the hold, which must still be this operation's. */
export async function check(
  { operation, lookup }: Extract<Effect, { kind: 'check' }>,
  journal: Journal,
  loyalty: Loyalty,
): Promise<Outcome> {
  const settled = await heldSettled(journal, operation, lookup);
  // Another redemption runs: whose a new record is could not be told.
  if (settled === null) return { kind: 'checked', operation, found: 'unreadable' };
  return { kind: 'checked', operation, ...(await find(readsFor(journal, loyalty), lookup, settled)) };
}

async function heldSettled(
  journal: Journal,
  operation: string,
  { customer }: Lookup,
): Promise<readonly string[] | null> {
  if (customer === undefined) return [];
  const hold = await journal.hold(customer, operation);
  return hold.held ? hold.settled : null;
}

/**
 * After a success: the record, to tell what was earned or spent. Optional: undefined where it does not show in time,
 * the lease is lost or the process stops. Never throws on their account, for the operation is done.
 */
export async function readBack(
  lookup: Lookup,
  settled: readonly string[],
  { journal, loyalty, clock }: { journal: Journal; loyalty: Loyalty; clock: Clock },
): Promise<Receipt | undefined> {
  const done = new AbortController();
  const over = AbortSignal.any([journal.signal, done.signal]);
  const poll = async (): Promise<Receipt | undefined> => {
    while (!over.aborted && !journal.stopping()) {
      const { found, receipt } = await find(loyalty, lookup, settled);
      if (found === 'applied') return receipt;
      if (found === 'several') return undefined;
      await clock.wait(READ_BACK_EVERY_MS, over);
    }
    return undefined;
  };
  try {
    return await Promise.race([poll(), clock.wait(READ_BACK_MS, over).then(() => undefined)]);
  } finally {
    done.abort();
  }
}

/**
 * Reads the history from before the call and takes away what was there already (`baseline`) or belongs to another
 * operation (`settled`). What is left decides; an incomplete read, and a redemption without an id or a gift, decide
 * nothing: they might be ours or not.
 */
async function find(
  reads: Pick<Reads, 'history'>,
  lookup: Lookup,
  settled: readonly string[],
): Promise<Finding> {
  const type = lookup.kind === 'redeem' ? 'gift' : 'point';
  const read = await readAll(reads, { type, by: lookup.by, fromMs: lookup.fromMs });
  if (!read.ok || !read.value.complete) return { found: 'unreadable' };

  const old = new Set([...lookup.baseline, ...settled]);
  const fresh = read.value.records.filter(
    (record) => mayBe(lookup, record) && (record.id === undefined || !old.has(record.id)),
  );
  if (lookup.kind === 'redeem' && !fresh.every(isIdentified)) return { found: 'unreadable' };

  const [first, ...others] = fresh.filter(({ status }) => status === 'succeeded');
  // A refused accumulation may be somebody's earlier try of the code: nothing says what was there before ours.
  const isRefused = fresh.length > 0 && lookup.kind === 'redeem';
  if (first === undefined) return { found: isRefused ? 'refused' : 'none' };
  return others.length > 0 ? { found: 'several' } : { found: 'applied', receipt: asReceipt(first) };
}

/** An accumulation is known by its code, which is good once, so its record needs no id. */
function mayBe(lookup: Lookup, record: LoyaltyRecord): boolean {
  return lookup.kind === 'redeem'
    ? mayBeRedemptionOf(lookup.code, record)
    : record.type === 'point' && record.code !== undefined && isSameCode(record.code, lookup.code);
}

/** A redemption that does not say of which gift may be the one. */
function mayBeRedemptionOf(gift: string, { type, code }: LoyaltyRecord): boolean {
  return type === 'gift' && (code === undefined || isSameCode(code, gift));
}

const isIdentified = ({ id, code }: LoyaltyRecord): boolean => id !== undefined && code !== undefined;

/** Codes are sent as typed; AntCRM may list them as it spells them. A missed record would be called "not applied". */
const isSameCode = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

const asReceipt = ({ id, score, what }: LoyaltyRecord): Receipt => ({ record: id, score, what });
