import { expect, test } from 'vitest';
import { Scheduler, type SchedulerParts } from '../../src/engine/scheduler.ts';
import { type Key, type RecordStore, StoreUnavailable, shardOf, versionOf } from '../../src/store/port.ts';
import { createWorld, incoming, type World } from './bot.ts';

const keyOf = (world: World, conversation: string): Key =>
  `c:${world.encryption.name('conversation', `test\0${conversation}`)}`;

/** Files messages of conversations, of which nobody takes any up. */
async function waiting(world: World, conversations: readonly string[]): Promise<void> {
  const busy = world.engine({}, { concurrency: 0 });
  for (const conversation of conversations) await busy.accept(incoming('a', { conversation }));
}

test('what is due and has no record is alarmed and taken out, once', async () => {
  const world = createWorld();
  await waiting(world, ['c1', 'c2']);
  const key = keyOf(world, 'c1');
  const { bytes } = await world.store.read(key);
  // The key is lost, as by an eviction: its entries of indexes stay.
  await world.store.compareAndSwap(key, {
    expected: bytes && versionOf(bytes),
    bytes: null,
    ttlMs: 1,
    indexes: [],
  });
  world.engine();
  await world.quiet();
  expect(world.alarms).toEqual([{ name: 'record_lost', reason: undefined }]);
  expect(world.heard()).toEqual(['a']);
});

test('what is due on nodes that write is answered while another one only reads, and what is due there once it writes', async () => {
  const world = createWorld();
  const names = Array.from({ length: 60 }, (_, at) => `c${at}`);
  const isElsewhere = (key: Key): boolean => shardOf(key) % 4 > 0;
  const elsewhere = names.filter((name) => isElsewhere(keyOf(world, name)));
  await waiting(world, names);
  let isFull = true;
  let refused = 0;
  const store: RecordStore = {
    ...world.store,
    async compareAndSwap(key, swap) {
      if (isElsewhere(key) || !isFull) return world.store.compareAndSwap(key, swap);
      refused += 1;
      throw new StoreUnavailable('the node is full');
    },
  };
  world.engine({ store });
  await expect.poll(() => world.sent.length).toBe(elsewhere.length);
  // A node that refuses is asked ever more rarely.
  for (let seconds = 0; seconds < 60; seconds++) {
    world.advance(1000);
    await new Promise(setImmediate);
  }
  expect(refused).toBeLessThan(8 * (names.length - elsewhere.length));
  expect(world.alarms).toContainEqual({ name: 'store_unavailable', reason: undefined });
  isFull = false;
  await world.quiet();
  expect(world.sent.length).toBe(names.length);
});

/** A scheduler of eight slots whose store lists as said. */
function createKit(list: RecordStore['list'], claim: SchedulerParts['conversations']['claim']) {
  const { outside } = createWorld();
  const clock = { ms: 0 };
  const scheduler = new Scheduler({
    store: { list },
    conversations: { claim },
    runtime: { ...outside, monotonicMs: () => clock.ms },
    limits: { concurrency: 8, sweepMs: 500 },
    observe: { claim() {} },
    begin() {},
    onError() {},
  });
  return { scheduler, clock };
}

test('a store that fails is asked again within seconds, however long it failed', async () => {
  const askedMs: number[] = [];
  const { scheduler, clock } = createKit(
    async () => {
      askedMs.push(clock.ms);
      throw new StoreUnavailable('down');
    },
    async () => 'taken',
  );
  for (; clock.ms < 3_600_000; clock.ms += 500) await scheduler.sweep();
  const gaps = askedMs.map((ms, at) => ms - (askedMs[at - 1] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(17_000);
});

test('conversations that only newer processes can work on hold up none of their shard', async () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `c${at}`).filter(
    (name) => shardOf(`c:${name}`) === 7,
  );
  const due = names.slice(0, 20);
  const claimed: string[] = [];
  const { scheduler, clock } = createKit(
    async (_, { shard, limit }) => {
      const entries = shard === 7 ? due.map((member, at) => ({ member, score: 1000 * at })) : [];
      return { nowMs: 0, count: entries.length, entries: entries.slice(0, limit) };
    },
    async (name) => {
      claimed.push(name);
      return name === due.at(-1) ? 'taken' : 'left';
    },
  );
  for (; !claimed.includes(due.at(-1) ?? '') && clock.ms < 60_000; clock.ms += 500) await scheduler.sweep();
  expect(claimed).toEqual(due);
});
