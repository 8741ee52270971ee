import type { Effect, Lookup, Outcome, Receipt } from '../conversation/effect.ts';
import { attribute, type Finding, mayBeRedemptionOf } from './attribution.ts';
import { readPoints, toMovement } from './history.ts';
import type { LockResult, OtherOperations } from './locks.ts';
import { addRecordNames, codeLockName, lockAll, rememberCode, SHORT_LOCK_MS, unlockAll } from './locks.ts';
import type { LoyaltyRecord } from './port.ts';
import { type Proof, proveHistory, proveNoEffect, readPages } from './proof.ts';
import type { Session } from './session.ts';

type BaselineQuery = Pick<Lookup, 'by' | 'code' | 'fromMs'>;
type Check = Extract<Effect, { kind: 'check' }>;

/**
 * How far back the history is read, ms. No record is older than its call, but the clock of AntCRM's records
 * may be wrong, and need not be the clock of its `Date`.
 */
const LOOK_BACK_MS = 24 * 60 * 60 * 1000;
/** The read-back after a success takes at most this long, ms. */
const READ_BACK_MS = 2000;
const READ_BACK_EVERY_MS = 300;

/** The history is read from this time for a call that begins now, epoch ms: a day back by either clock. */
export const windowStart = ({ context, skew }: Session): number =>
  context.nowMs() + Math.min(0, skew?.ms ?? 0) - LOOK_BACK_MS;

/**
 * Ids of the redemptions of a gift before the call; `names` gains the customer's names. Not proved if the
 * history is not whole, or has a record without an id, which would look like a new one.
 */
export async function proveBaseline(
  { by, code, fromMs }: BaselineQuery,
  names: Set<string>,
  session: Session,
): Promise<Proof<string[]>> {
  const history = await proveHistory(session, { type: 'gift', by, fromMs }, { trustsOnePage: true });
  if (!history.proven) return history;
  const redemptions = history.value.filter((record) => mayBeRedemptionOf(code, record));
  const ids = redemptions.map(({ id }) => id).filter((id) => id !== undefined);
  if (ids.length < redemptions.length) return { proven: false, why: 'unreadable' };
  addRecordNames(names, history.value);
  return { proven: true, value: ids };
}

/**
 * Looks up an operation whose outcome is unknown. It takes or prolongs the locks: if another operation had
 * one, a record could belong to either. A code is locked only during this check, and a late one needs no
 * lock afterwards.
 */
export async function check(effect: Check, session: Session): Promise<Outcome> {
  const { operation, lookup, late } = effect;
  const { context } = session;
  const isCode = lookup.kind === 'accumulate';
  const isShort = isCode || late === true;
  const names = isCode ? [codeLockName(lookup.code)] : lookup.locks;
  const locks = { names, operation, ...(isShort && { forMs: SHORT_LOCK_MS }) };
  session.goOnAfter(lookup);
  const others = await lockAll(context, locks);
  const { found, receipt } = await conclude(lookup, others, session);
  const { dateMs } = session;
  const before = found === 'applied' ? lookup.balance?.points : undefined;
  const balance = before === undefined ? undefined : toMovement(before, await readPoints(lookup.by, session));
  if (isCode && found === 'applied')
    await rememberCode(context, { lookup, operation, record: receipt?.record });
  else if (isShort) await unlockAll(context, locks);
  return {
    kind: 'checked',
    operation,
    found,
    ...(receipt && { receipt }),
    ...(dateMs !== undefined && { dateMs }),
    ...(balance && { balance }),
  };
}

/** What the history says. "Nothing happened" needs a separate proof. */
async function conclude(lookup: Lookup, others: LockResult, session: Session): Promise<Finding> {
  if (others === 'busy' || others === 'unreadable') return UNREADABLE;
  const history = await readSince(lookup, session);
  if (!history.proven) return UNREADABLE;
  const finding = findRecord({ lookup, others }, history.value, session);
  if (finding.found !== 'none' && finding.found !== 'refused') return finding;
  const proof = await proveNoEffect(lookup, history.value, session);
  if (proof.proven) return finding;
  session.tools.log.warn({ why: proof.why }, 'No record was found, but that proves nothing');
  return proof.why === 'clock' || proof.why === 'balance' ? { found: 'undecided' } : UNREADABLE;
}

const UNREADABLE: Finding = { found: 'unreadable' };

/** The record of a success, which tells the points; undefined if AntCRM does not list it in time. */
export function readBack(lookup: Lookup, others: LockResult, session: Session): Promise<Receipt | undefined> {
  return session.waitAtMost(READ_BACK_MS, findRepeatedly(lookup, others, session));
}

async function findRepeatedly(lookup: Lookup, others: LockResult, session: Session) {
  if (others === 'busy' || others === 'unreadable') return undefined;
  const { runtime } = session.tools;
  const endMs = runtime.monotonicMs() + READ_BACK_MS;
  while (session.mayRead() && runtime.monotonicMs() < endMs) {
    const { found, receipt } = await findSuccess({ lookup, others }, session);
    if (found === 'applied') return receipt;
    if (found === 'several') return undefined;
    await runtime.sleep(READ_BACK_EVERY_MS);
  }
  return undefined;
}

/** A code is good once, so no page is read behind the one that has its record. */
async function findSuccess(sought: Sought, session: Session): Promise<Finding> {
  const { kind, by, fromMs } = sought.lookup;
  const find = (records: readonly LoyaltyRecord[]) => findRecord(sought, records, session);
  if (kind === 'redeem') {
    const history = await readSince(sought.lookup, session, { trustsOnePage: true });
    return history.proven ? find(history.value) : UNREADABLE;
  }
  const isFound = (records: readonly LoyaltyRecord[]) => find(records).found === 'applied';
  const { records, doubt } = await readPages(session, { type: 'point', by, fromMs }, isFound);
  return doubt === undefined ? find(records) : UNREADABLE;
}

/** The history that may have the record of a call. */
function readSince({ kind, by, fromMs }: Lookup, session: Session, { trustsOnePage = false } = {}) {
  return proveHistory(session, { type: kind === 'redeem' ? 'gift' : 'point', by, fromMs }, { trustsOnePage });
}

type Sought = { readonly lookup: Lookup; readonly others: OtherOperations };

function findRecord(
  { lookup, others }: Sought,
  records: readonly LoyaltyRecord[],
  session: Session,
): Finding {
  const codes = lookup.kind === 'redeem' ? session.tools.gifts.map(({ code }) => code) : [];
  return attribute(lookup, records, { others, skewNow: session.skew, codes });
}
