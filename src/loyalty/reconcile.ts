import type { Effect, EffectContext, Lookup, Outcome, Receipt, Skew } from '../conversation/effect.ts';
import { attribute, type Finding, mayBeRedemptionOf } from './attribution.ts';
import { isSmall, measureSkew } from './clock.ts';
import { readAll, readPoints } from './history.ts';
import { pause, readsFor, type Tools, within } from './intent.ts';
import { BRIEF_MS, codeName, type Locked, lockAll, namesIn, rememberCode, unlockAll } from './locks.ts';
import type { AntCrm, Reads } from './port.ts';

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

type Asked = Pick<Lookup, 'by' | 'fromMs'>;
/** The redemptions of a gift that are there before the call, and by which names their customer is known. */
export type Baseline = { readonly ids: string[]; readonly names: ReadonlySet<string> };

/**
 * Null if there can be no baseline: the history cannot be read completely, or holds a record without an id, which could
 * never be told from a new one.
 */
export async function takeBaseline(reads: Reads, gift: string, query: Asked): Promise<Baseline | null> {
  const read = await readAll(reads, { type: 'gift', ...query });
  if (!read.ok || !read.value.complete) return null;
  const { records } = read.value;
  const ids = records.filter((record) => mayBeRedemptionOf(gift, record)).map(({ id }) => id);
  return ids.every((id) => id !== undefined) ? { ids, names: new Set(namesIn(records)) } : null;
}

/**
 * Looks up an operation whose outcome is unknown. Takes its locks, or refreshes them: while another operation has one, a
 * record could be of either. A code is locked only while it is looked up. Where AntCRM's clock cannot be trusted, the lack
 * of a record proves nothing.
 */
export async function check(
  { operation, lookup, balance }: Extract<Effect, { kind: 'check' }>,
  context: EffectContext,
  tools: Pick<Tools, 'antcrm' | 'contacts' | 'world'>,
): Promise<Outcome> {
  const isCode = lookup.kind === 'accumulate';
  const names = isCode ? [codeName(lookup.code)] : lookup.locks;
  const locked = await lockAll(names, operation, context, isCode ? BRIEF_MS : undefined);
  const skewNow = () => measureSkew(tools, context);
  const finding = await find(readsFor(context, tools.antcrm), lookup, locked, skewNow);
  const isMissing = finding.found === 'none' || finding.found === 'refused';
  const found = isMissing && !isTrusted(lookup.skew, skewNow()) ? 'undecided' : finding.found;
  if (isCode && found === 'applied') await rememberCode(lookup, operation, finding.receipt?.record, context);
  else if (isCode) await unlockAll(names, operation, context);
  const points =
    balance && found === 'applied' ? await readPoints(lookup.by, context, tools, READ_BACK_MS) : undefined;
  return { kind: 'checked', operation, ...finding, found, ...(typeof points === 'number' && { points }) };
}

/** As it was when the call was made and as it is now: one of them has to be known, and none may be large. */
function isTrusted(...skews: readonly (Skew | undefined)[]): boolean {
  const known = skews.filter((skew) => skew !== undefined);
  return known.length > 0 && known.every(isSmall);
}

/**
 * After a success: the record, to tell what was earned or spent. Optional: undefined where it does not show in time,
 * the lease is lost or the process stops. Never throws for those reasons, because the operation is done.
 */
export async function readBack(
  lookup: Lookup,
  locked: Locked,
  context: EffectContext,
  tools: Pick<Tools, 'antcrm' | 'world'>,
): Promise<Receipt | undefined> {
  return within(READ_BACK_MS, tools, context, async (over) => {
    while (!over.aborted && !context.stopping()) {
      const { found, receipt } = await find(tools.antcrm, lookup, locked, () => measureSkew(tools, context));
      if (found === 'applied') return receipt;
      if (found === 'several') return undefined;
      await pause(READ_BACK_EVERY_MS, tools, over);
    }
    return undefined;
  });
}

/** An incomplete read decides nothing. The clock is looked at after the read, which may be the first to tell it. */
async function find(
  reads: Pick<AntCrm, 'history'>,
  lookup: Lookup,
  locked: Locked,
  skewNow: () => Skew | undefined,
): Promise<Finding> {
  if (locked === 'busy' || locked === 'unreadable') return { found: 'unreadable' };
  const type = lookup.kind === 'redeem' ? 'gift' : 'point';
  const read = await readAll(reads, { type, by: lookup.by, fromMs: lookup.fromMs });
  if (!read.ok || !read.value.complete) return { found: 'unreadable' };
  return attribute(lookup, read.value.records, locked, skewNow());
}
