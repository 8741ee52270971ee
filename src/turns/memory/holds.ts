import type { Mailbox } from '../mailbox.ts';
import type { Customer, MemoryStore } from './store.ts';

/** The customers' holds of the embedded mailbox. */
export function memoryHolds(store: MemoryStore, holdMs: number): Pick<Mailbox, 'hold' | 'letGo'> {
  const { customers, now } = store;

  /** The customer as of now, without what has expired; forgets others of whom nothing is left. */
  function customerOf(name: string): Customer {
    const nowMs = now();
    for (const [oldest, { usedMs }] of customers) {
      if (usedMs + holdMs > nowMs) break;
      customers.delete(oldest);
    }
    const customer = customers.get(name) ?? { holder: null, settled: new Map(), usedMs: nowMs };
    if (customer.holder !== null && customer.holder.untilMs <= nowMs) customer.holder = null;
    for (const [record, untilMs] of customer.settled) {
      if (untilMs <= nowMs) customer.settled.delete(record);
    }
    customer.usedMs = nowMs;
    customers.delete(name);
    customers.set(name, customer);
    return customer;
  }

  return {
    async hold(name, operation) {
      const customer = customerOf(name);
      if (customer.holder !== null && customer.holder.operation !== operation) return { held: false };
      customer.holder = { operation, untilMs: now() + holdMs };
      return { held: true, settled: [...customer.settled.keys()] };
    },

    async letGo(name, operation, record) {
      const customer = customerOf(name);
      if (customer.holder?.operation === operation) customer.holder = null;
      if (record !== undefined) customer.settled.set(record, now() + holdMs);
    },
  };
}
