import type { AwaitedRecord, Lookup } from '../conversation/effect.ts';
import { readAwaitedRecord, toAwaitedRecord, writeAwaitedRecord } from '../conversation/effect.ts';
import type { EffectContext } from '../engine/perform.ts';
import { toCodeKey } from './codes.ts';
import type { CustomerNames, LoyaltyRecord } from './port.ts';

/** Other operations of the customer: `settled` by these records, or `awaited`, without a record yet. */
export type OtherOperations = {
  readonly settled: readonly string[];
  readonly awaited: readonly AwaitedRecord[];
};

/**
 * `busy`: another operation has one of the locks, and this one has none. `unreadable`: this one has all, but
 * a newer version stored what this version cannot read, so no record can be assigned to an operation.
 */
export type LockResult = OtherOperations | 'unreadable' | 'busy';

/** The locks live for `forMs`; by default as long as any lock. */
export type LockRequest = { names: Iterable<string>; operation: string; forMs?: number | undefined };

/** How long a lock lives during a call, ms: long enough for another process to take over the turn. */
export const SHORT_LOCK_MS = 3 * 60 * 1000;

/** Takes all locks or none, always in the same order: then one of two operations gets all of them. */
export async function lockAll(context: EffectContext, request: LockRequest): Promise<LockResult> {
  const { names, operation, forMs } = request;
  const sorted = [...new Set(names)].sort();
  const settled = new Set<string>();
  const awaited = new Set<string>();
  for (const [index, name] of sorted.entries()) {
    const lock = await context.lock(name, operation, forMs);
    if (!lock.locked) {
      await unlockAll(context, { names: sorted.slice(0, index), operation });
      return 'busy';
    }
    for (const record of lock.settled) settled.add(record);
    for (const success of lock.awaited) awaited.add(success);
  }
  const successes = [...awaited].map(readAwaitedRecord).filter((success) => success !== null);
  return successes.length < awaited.size ? 'unreadable' : { settled: [...settled], awaited: successes };
}

/** Never throws: a lock that the store does not release now expires. */
export async function unlockAll(context: EffectContext, { names, operation }: LockRequest): Promise<void> {
  // Another process has the lease. It works on the same operation, and may have taken the locks again.
  if (context.signal.aborted) return;
  await Promise.allSettled([...names].map((name) => context.unlock(name, { operation })));
}

/** Each name under which AntCRM knows the customer. */
export function toLockNames({ customerId, phones, emails }: CustomerNames): readonly string[] {
  const ids = customerId === undefined ? [] : [`customer:${customerId}`];
  return [...ids, ...phones.map((phone) => `phone:${phone}`), ...emails.map((email) => `email:${email}`)];
}

export function addNames(names: Set<string>, customer: CustomerNames): void {
  for (const name of toLockNames(customer)) names.add(name);
}

export function addRecordNames(names: Set<string>, records: readonly LoyaltyRecord[]): void {
  for (const { whose } of records) if (whose) addNames(names, whose);
}

/** One lock for all codes that AntCRM's answers may not tell apart. */
export const codeLockName = (code: string): string => `code:${toCodeKey(code)}`;

/** Stores which operation the record of a code belongs to. Without a record, the record is still to come. */
export function rememberCode(
  context: EffectContext,
  { lookup, operation, record }: { lookup: Lookup; operation: string; record: string | undefined },
): Promise<void> {
  const awaited = record === undefined ? writeAwaitedRecord(toAwaitedRecord(lookup)) : undefined;
  return context.unlock(codeLockName(lookup.code), { operation, record, awaited });
}
