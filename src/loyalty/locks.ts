import {
  type Awaited,
  awaitedOf,
  type EffectContext,
  type Identifier,
  type Lookup,
  readAwaited,
  writeAwaited,
} from '../conversation/effect.ts';
import type { LoyaltyRecord, Named } from './port.ts';

/** The customer's other operations: the records that settled some, and successes whose record is still to come. */
export type Others = { readonly settled: readonly string[]; readonly awaited: readonly Awaited[] };

export const NOBODY: Others = { settled: [], awaited: [] };

/**
 * `busy`: another operation has one of the locks, and this one has none. `unreadable`: all are taken, but a newer version
 * wrote what this one cannot read, so that it is not known whose a record is.
 */
export type Locked = Others | 'unreadable' | 'busy';

/**
 * How long a lock lives until an outcome is known to be unknown: a process that dies before it wrote an intent holds up
 * nobody longer, and one that dies after it leaves time to whoever takes the turn up.
 */
export const BRIEF_MS = 3 * 60 * 1000;

/** Takes all of them or none, in the same order everywhere, so that of two operations that overlap one gets through. */
export async function lockAll(
  names: Iterable<string>,
  operation: string,
  context: EffectContext,
  forMs?: number,
): Promise<Locked> {
  const sorted = [...new Set(names)].sort();
  const settled = new Set<string>();
  const awaited = new Set<string>();
  for (const name of sorted) {
    const lock = await context.lock(name, operation, forMs);
    if (!lock.locked) {
      await unlockAll(sorted.slice(0, sorted.indexOf(name)), operation, context);
      return 'busy';
    }
    for (const record of lock.settled) settled.add(record);
    for (const one of lock.awaited) awaited.add(one);
  }
  const read = [...awaited].map(readAwaited).filter((one) => one !== null);
  return read.length === awaited.size ? { settled: [...settled], awaited: read } : 'unreadable';
}

/** Never throws: what the store does not give back now ends with its time. */
export async function unlockAll(
  names: Iterable<string>,
  operation: string,
  context: EffectContext,
): Promise<void> {
  // Whoever has the lease now works on the same operation, and may have taken the locks anew.
  if (context.signal.aborted) return;
  await Promise.allSettled([...names].map((name) => context.unlock(name, operation)));
}

export function namesOf({ customerId, phones, emails }: Named): string[] {
  return [
    ...(customerId === undefined ? [] : [`customer:${customerId}`]),
    ...phones.map((phone) => `phone:${phone}`),
    ...emails.map((email) => `email:${email}`),
  ];
}

export const namesIn = (records: readonly LoyaltyRecord[]): string[] =>
  records.flatMap(({ whose }) => (whose ? namesOf(whose) : []));

export const nameOf = ({ kind, value }: Identifier): string => `${kind}:${value}`;

/** Codes are compared as AntCRM may list them: without regard to case. */
export const codeName = (code: string): string => `code:${code.trim().toLowerCase()}`;

/** By the code it is known which record is whose; without a record, that one is still to come. */
export function rememberCode(
  lookup: Lookup,
  operation: string,
  record: string | undefined,
  context: EffectContext,
): Promise<void> {
  const awaited = record === undefined ? writeAwaited(awaitedOf(lookup)) : undefined;
  return context.unlock(codeName(lookup.code), operation, record, awaited);
}
