import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Leases } from '../../src/engine/leases.ts';
import { type ConversationRecord, newRecord } from '../../src/engine/record.ts';
import { accept, CONVERSATION, take } from '../../src/engine/transitions.ts';
import { type RecordParts, VersionedRecords } from '../../src/records/versioned-records.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { type Index, type Swap, shardOf } from '../../src/store/port.ts';
import { filing, LEASE, NOW, taking } from '../engine/bot.ts';
import { createLossyStore } from '../support/lossy-store.ts';

const KEY = 'c:name';

/** Processes on one store. */
function world() {
  const clock = { ms: NOW };
  const mono = { ms: 1 };
  const memory = createLossyStore({ nowMs: () => clock.ms }, 100);
  const faults: string[] = [];
  const timers: (() => void)[] = [];
  const opened: string[] = [];
  /** Seals nothing: the version is random all the same. Bytes that say so cannot be opened. */
  const sealer: RecordParts['sealer'] = {
    seal: (_, plain) => Buffer.concat([Buffer.of(0), randomBytes(12), plain]),
    open(key, sealed) {
      opened.push(key);
      if (sealed[13] === 0xff) throw new Error('broken');
      return Buffer.from(sealed.subarray(13));
    },
  };
  const runtime = {
    ...systemRuntime,
    monotonicMs: () => mono.ms,
    timer(_ms: number, run: () => void) {
      timers.push(run);
      return { cancel() {} };
    },
  };
  const parts = { store: memory, sealer, runtime, onFault: (fault: string) => faults.push(fault) };
  const open = () => new VersionedRecords(CONVERSATION, parts);
  const list = (index: Index) => memory.list(index, { shard: shardOf(KEY), upTo: 'ever', limit: 10 });
  /** Something that is no process of ours writes. */
  async function put(bytes: Uint8Array | null, indexes: Swap['indexes'] = []): Promise<void> {
    const { bytes: expected } = await memory.read(KEY);
    await memory.compareAndSwap(KEY, { expected, bytes, ttlMs: 1000, indexes });
  }
  /** Time passes. */
  function pass(ms: number): void {
    mono.ms += ms;
    for (const run of timers.splice(0)) run();
  }
  return { memory, clock, mono, parts, faults, opened, pass, open, list, put };
}

const file = (id: string) => accept(filing(id));

test('remembers a record for a minute, and forgets it by itself', async () => {
  const { open, pass, opened } = world();
  const cell = open();
  for (const id of ['m1', 'm2']) await cell.update('name', file(id));
  pass(59_999);
  await cell.update('name', file('m3'));
  expect(cell.isKnown('name')).toBe(true);
  expect(opened).toEqual([]);
  pass(60_001);
  expect(cell.isKnown('name')).toBe(false);
  await cell.update('name', file('m4'));
  expect(opened).toEqual(['c:name']);
});

test('the changes that come during a swap are made with the next one, in their order', async () => {
  const { open, memory } = world();
  const cell = open();
  const ids = Array.from({ length: 20 }, (_, n) => `m${n}`);
  const answers = await Promise.all(ids.map((id) => cell.update('name', file(id))));
  expect(answers.map(({ answer }) => answer)).toEqual(ids.map(() => 'queued'));
  expect(memory.swaps).toBe(2);
  const { record } = await cell.read('name');
  expect(record?.inbox.map(({ id }) => id)).toEqual(ids);
});

test('reads again before it decides that nothing is to be done: its memory may be old', async () => {
  const { open } = world();
  const one = open();
  const other = open();
  const nothing = take(taking());
  await one.update('name', () => ({ record: newRecord(NOW), answer: null }));
  await other.update('name', file('m1'));
  expect((await one.update('name', nothing)).answer).toBe('leased');
});

test('if two processes write in turns, neither decides on a record that the other has overwritten', async () => {
  const { open, memory } = world();
  const cells = [open(), open()];
  let decided = 0;
  const decide = (id: string) => (before: ConversationRecord | null, nowMs: number) => {
    decided += 1;
    return file(id)(before, nowMs);
  };
  const turns = 10;
  for (let n = 0; n < turns; n++) {
    const cell = cells[n % 2];
    await cell?.update('name', decide(`m${n}`), { isCostly: true });
    await cell?.update('name', (record) => ({ record: record && { ...record, knew: n }, answer: null }));
  }
  // Each process is wrong once.
  expect(decided).toBe(turns + 2);
  const { swaps } = memory;
  await cells[0]?.update('name', decide('m10'), { isCostly: true });
  await cells[0]?.update('name', decide('m11'), { isCostly: true });
  expect([memory.swaps - swaps, decided]).toEqual([2, turns + 4]);
  const { record } = await open().read('name');
  expect(record?.inbox).toHaveLength(turns + 2);
});

test('puts a broken record aside also where nothing is to be written', async () => {
  const { open, put, faults, list } = world();
  await put(Buffer.alloc(20, 0xff), [{ index: 'due', member: 'name', score: NOW }]);
  const cell = open();
  for (const listed of [true, false]) {
    expect((await cell.update('name', take(taking()), { listed })).answer).toBe('none');
  }
  expect(faults).toEqual(['seal_broken']);
  expect((await list('due')).count).toBe(0);
  expect((await list('broken')).count).toBe(1);
});

test('a lease lasts from when it was asked for, not from when the answer came: the store may end it sooner', async () => {
  const { memory, mono, parts } = world();
  const store = {
    ...memory,
    async compareAndSwap(...args: Parameters<typeof memory.compareAndSwap>) {
      mono.ms += 1500;
      return memory.compareAndSwap(...args);
    },
  };
  const records = new VersionedRecords(CONVERSATION, { ...parts, store });
  const limits = { leaseMs: LEASE, renewMs: 5000 };
  const leases = new Leases({ ...parts, records, limits, onError() {} });
  await records.update('name', accept(filing('m1')));
  const claimedMs = mono.ms;
  const lease = await leases.claim('name');
  if (typeof lease === 'string') throw new Error(lease);
  expect(lease.aliveUntilMs).toBe(claimedMs + LEASE);
  const renewedMs = mono.ms;
  expect(await leases.renew(lease)).toBe(true);
  expect(lease.aliveUntilMs).toBe(renewedMs + LEASE);
});
