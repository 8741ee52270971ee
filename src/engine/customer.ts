import { z } from 'zod';
import type { Declared } from './record.ts';
import type { RecordKind, Transition } from './versioned-records.ts';

/*
 * A customer's record: one redemption at a time, over all conversations, and what earlier ones left.
 */

/** What operations left, and until when that is remembered (epoch ms). */
const leftSchema = z.record(z.string(), z.looseObject({ by: z.string(), untilMs: z.number() })).default({});

const customerSchema = z.looseObject({
  holder: z.looseObject({ operation: z.string(), untilMs: z.number() }).nullable().default(null),
  /** AntCRM's records that settled operations, and successes whose records are still to come. */
  settled: leftSchema,
  awaited: leftSchema,
});

export type CustomerRecord = Declared<z.infer<typeof customerSchema>>;

const NOBODY: CustomerRecord = { holder: null, settled: {}, awaited: {} };

export const LOCK_MS = 2 * 60 * 60 * 1000;
/** Longer than any operation is looked up (`OPERATION_CHECKS`). */
export const SETTLED_MS = 24 * 60 * 60 * 1000;

export const CUSTOMER: RecordKind<CustomerRecord> = {
  kind: 'u',
  ttlMs: SETTLED_MS,
  write: (record) => Buffer.from(JSON.stringify(record)),
  read: (plain) => customerSchema.parse(JSON.parse(plain.toString())),
};

/**
 * Whether the operation has the lock now; `settled` and `awaited` are what `unlock` was told of other operations. What it
 * left itself is its own to find again: it may have been cut off before its outcome was saved.
 */
export type Lock =
  | { readonly locked: true; readonly settled: readonly string[]; readonly awaited: readonly string[] }
  | { readonly locked: false };

/** Takes the lock for an operation, for so long from now; again by its holder: for as long anew. */
export function lock(operation: string, forMs = LOCK_MS): Transition<CustomerRecord, Lock> {
  return (before, nowMs) => {
    const record = current(before, nowMs);
    const { holder, settled, awaited } = record;
    if (holder !== null && holder.operation !== operation)
      return { record: before, answer: { locked: false } };
    return {
      record: { ...record, holder: { operation, untilMs: nowMs + forMs } },
      answer: { locked: true, settled: ofOthers(settled, operation), awaited: ofOthers(awaited, operation) },
    };
  };
}

const ofOthers = (left: CustomerRecord['settled'], operation: string): string[] =>
  Object.keys(left).filter((text) => left[text]?.by !== operation);

/**
 * Gives the lock back if the operation has it, and remembers the record that settled it, or what tells the one that is still
 * to come; of the same text once.
 */
export function unlock(
  operation: string,
  record?: string | undefined,
  awaited?: string | undefined,
): Transition<CustomerRecord, void> {
  return (before, nowMs) => {
    const customer = current(before, nowMs);
    const left = { by: operation, untilMs: nowMs + SETTLED_MS };
    const isHolder = customer.holder?.operation === operation;
    if (!isHolder && record === undefined && awaited === undefined) {
      return { record: before, answer: undefined };
    }
    return {
      record: {
        ...customer,
        holder: isHolder ? null : customer.holder,
        settled: record === undefined ? customer.settled : { ...customer.settled, [record]: left },
        awaited: awaited === undefined ? customer.awaited : { ...customer.awaited, [awaited]: left },
      },
      answer: undefined,
    };
  };
}

/** The record without what is over. */
function current(record: CustomerRecord | null, nowMs: number): CustomerRecord {
  const { holder, settled, awaited, ...rest } = record ?? NOBODY;
  const live = (kept: CustomerRecord['settled']) =>
    Object.fromEntries(Object.entries(kept).filter(([, { untilMs }]) => untilMs > nowMs));
  return {
    ...rest,
    holder: holder !== null && holder.untilMs > nowMs ? holder : null,
    settled: live(settled),
    awaited: live(awaited),
  };
}
