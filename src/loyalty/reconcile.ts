import {
  type Effect,
  type Identifier,
  type Lookup,
  type Outcome,
  type Receipt,
  readAwaited,
  type Skew,
} from '../conversation/effect.ts';
import type { EffectContext, Remembered } from '../conversation/perform.ts';
import { attribute, type Finding, mayBeRedemptionOf, type Others } from './attribution.ts';
import { readPoints } from './balance.ts';
import { type Reads, readsFor } from './journal.ts';
import { readAll } from './reads.ts';
import { isSmall, measureSkew } from './skew.ts';
import type { Tools } from './tools.ts';

/**
 * How far back the history is read. Nothing of a call is older than the call; but AntCRM's clock may not be what it says,
 * and what is not in the window would be taken for not applied.
 */
const LOOK_BACK_MS = 35 * 60 * 1000;
/** The read-back after a success takes at most this long in all. */
const READ_BACK_MS = 2000;
const READ_BACK_EVERY_MS = 300;

/** From when on the history is read for a call that is about to be made, epoch ms by AntCRM's clock. */
export const windowStart = (nowMs: number, skew: Skew | undefined): number =>
  nowMs + (skew?.ms ?? 0) - LOOK_BACK_MS;

/**
 * The ids of the redemptions of `gift` that are there before the call; null if there can be no baseline: the
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

/**
 * Looks up an operation whose outcome is unknown. Refreshes the lock, which must still be this operation's. Where AntCRM's
 * clock cannot be trusted, the lack of a record proves nothing.
 */
export async function check(
  { operation, lookup, balance }: Extract<Effect, { kind: 'check' }>,
  context: EffectContext,
  tools: Pick<Tools, 'loyalty' | 'contacts' | 'clock'>,
): Promise<Outcome> {
  const { loyalty, clock } = tools;
  const others = await othersOf(context, operation, lookup);
  const skewNow = () => measureSkew(loyalty, clock, context);
  const finding = await find(readsFor(context, loyalty), lookup, others, skewNow);
  const isMissing = finding.found === 'none' || finding.found === 'refused';
  const found = isMissing && !isTrusted(lookup.skew, skewNow()) ? 'undecided' : finding.found;
  const points =
    balance && found === 'applied' ? await readPoints(lookup.by, context, tools, READ_BACK_MS) : undefined;
  return { kind: 'checked', operation, ...finding, found, ...(typeof points === 'number' && { points }) };
}

/** As it was when the call was made and as it is now: one of them has to be known, and none may be large. */
function isTrusted(...skews: readonly (Skew | undefined)[]): boolean {
  const known = skews.filter((skew) => skew !== undefined);
  return known.length > 0 && known.every(isSmall);
}

/** Null where another redemption runs: a new record could be of either. */
async function othersOf(
  context: EffectContext,
  operation: string,
  { customer }: Lookup,
): Promise<Others | null> {
  if (customer === undefined) return { settled: [], awaited: [] };
  const locked = await context.lock(customer, operation);
  return locked.locked ? readRemembered(locked) : null;
}

/** Null where a newer version wrote what this one cannot read: it is not known then whose a record is. */
export function readRemembered({ settled, awaited }: Remembered): Others | null {
  const read = awaited.map(readAwaited).filter((one) => one !== null);
  return read.length === awaited.length ? { settled, awaited: read } : null;
}

/**
 * After a success: the record, to tell what was earned or spent. Optional: undefined where it does not show in time,
 * the lease is lost or the process stops. Never throws for those reasons, because the operation is done.
 */
export async function readBack(
  lookup: Lookup,
  others: Others | null,
  context: EffectContext,
  { loyalty, clock }: Pick<Tools, 'loyalty' | 'clock'>,
): Promise<Receipt | undefined> {
  const done = new AbortController();
  const over = AbortSignal.any([context.signal, done.signal]);
  const poll = async (): Promise<Receipt | undefined> => {
    while (!over.aborted && !context.stopping()) {
      const { found, receipt } = await find(loyalty, lookup, others, () =>
        measureSkew(loyalty, clock, context),
      );
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

/** An incomplete read decides nothing. The clock is looked at after the read, which may be the first to tell it. */
async function find(
  reads: Pick<Reads, 'history'>,
  lookup: Lookup,
  others: Others | null,
  skewNow: () => Skew | undefined,
): Promise<Finding> {
  if (others === null) return { found: 'unreadable' };
  const type = lookup.kind === 'redeem' ? 'gift' : 'point';
  const read = await readAll(reads, { type, by: lookup.by, fromMs: lookup.fromMs });
  if (!read.ok || !read.value.complete) return { found: 'unreadable' };
  return attribute(lookup, read.value.records, others, skewNow());
}
