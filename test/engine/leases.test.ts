import { expect, test } from 'vitest';
import { Leases } from '../../src/engine/leases.ts';
import { accept, CONVERSATION } from '../../src/engine/transitions.ts';
import { VersionedRecords } from '../../src/engine/versioned-records.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createWorld, filing, LEASE, openSealer } from './bot.ts';

test('a lease lasts from when it was asked for, not from when the answer came: the store may end it sooner', async () => {
  const { outside } = createWorld();
  let monotonicMs = 0;
  const runtime = { ...outside, monotonicMs: () => monotonicMs };
  const memory = createMemoryStore(outside);
  const store = {
    ...memory,
    async compareAndSwap(...args: Parameters<typeof memory.compareAndSwap>) {
      monotonicMs += 1500;
      return memory.compareAndSwap(...args);
    },
  };
  const records = new VersionedRecords(CONVERSATION, { store, sealer: openSealer, runtime, onFault() {} });
  const limits = { leaseMs: LEASE, renewMs: 5000 };
  const leases = new Leases({ records, runtime, limits, onError() {} });
  await records.update('name', accept(filing('m1')));
  const claimedMs = monotonicMs;
  const lease = await leases.claim('name');
  if (typeof lease === 'string') throw new Error(lease);
  expect(lease.aliveUntilMs).toBe(claimedMs + LEASE);
  const renewedMs = monotonicMs;
  expect(await leases.isHeld(lease)).toBe(true);
  expect(lease.aliveUntilMs).toBe(renewedMs + LEASE);
});
