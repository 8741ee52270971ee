import type { Locks } from '../locks.ts';
import type { Customer, Memory } from './memory.ts';

/** The customers' locks of the embedded store. `settledMs`: how long records are remembered, `lockMs` at least. */
export function memoryLocks(
  memory: Memory,
  { lockMs, settledMs }: { readonly lockMs: number; readonly settledMs: number },
): Locks {
  const { customers, now } = memory;
  const lifeMs = Math.max(lockMs, settledMs);

  /** The customer as of now, without what has expired; forgets others of whom nothing is left. */
  function customerOf(name: string): Customer {
    const nowMs = now();
    for (const [oldest, { usedMs }] of customers) {
      if (usedMs + lifeMs > nowMs) break;
      customers.delete(oldest);
    }
    const customer = customers.get(name) ?? newCustomer(nowMs);
    if (customer.holder !== null && customer.holder.untilMs <= nowMs) customer.holder = null;
    for (const remembered of [customer.settled, customer.awaited]) {
      for (const [record, untilMs] of remembered) if (untilMs <= nowMs) remembered.delete(record);
    }
    customer.usedMs = nowMs;
    customers.delete(name);
    customers.set(name, customer);
    return customer;
  }

  return {
    async lock(name, operation, forMs = lockMs) {
      const customer = customerOf(name);
      if (customer.holder !== null && customer.holder.operation !== operation) return { locked: false };
      customer.holder = { operation, untilMs: now() + forMs };
      return { locked: true, settled: [...customer.settled.keys()], awaited: [...customer.awaited.keys()] };
    },

    async unlock(name, operation, record, awaited) {
      const customer = customerOf(name);
      if (customer.holder?.operation === operation) customer.holder = null;
      const untilMs = now() + settledMs;
      if (record !== undefined) customer.settled.set(record, untilMs);
      if (awaited !== undefined) customer.awaited.set(awaited, untilMs);
    },
  };
}

const newCustomer = (usedMs: number): Customer => ({
  holder: null,
  settled: new Map(),
  awaited: new Map(),
  usedMs,
});
