import { expect, test } from 'vitest';
import { Scheduler, type SchedulerParts } from '../../src/engine/scheduler.ts';
import { type RecordStore, SHARDS, StoreUnavailable, shardOf, versionOf } from '../../src/store/port.ts';
import { createWorld, incoming } from './bot.ts';

test('an entry of the due index without a record raises one alarm and is removed', async () => {
  const world = createWorld();
  const busy = world.engine({}, { concurrency: 0 });
  for (const conversation of ['c1', 'c2']) await busy.accept(incoming('a', { conversation }));
  const key = `c:${world.encryption.name('conversation', 'test\0c1')}` as const;
  const { bytes } = await world.store.read(key);
  // The key is lost, as by an eviction: its entries of indexes stay.
  const lost = { expected: bytes && versionOf(bytes), bytes: null, ttlMs: 1, indexes: [] };
  await world.store.compareAndSwap(key, lost);
  world.engine();
  await world.quiet();
  expect(world.alarms).toEqual([{ name: 'record_lost', reason: undefined }]);
  expect(world.answers()).toEqual(['a']);
});

/** A scheduler of eight slots whose store lists as said. */
function createKit(
  list: RecordStore['list'],
  claim: SchedulerParts['leases']['claim'] = async () => 'taken',
) {
  const clock = { ms: 0 };
  const scheduler = new Scheduler({
    store: { list },
    leases: { claim },
    stopping: new AbortController().signal,
    runtime: { ...createWorld().outside, monotonicMs: () => clock.ms },
    limits: { concurrency: 8, sweepMs: 500 },
    observe: { claim() {} },
    begin() {},
    onError() {},
  });
  return { scheduler, clock };
}

test('conversations that only newer processes can work on delay no other of their shard', async () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `c${at}`);
  const due = names.filter((name) => shardOf(`c:${name}`) === 7).slice(0, 20);
  const last = due.at(-1) ?? '';
  const claimed: string[] = [];
  const { scheduler, clock } = createKit(
    async (_, { shard, limit }) => {
      const entries = shard === 7 ? due.map((member, at) => ({ member, score: 1000 * at })) : [];
      return { nowMs: 0, count: entries.length, entries: entries.slice(0, limit) };
    },
    async (name) => {
      claimed.push(name);
      return name === last ? 'taken' : 'left';
    },
  );
  for (; !claimed.includes(last) && clock.ms < 60_000; clock.ms += 500) await scheduler.sweep();
  expect(claimed).toEqual(due);
});

test('shards that fail hold up no other', async () => {
  const listed: number[] = [];
  const { scheduler, clock } = createKit(async (_, { shard }) => {
    if (shard < SHARDS / 2) throw new StoreUnavailable('ill');
    listed.push(shard);
    return { nowMs: 0, count: 0, entries: [] };
  });
  // A sweep takes so long that the failed shards may be asked again at the next.
  for (; clock.ms < 400_000; clock.ms += 20_000) await scheduler.sweep();
  listed.length = 0;
  for (let sweeps = 0; sweeps < 8; sweeps++, clock.ms += 20_000) await scheduler.sweep();
  expect(new Set(listed).size).toBe(SHARDS / 2);
});
