import { describe, expect, it } from 'vitest';
import { Lease } from '../../src/engine/leases.ts';
import { newRecord } from '../../src/engine/record.ts';
import { accept, CONVERSATION, commit, release, take } from '../../src/engine/transitions.ts';
import { VersionedRecords } from '../../src/engine/versioned-records.ts';
import { type Index, type RecordStore, StoreUnavailable, type Swap, shardOf } from '../../src/store/port.ts';
import { createLossyStore } from '../support/lossy-store.ts';
import { filing, LEASE, NOW, openSealer, taking } from './kit.ts';

const KEY = 'c:name';

/** Processes on one store; `trips` are what reached it. */
function world(over: Partial<RecordStore> = {}) {
  const clock = { ms: NOW };
  const mono = { ms: 1 };
  const memory = createLossyStore({ nowMs: () => clock.ms }, 100);
  const trips: string[] = [];
  const faults: string[] = [];
  const slept: number[] = [];
  const timers: (() => void)[] = [];
  const opened: string[] = [];
  const open = () =>
    new VersionedRecords(CONVERSATION, {
      store: {
        read(key) {
          trips.push('read');
          return memory.read(key);
        },
        compareAndSwap(key, swap) {
          trips.push('swap');
          return (over.compareAndSwap ?? memory.compareAndSwap)(key, swap);
        },
      },
      sealer: {
        ...openSealer,
        open(key, sealed) {
          opened.push(key);
          return openSealer.open(key, sealed);
        },
      },
      runtime: {
        monotonicMs: () => mono.ms,
        timer(_ms, run) {
          timers.push(run);
          return { cancel() {} };
        },
        sleep: async (ms) => void slept.push(ms),
        random: () => 0.5,
      },
      onFault: (fault) => faults.push(fault),
    });
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
  return { memory, clock, trips, faults, slept, opened, pass, open, list, put };
}

const file = (id: string) => accept(filing(id));

describe('Versioned records', () => {
  it('keeps a record open for the length of a lease, and sealed from then on', async () => {
    const { open, pass, opened } = world();
    const cell = open();
    for (const id of ['m1', 'm2']) await cell.update('name', file(id));
    pass(14_999);
    await cell.update('name', file('m3'));
    pass(14_999);
    expect(opened).toEqual([]);
    pass(2);
    await cell.update('name', file('m4'));
    expect(opened).toEqual(['c:name']);
  });

  it('makes all changes that come during a swap with the next one, in their order', async () => {
    const { open, trips } = world();
    const cell = open();
    const ids = Array.from({ length: 20 }, (_, n) => `m${n}`);
    const answers = await Promise.all(ids.map((id) => cell.update('name', file(id))));
    expect(answers.map(({ answer }) => answer)).toEqual(ids.map(() => 'queued'));
    expect(trips).toEqual(['read', 'swap', 'swap']);
    const { record } = await cell.read('name');
    expect(record?.inbox.map(({ id }) => id)).toEqual(ids);
  });

  it('is sure before it says that nothing is to be done: what it remembers may be old', async () => {
    const { open } = world();
    const [one, other] = [open(), open()];
    const nothing = take(taking());
    await one.update('name', () => ({ record: newRecord(NOW), answer: null }));
    await other.update('name', file('m1'));
    expect((await one.update('name', nothing)).answer).toBe('leased');
  });

  it('fails all updates of a swap that was not confirmed, and reads anew', async () => {
    let fails = true;
    const { open, trips, memory } = world({
      async compareAndSwap(key, swap) {
        const swapped = await memory.compareAndSwap(key, swap);
        if (fails) throw new StoreUnavailable('the answer was lost');
        return swapped;
      },
    });
    const cell = open();
    const updates = ['m1', 'm2', 'm3'].map((id) => cell.update('name', file(id)));
    for (const update of updates) await expect(update).rejects.toThrow(StoreUnavailable);
    expect(trips).toEqual(['read', 'swap', 'read', 'swap']);
    fails = false;
    trips.length = 0;
    expect((await cell.update('name', file('m1'))).answer, 'it took effect').toBe('queued');
    expect(trips).toEqual(['read']);
  });

  it('keeps a released record as it was, behind a mark that nobody else can make', async () => {
    const { open, memory, put, faults, clock } = world();
    const one = open();
    const stored = async () => Buffer.from((await memory.read(KEY)).bytes ?? []);
    async function converse(owner: string) {
      await put(null);
      const { record } = await open().update('name', accept(filing('m1', { take: taking(owner) })));
      if (record === null) throw new Error('nothing was filed');
      const lease = new Lease('name', { record, nowMs: NOW, aliveUntilMs: 0 });
      const decision = {
        ...{ state: '{}', replies: [{ seq: 1, body: 'hello' }], consumed: true },
        ...{ wakeMs: NOW + 60_000, settled: [], dropped: 0 },
      };
      lease.record = (await one.update('name', commit(lease, decision))).record ?? newRecord(NOW);
      const sealed = await stored();
      const released = await one.update('name', release(lease, { sentSeq: NOW + 1, leaseMs: LEASE }));
      return { released: released.record, sealed, marked: await stored() };
    }
    const other = await converse('other-owner');
    const { released, sealed, marked } = await converse('owner');
    expect(marked.subarray(1, sealed.length)).toEqual(sealed.subarray(1));
    expect(released).toMatchObject({ outbox: [], lease: null });
    expect((await open().read('name')).record).toEqual(released);
    const swapped = [marked.subarray(0, sealed.length), other.marked.subarray(other.sealed.length)];
    const unmarked = [marked.subarray(0, 1), sealed.subarray(1)];
    for (const forged of [Buffer.concat(swapped), marked.subarray(0, -1), Buffer.concat(unmarked)]) {
      await put(forged);
      await open().update('name', take(taking()));
    }
    expect(faults).toEqual(['seal_broken', 'seal_broken', 'seal_broken']);

    // What was sent goes with the next swap: at the latest the wake-up's.
    await put(marked);
    clock.ms += 60_000;
    await open().update('name', take(taking()));
    expect([sealed, await stored()].map((bytes) => bytes.includes('hello'))).toEqual([true, false]);
  });

  const BROKEN = Buffer.alloc(20, 0xff);
  const due = [{ index: 'due', member: 'name', score: NOW }] as const;

  it('puts a broken record aside also where nothing is to be written', async () => {
    const { open, put, faults, list } = world();
    await put(BROKEN, due);
    const cell = open();
    for (const listed of [true, false]) {
      expect((await cell.update('name', take(taking()), { listed })).answer).toBe('none');
    }
    expect(faults).toEqual(['seal_broken']);
    expect((await list('due')).count).toBe(0);
    expect((await list('broken')).count).toBe(1);
  });

  it('says that a record is broken even if its process ends behind the swap', async () => {
    const { open, put, faults } = world({
      compareAndSwap: () => Promise.reject(new StoreUnavailable('killed')),
    });
    await put(BROKEN);
    await expect(open().update('name', take(taking()))).rejects.toThrow('killed');
    expect(faults).toEqual(['seal_broken']);
  });

  it('says that a record is lost which an index lists, or which it remembers, and begins anew', async () => {
    const { open, put, faults, list } = world();
    const cell = open();
    await cell.update('name', file('m1'));
    await put(null);
    expect((await open().update('name', take(taking()), { listed: true })).answer).toBe('none');
    expect((await list('due')).count).toBe(0);
    await cell.update('name', file('m2'));
    expect(faults).toEqual(['record_lost', 'record_lost']);
    expect((await cell.read('name')).record?.inbox.map(({ id }) => id)).toEqual(['m2']);
  });

  it('removes what an index still lists when it creates a record anew', async () => {
    const { open, put, list } = world();
    await put(Buffer.alloc(20), [{ index: 'undelivered', member: 'name', score: NOW }]);
    await put(null);
    await open().update('name', file('m1'));
    expect((await list('undelivered')).count).toBe(0);
  });

  it('waits ever longer where a record is changed elsewhere each time, and gives up', async () => {
    const compareAndSwap = async () => ({ swapped: false, nowMs: NOW, bytes: null }) as const;
    const { open, trips, slept } = world({ compareAndSwap });
    await expect(open().update('name', file('m1'))).rejects.toThrow(StoreUnavailable);
    expect(trips.length).toBeLessThan(30);
    expect(slept.toSorted((a, b) => a - b)).toEqual(slept);
    expect(slept.at(-1)).toBe(500);
  });
});
