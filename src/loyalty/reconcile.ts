import type { Effect, Lookup, Outcome, Receipt } from '../conversation/effect.ts';
import { type Evidence, findOnlyNew, judge, mayBeRedemptionOf, type Verdict } from './evidence.ts';
import { readPoints, toMovement } from './history.ts';
import type { LockResult, OtherOperations } from './locks.ts';
import { addRecordNames, codeLockName, lockAll, rememberCode, SHORT_LOCK_MS, unlockAll } from './locks.ts';
import { readPages, readWhole, type Whole } from './pages.ts';
import type { Contact, LoyaltyRecord } from './port.ts';
import { Session } from './session.ts';

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
 * Ids of the redemptions of a gift before the call; `names` gains the customer's names. Not whole if the
 * history is not, or has a record without an id, which would look like a new one.
 */
export async function readBaseline(
  { by, code, fromMs }: BaselineQuery,
  names: Set<string>,
  session: Session,
): Promise<Whole<string[]>> {
  const history = await readWhole(session, { type: 'gift', by, fromMs }, { trustsOnePage: true });
  if (!history.isWhole) return history;
  const redemptions = history.value.filter((record) => mayBeRedemptionOf(code, record));
  const ids = redemptions.map(({ id }) => id).filter((id) => id !== undefined);
  if (ids.length < redemptions.length) return { isWhole: false, why: 'unreadable' };
  addRecordNames(names, history.value);
  return { isWhole: true, value: ids };
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
  const verdict = await conclude(lookup, others, session);
  const found = toFound(verdict);
  const receipt = verdict.is === 'applied' ? verdict.receipt : undefined;
  const { dateMs } = session;
  const before = found === 'applied' ? (lookup.balance?.points ?? undefined) : undefined;
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

/** What the dialogue hears. Several records, or none that may count, are told apart for staff. */
function toFound(verdict: Verdict | Unread): Found {
  switch (verdict.is) {
    case 'notApplied':
      return 'none';
    case 'undecided':
      if (verdict.why === 'incomplete') return 'unreadable';
      return verdict.why === 'several' ? 'several' : 'undecided';
    default:
      return verdict.is;
  }
}

type Found = Extract<Outcome, { kind: 'checked' }>['found'];

/** What the history says, and the balance where it may be read. */
async function conclude(lookup: Lookup, others: LockResult, session: Session): Promise<Verdict | Unread> {
  if (others === 'busy' || others === 'unreadable') return UNREAD;
  const { canary, log } = session.tools;
  const seen = await canary.seen();
  const atMs = session.context.nowMs();
  const history = await readSince(lookup, session);
  if (!history.isWhole) return UNREAD;
  const evidence = { ...evidenceOf({ lookup, others, seen }, history.value, session), atMs };
  let verdict: Verdict | Unread = judge(evidence);
  if (verdict.is !== 'undecided' || verdict.why === 'lag' || verdict.why === 'unseen')
    verdict = await weigh(evidence, session);
  if (verdict.is === 'undecided') log.warn({ why: verdict.why }, 'What AntCRM shows proves nothing');
  return verdict;
}

type Unread = { readonly is: 'unreadable' };
const UNREAD: Unread = { is: 'unreadable' };

/** The verdict with the balance; `unreadable` if that could be read before the call, and now cannot. */
async function weigh(evidence: Evidence, session: Session): Promise<Verdict | Unread> {
  const { lookup } = evidence;
  if (lookup.balance === undefined || session.tools.contacts === 'off') return judge(evidence);
  const { by, fromMs, kind } = lookup;
  const contact = await session.contact(by);
  if (!contact.ok || session.isStale(contact.time)) return UNREAD;
  const points = contact.value === null ? null : contact.value.points;
  if (points === undefined) return judge(evidence);
  const others = await readWhole(session, { type: kind === 'redeem' ? 'point' : 'gift', by, fromMs });
  if (!others.isWhole) return UNREAD;
  const balance = { others: others.value, points, isMerged: isMerged(contact.value, lookup) };
  return judge({ ...evidence, balance });
}

/** The points of a customer who became another one tell nothing of those before the call. */
function isMerged(contact: Contact | null, { locks, balance, kind }: Lookup): boolean {
  const { customerId } = contact ?? {};
  if ((contact === null) !== (balance?.points === null)) return kind === 'redeem' || contact === null;
  return kind === 'redeem' && customerId !== undefined && !locks.includes(`customer:${customerId}`);
}

/** A call that succeeded, when it was answered (epoch ms by the store's clock), and what others left. */
export type Success = {
  readonly lookup: Lookup;
  readonly answeredMs: number;
  readonly others: LockResult;
};

/** The record of a success, which tells the points; undefined if AntCRM does not list it in time. */
export async function readBack(success: Success, session: Session): Promise<Receipt | undefined> {
  const { context, tools } = session;
  const receipt = await session.waitAtMost(READ_BACK_MS, findRepeatedly(success, session));
  if (receipt === undefined && session.mayRead() && typeof success.others === 'object') {
    const unbound = { ...context, signal: NEVER };
    tools.canary.watch(() => lookForRecord(success, new Session(unbound, tools)));
  }
  return receipt;
}

const NEVER = new AbortController().signal;

async function lookForRecord(success: Success, session: Session) {
  const { answeredMs } = success;
  const found = await findSuccess(success, session);
  if (found === 'several' || found === 'unread') return undefined;
  return found === 'absent' ? { answeredMs, shownMs: session.context.nowMs() } : 'shown';
}

async function findRepeatedly(success: Success, session: Session): Promise<Receipt | undefined> {
  const { runtime } = session.tools;
  const endMs = runtime.monotonicMs() + READ_BACK_MS;
  while (session.mayRead() && runtime.monotonicMs() < endMs) {
    const found = await findSuccess(success, session);
    if (found === 'several') return undefined;
    if (typeof found === 'object') return found.receipt;
    await runtime.sleep(READ_BACK_EVERY_MS);
  }
  return undefined;
}

type FoundSuccess = { readonly receipt?: Receipt } | 'absent' | 'several' | 'unread';

/** Looks for a record of the success, also on the page before the first until AntCRM has shown one. */
async function findSuccess(success: Success, session: Session): Promise<FoundSuccess> {
  const { lookup, others, answeredMs } = success;
  if (others === 'busy' || others === 'unreadable') return 'unread';
  const { canary } = session.tools;
  const siblings = { lookup, others, seen: { clock: canary.clock } };
  const judged = (rows: readonly LoyaltyRecord[]) => judge(evidenceOf(siblings, rows, session));
  const rows = await readFor(lookup, session, (records) => judged(records).is === 'applied');
  if (rows === undefined) return 'unread';
  const verdict = judged(rows);
  const noted = { calledMs: lookup.calledMs, answeredMs, shownMs: session.context.nowMs() };
  if (verdict.is === 'applied') {
    canary.note({ ...noted, recordMs: verdict.atMs }, clockBy(lookup));
    return { receipt: verdict.receipt };
  }
  if (verdict.is === 'undecided' && verdict.why === 'several') return 'several';
  const only = findOnlyNew(lookup, rows, others);
  if (only?.atMs !== undefined) {
    canary.note({ ...noted, recordMs: only.atMs }, clockBy(lookup));
    return {};
  }
  if (canary.firstPage === undefined && (await isOnPageBefore(siblings, session)))
    canary.note(noted, { firstPage: 0 });
  return verdict.is === 'undecided' && verdict.why !== 'unseen' ? 'unread' : 'absent';
}

/** A code is good once, so its record shows AntCRM's clock. A redemption's may be a cashier's. */
const clockBy = ({ kind, skew }: Lookup) => (kind === 'accumulate' ? {} : { expected: skew ?? NO_SKEW });
const NO_SKEW = { ms: 0, errorMs: 0 };

/** A code is good once, so no page is read behind the one that has its record. */
async function readFor(
  lookup: Lookup,
  session: Session,
  isFound: (records: readonly LoyaltyRecord[]) => boolean,
): Promise<readonly LoyaltyRecord[] | undefined> {
  const { kind, by, fromMs } = lookup;
  if (kind === 'redeem') {
    const history = await readSince(lookup, session, { trustsOnePage: true });
    return history.isWhole ? history.value : undefined;
  }
  const { records, doubt } = await readPages(session, { type: 'point', by, fromMs }, isFound);
  return doubt === undefined ? records : undefined;
}

/** Whether AntCRM counts pages from zero: our record is there, and still not on page one. */
async function isOnPageBefore(sought: Sought, session: Session): Promise<boolean> {
  const { kind, by, fromMs } = sought.lookup;
  const query = { type: kind === 'redeem' ? 'gift' : 'point', by, fromMs } as const;
  const isOn = async (page: number): Promise<boolean | undefined> => {
    const read = await session.history({ ...query, page });
    if (!read.ok) return undefined;
    return judge(evidenceOf(sought, read.value.records, session)).is === 'applied';
  };
  return (await isOn(0)) === true && (await isOn(1)) === false;
}

/** The history that may have the record of a call. */
function readSince({ kind, by, fromMs }: Lookup, session: Session, { trustsOnePage = false } = {}) {
  return readWhole(session, { type: kind === 'redeem' ? 'gift' : 'point', by, fromMs }, { trustsOnePage });
}

type Sought = {
  readonly lookup: Lookup;
  readonly others: OtherOperations;
  readonly seen: Evidence['seen'];
};

function evidenceOf(
  { lookup, others: siblings, seen }: Sought,
  rows: readonly LoyaltyRecord[],
  { context, tools, skew }: Session,
): Evidence {
  const codes = lookup.kind === 'redeem' ? tools.gifts.map(({ code }) => code) : [];
  return { lookup, rows, siblings, seen, codes, skewNow: skew, atMs: context.nowMs() };
}
