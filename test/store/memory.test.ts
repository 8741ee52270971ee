import { expect, it } from 'vitest';
import { systemRuntime } from '../../src/runtime.ts';
import { PolledFeed } from '../../src/store/feed.ts';
import { createMemoryFeed, createMemoryStore } from '../../src/store/memory.ts';
import { type FeedEvent, StoreUnavailable, shardOf } from '../../src/store/port.ts';
import { feedContract } from '../contract/feed.ts';
import { due, record, recordsContract, someKey, swapOf } from '../contract/records.ts';

recordsContract('memory', async () => {
  const store = createMemoryStore({ nowMs: Date.now });
  return { store, another: async () => store, close: async () => {} };
});

// One process: whoever follows or asks has the same.
feedContract('memory', async (feedMs) => {
  const feed = createMemoryFeed(feedMs === undefined ? {} : { feedMs });
  return { feed, another: async () => feed, close: () => feed.close() };
});

it('The memory store goes by the clock it is given', async () => {
  let nowMs = 1000;
  const store = createMemoryStore({ nowMs: () => nowMs });
  const key = someKey();
  await store.compareAndSwap(key, swapOf({ bytes: record('brief'), ttlMs: 500, indexes: due(key, 1200) }));
  const listed = () => store.list('due', { shard: shardOf(key), upTo: 'now', limit: 9 });
  expect(await listed()).toMatchObject({ nowMs: 1000, count: 0 });
  nowMs = 1200;
  expect(await listed()).toMatchObject({ nowMs: 1200, count: 1 });
  nowMs = 1500;
  expect(await store.read(key)).toEqual({ nowMs: 1500, bytes: null });
});

it('A follower whose look failed looks again, and sees what other processes publish', async () => {
  const stored: FeedEvent[] = [];
  const looks = ['works', 'fails'];
  const log = {
    async append() {},
    async read() {
      if (looks.shift() === 'fails') throw new StoreUnavailable('away');
      return stored;
    },
  };
  const feed = new PolledFeed(log, { runtime: systemRuntime, pollMs: 1 });
  const seen: FeedEvent[] = [];
  await feed.follow('one', 0, (event) => void seen.push(event));
  await expect.poll(() => looks).toEqual([]);
  stored.push({ seq: 1, body: Buffer.from('late') });
  await expect.poll(() => seen).toEqual(stored);
  await feed.close();
});
