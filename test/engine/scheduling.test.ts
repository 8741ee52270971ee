import { expect, test } from 'vitest';
import { Scheduler, type SchedulerParts } from '../../src/engine/scheduler.ts';
import {
  type Key,
  type RecordStore,
  SHARDS,
  StoreUnavailable,
  shardOf,
  versionOf,
} from '../../src/store/port.ts';
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

/** A scheduler of eight slots whose store lists as said. */
function createKit(list: RecordStore['list'], claim: SchedulerParts['leases']['claim']) {
  const { outside } = createWorld();
  const clock = { ms: 0 };
  const scheduler = new Scheduler({
    store: { list },
    leases: { claim },
    stopping: new AbortController().signal,
    runtime: { ...outside, monotonicMs: () => clock.ms },
    limits: { concurrency: 8, sweepMs: 500 },
    observe: { claim() {} },
    begin() {},
    onError() {},
  });
  return { scheduler, clock };
}

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

test('a sweep that meets another lists its own shards after it', async () => {
  const asked = new Set<number>();
  const answers: (() => void)[] = [];
  const { scheduler } = createKit(
    (_, { shard }) => {
      asked.add(shard);
      return new Promise((resolve) => answers.push(() => resolve({ nowMs: 0, count: 0, entries: [] })));
    },
    async () => 'taken',
  );
  const first = scheduler.sweep();
  await Promise.all(Array.from({ length: 3 }, () => scheduler.sweep()));
  while (answers.length > 0) {
    for (const answer of answers.splice(0)) answer();
    await new Promise(setImmediate);
  }
  await first;
  expect(asked.size).toBe(SHARDS);
});

test('shards that fail hold up no other', async () => {
  const listed: number[] = [];
  const { scheduler, clock } = createKit(
    async (_, { shard }) => {
      if (shard < SHARDS / 2) throw new StoreUnavailable('ill');
      listed.push(shard);
      return { nowMs: 0, count: 0, entries: [] };
    },
    async () => 'taken',
  );
  // A sweep takes so long that the failed shards may be asked again at the next.
  for (; clock.ms < 400_000; clock.ms += 20_000) await scheduler.sweep();
  listed.length = 0;
  for (let sweeps = 0; sweeps < 8; sweeps++, clock.ms += 20_000) await scheduler.sweep();
  expect(new Set(listed).size).toBe(SHARDS / 2);
});
