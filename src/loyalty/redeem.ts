import { type Effect, type Lookup, type Outcome, toAwaitedRecord } from '../conversation/effect.ts';
import { deadlineIn, isOver } from '../resilience/deadline.ts';
import { readPoints, toMovement } from './history.ts';
import { addNames, addRecordNames, type LockResult, lockAll, SHORT_LOCK_MS, unlockAll } from './locks.ts';
import type { CallOutcome, Contact, Read, RedeemRequest } from './port.ts';
import { readBack, readBaseline, windowStart } from './reconcile.ts';
import type { Session } from './session.ts';

type Redeem = Extract<Effect, { kind: 'redeem' }>;
type Request = Omit<RedeemRequest, 'writeBefore' | 'permit'>;
/** Whose points are spent: the names, the points by AntCRM's record, what the request carries. */
type Customer = { names: Set<string>; balance: Lookup['balance']; request: Request };
/** A redemption that was called. */
type CalledRedemption = { operation: string; lookup: Lookup; others: LockResult };

/**
 * Spends points, calling at most once per operation, however often the turn is repeated: locks, baseline,
 * intent, call (docs/how-it-works.md, "A redemption whose answer is lost"). The locks are given back at once
 * where no intent was stored, else with the stored outcome: a crash in between leaves the customer locked.
 */
export async function redeem(effect: Redeem, session: Session): Promise<Outcome> {
  const { operation, gift, by } = effect;
  const { context } = session;
  const { runtime, timeoutMs } = session.tools;
  if (effect.outdated) return { kind: 'outdated', operation };
  const customer = await identify(effect, session);
  if (customer === null) return { kind: 'unavailable', operation };

  const { names } = customer;
  const locks = { names, operation, forMs: SHORT_LOCK_MS };
  let keepsLocks = false;
  try {
    let others = await lockAll(context, locks);
    if (others === 'busy') return { kind: 'busy', operation };
    const relockAfter = deadlineIn(SHORT_LOCK_MS / 3, runtime);
    const fromMs = windowStart(session);
    const lockedNames = names.size;
    const baseline = await readBaseline({ by, code: gift, fromMs }, names, session);
    if (!baseline.isWhole) return { kind: 'unavailable', operation };
    // All locks must outlive the call, until the first check or a take-over.
    if (names.size > lockedNames || isOver(relockAfter, runtime)) others = await lockAll(context, locks);
    if (others === 'busy') return { kind: 'busy', operation };

    // Set before the intent: a pause of the process after it must not carry the call past its deadline.
    const writeBefore = deadlineIn(timeoutMs, runtime);
    const evidence = { baseline: baseline.value, locks: [...names].sort(), balance: customer.balance };
    const lookup: Lookup = { kind: 'redeem', by, code: gift, fromMs, ...session.callTimes(), ...evidence };
    if (!session.mayBegin()) return { kind: 'unavailable', operation };
    // Before the answer: if it is lost, the intent may be stored, and the operation must keep its locks.
    keepsLocks = true;
    const permit = await session.intend(operation, { lookup });
    if (permit === 'interrupted') return { kind: 'unavailable', operation };
    if (permit === 'unreplicated') return { kind: 'unavailable', operation, locks: lookup.locks };
    const { kind } = await session.redeem({ ...customer.request, writeBefore, permit });
    return await conclude(kind, { operation, lookup, others }, session);
  } finally {
    if (!keepsLocks) await unlockAll(context, locks);
  }
}

async function conclude(
  kind: CallOutcome['kind'],
  call: CalledRedemption,
  session: Session,
): Promise<Outcome> {
  const { operation, lookup, others } = call;
  if (kind === 'unknown') {
    // Extends the locks for as long as the outcome is looked up.
    await lockAll(session.context, { names: lookup.locks, operation });
    return { kind, operation, lookup };
  }
  const { locks } = lookup;
  const before = lookup.balance?.points ?? undefined;
  if (kind === 'unavailable') return { kind, operation, locks };
  if (kind === 'refused') return { kind, operation, locks, ...(before !== undefined && { points: before }) };
  const after = before === undefined ? undefined : readPoints(lookup.by, session);
  const answeredMs = session.context.nowMs();
  const receipt = await readBack({ lookup, answeredMs, others }, session);
  const balance = toMovement(before, await after);
  if (balance) session.tools.canary.noteBalance(balance, receipt?.score && -receipt.score);
  const awaited = receipt === undefined ? { awaited: toAwaitedRecord(lookup) } : {};
  return { kind, operation, receipt, locks, ...awaited, ...(balance && { balance }) };
}

/**
 * The request has the proved identifier. It has the other one only if AntCRM's record or history lists both,
 * proved or not: else AntCRM might spend the points of another customer, whose history no look-up reads. If
 * the record has no customer id, the history may have it: a redemption by phone and one by e-mail must take
 * the same lock. Null if AntCRM cannot be asked.
 */
async function identify({ gift, by, also }: Redeem, session: Session): Promise<Customer | null> {
  const names = new Set([`${by.kind}:${by.value}`]);
  const request = { gift, [by.kind]: by.value };
  const isOn = session.tools.contacts === 'on';
  const readMs = session.context.nowMs();
  const read: Read<Contact | null> = isOn ? await session.contact(by) : { ok: true, value: null };
  if (!read.ok) return null;
  const contact = read.value;
  if (contact) addNames(names, contact);
  if (contact?.customerId === undefined) {
    const pages = [
      session.history({ type: 'point', by, page: 1 }),
      session.history({ type: 'gift', by, page: 1 }),
    ];
    for (const page of await Promise.all(pages)) {
      if (!page.ok) return null;
      addRecordNames(names, page.value.records);
    }
  }
  const other = also && `${also.kind}:${also.value.toLowerCase()}`;
  if (also && other && names.has(other)) request[also.kind] = also.value;
  if (other && also.proved) names.add(other);
  const points = session.isStale(read.time) ? undefined : contact?.points;
  const balance = points === undefined ? undefined : { points, readMs };
  return { names, balance, request };
}
