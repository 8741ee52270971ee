import type { Effect, Lookup, Outcome, Receipt, Skew } from '../conversation/effect.ts';
import { attribute, type Finding, mayBeRedemptionOf } from './attribution.ts';
import { readAll } from './history.ts';
import type { LockResult } from './locks.ts';
import { addRecordNames, codeLockName, lockAll, rememberCode, SHORT_LOCK_MS, unlockAll } from './locks.ts';
import { isSmallSkew, type Session } from './session.ts';

type BaselineCall = Pick<Lookup, 'by' | 'code' | 'fromMs'>;
type Check = Extract<Effect, { kind: 'check' }>;

/**
 * How far back the history is read, ms. No record is older than its call, but AntCRM's clock may be wrong.
 */
const LOOK_BACK_MS = 35 * 60 * 1000;
/** The read-back after a success takes at most this long, ms. */
const READ_BACK_MS = 2000;
const READ_BACK_EVERY_MS = 300;

/** The history is read from this time for a call that begins now, epoch ms by AntCRM's clock. */
export const windowStart = ({ context, skew }: Session): number =>
  context.nowMs() + (skew?.ms ?? 0) - LOOK_BACK_MS;

/**
 * Ids of the redemptions of a gift before the call; `names` gains the customer's names. Null if the history
 * is not complete, or has a record without an id, which would look like a new one.
 */
export async function readBaseline(
  call: BaselineCall,
  names: Set<string>,
  session: Session,
): Promise<string[] | null> {
  const read = await readAll(session, { type: 'gift', by: call.by, fromMs: call.fromMs });
  if (!read.ok || !read.value.isComplete) return null;
  const redemptions = read.value.records.filter((record) => mayBeRedemptionOf(call.code, record));
  const ids = redemptions.map(({ id }) => id).filter((id) => id !== undefined);
  if (ids.length < redemptions.length) return null;
  addRecordNames(names, read.value.records);
  return ids;
}

/**
 * Looks up an operation whose outcome is unknown. It takes or prolongs the locks: if another operation had
 * one, a record could belong to either. A code is locked only during this check. If AntCRM's clock cannot be
 * trusted, the lack of a record proves nothing.
 */
export async function check(effect: Check, session: Session): Promise<Outcome> {
  const { operation, lookup } = effect;
  const { context } = session;
  const isCode = lookup.kind === 'accumulate';
  const locks = isCode
    ? { names: [codeLockName(lookup.code)], operation, forMs: SHORT_LOCK_MS }
    : { names: lookup.locks, operation };
  const others = await lockAll(context, locks);
  const { found, receipt } = await findRecord(lookup, others, session);
  if (found !== 'applied') {
    if (isCode) await unlockAll(context, locks);
    const isMissing = found === 'none' || found === 'refused';
    const isUndecided = isMissing && !isTrusted(lookup.skew, session.skew);
    return { kind: 'checked', operation, found: isUndecided ? 'undecided' : found };
  }
  if (isCode) await rememberCode(context, { lookup, operation, record: receipt?.record });
  return { kind: 'checked', operation, found, receipt };
}

/** Skews at the time of the call and now: at least one must be known, and none may be large. */
function isTrusted(...skews: readonly (Skew | undefined)[]): boolean {
  const measured = skews.filter((skew) => skew !== undefined);
  return measured.length > 0 && measured.every(isSmallSkew);
}

/** The record of a success, which tells the points; undefined if AntCRM does not list it in time. */
export function readBack(lookup: Lookup, others: LockResult, session: Session): Promise<Receipt | undefined> {
  return session.waitAtMost(READ_BACK_MS, findRepeatedly(lookup, others, session));
}

async function findRepeatedly(lookup: Lookup, others: LockResult, session: Session) {
  const { runtime } = session.tools;
  const endMs = runtime.monotonicMs() + READ_BACK_MS;
  while (session.mayRead() && runtime.monotonicMs() < endMs) {
    const { found, receipt } = await findRecord(lookup, others, session);
    if (found === 'applied') return receipt;
    if (found === 'several') return undefined;
    await runtime.sleep(READ_BACK_EVERY_MS);
  }
  return undefined;
}

/** An incomplete read decides nothing. */
async function findRecord(lookup: Lookup, others: LockResult, session: Session): Promise<Finding> {
  if (others === 'busy' || others === 'unreadable') return { found: 'unreadable' };
  const type = lookup.kind === 'redeem' ? 'gift' : 'point';
  const read = await readAll(session, { type, by: lookup.by, fromMs: lookup.fromMs });
  if (!read.ok || !read.value.isComplete) return { found: 'unreadable' };
  return attribute(lookup, read.value.records, { others, skewNow: session.skew });
}
