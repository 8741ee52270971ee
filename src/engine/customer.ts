import { z } from 'zod';
import type { RecordKind, Transition } from '../records/versioned-records.ts';
import type { Lock, Unlocking } from './perform.ts';
import type { KnownFields } from './record.ts';

/*
 * A customer's record: the lock that lets one redemption through at a time, over all conversations, and what
 * earlier operations left.
 */

/** AntCRM's records, or descriptions of them. `by`: the operation that left it. `untilMs`: epoch ms. */
const leftSchema = z.record(z.string(), z.looseObject({ by: z.string(), untilMs: z.number() })).default({});

/**
 * `by`: the lease under which the operation took the lock last. `runOuts`: how many leases of its
 * conversation had run out when that one was taken.
 */
const holderSchema = z.looseObject({
  operation: z.string(),
  untilMs: z.number(),
  by: z.string().optional(),
  runOuts: z.number().optional(),
});

const customerSchema = z.looseObject({
  holder: holderSchema.nullable().default(null),
  /** AntCRM's records that settled operations, and successes whose records are still to come. */
  settled: leftSchema,
  awaited: leftSchema,
  /** The last operation that ended without leaving anything. */
  ended: z.string().optional(),
});

export type CustomerRecord = KnownFields<z.infer<typeof customerSchema>>;

const NO_CUSTOMER: CustomerRecord = { holder: null, settled: {}, awaited: {} };

export const LOCK_MS = 2 * 60 * 60 * 1000;
/**
 * How long at most an operation locks that has ended: after a failover, a process that lost its lease may
 * look it up once more, and nobody would give that lock back.
 */
export const ENDED_LOCK_MS = 3 * 60 * 1000;
/** Longer than any operation is looked up (`OPERATION_CHECKS`, and a day more). */
export const SETTLED_MS = 48 * 60 * 60 * 1000;

export const CUSTOMER: RecordKind<CustomerRecord> = {
  kind: 'u',
  ttlMs: SETTLED_MS,
  write: (record) => Buffer.from(JSON.stringify(record)),
  read: (plain) => customerSchema.parse(JSON.parse(plain.toString())),
};

/** `by`: the lease that asks. */
type LockOptions = {
  readonly by?: { readonly owner: string; readonly runOuts: number } | undefined;
  readonly forMs?: number | undefined;
};

/**
 * Takes the lock for `forMs` from now. If its holder takes it again, the time restarts; but a lease that ran
 * out cannot take it from a later lease of the same operation, because it could then give it back. The answer
 * leaves out what the operation left itself: it may have been cut off before its outcome was stored.
 */
export function lock(
  operation: string,
  { by, forMs = LOCK_MS }: LockOptions = {},
): Transition<CustomerRecord, Lock> {
  return (before, nowMs) => {
    const record = before ?? NO_CUSTOMER;
    const { holder } = record;
    if (holder !== null && holder.untilMs > nowMs) {
      const isLate = by !== undefined && by.runOuts < (holder.runOuts ?? 0);
      if (holder.operation !== operation || isLate) return { record: before, answer: { locked: false } };
    }
    const lockMs = hasEnded(record, operation) ? Math.min(forMs, ENDED_LOCK_MS) : forMs;
    const taken = { operation, untilMs: nowMs + lockMs, by: by?.owner, runOuts: by?.runOuts };
    const settled = dropExpired(record.settled, nowMs);
    const awaited = dropExpired(record.awaited, nowMs);
    return {
      record: { ...record, holder: taken, settled, awaited },
      answer: {
        locked: true,
        settled: leftByOthers(settled, operation),
        awaited: leftByOthers(awaited, operation),
      },
    };
  };
}

/** Whether the operation gave its lock back with its outcome. */
const hasEnded = ({ ended, settled, awaited }: CustomerRecord, operation: string): boolean =>
  ended === operation ||
  [...Object.values(settled), ...Object.values(awaited)].some(({ by }) => by === operation);

type LeftRecords = CustomerRecord['settled'];

function dropExpired(left: LeftRecords, nowMs: number): LeftRecords {
  return Object.fromEntries(Object.entries(left).filter(([, { untilMs }]) => untilMs > nowMs));
}

function leftByOthers(left: LeftRecords, operation: string): string[] {
  return Object.keys(left).filter((text) => left[text]?.by !== operation);
}

/**
 * Gives the lock back if the operation has it, and remembers what the operation leaves. Without `by`, the
 * operation has ended. With `by`, the lock is only given back if that lease took it last: a process that does
 * not know yet that it lost its lease must not end the lock of the process that goes on with the operation.
 */
export function unlock({
  operation,
  record,
  awaited,
  by,
}: Unlocking & Pick<LockOptions, 'by'>): Transition<CustomerRecord, void> {
  return (before, nowMs) => {
    const customer = before ?? NO_CUSTOMER;
    const left = { by: operation, untilMs: nowMs + SETTLED_MS };
    const { holder, ended } = customer;
    const isHolder = holder?.operation === operation && (by === undefined || holder.by === by.owner);
    if (!isHolder && record === undefined && awaited === undefined) {
      return { record: before, answer: undefined };
    }
    return {
      record: {
        ...customer,
        holder: isHolder ? null : holder,
        settled: record === undefined ? customer.settled : { ...customer.settled, [record]: left },
        awaited: awaited === undefined ? customer.awaited : { ...customer.awaited, [awaited]: left },
        ended: by === undefined && record === undefined && awaited === undefined ? operation : ended,
      },
      answer: undefined,
    };
  };
}
