import { expect, it } from 'vitest';
import { systemRuntime } from '../../src/runtime.ts';
import { PolledFeed } from '../../src/store/feed.ts';
import { createMemoryFeed, createMemoryStore } from '../../src/store/memory.ts';
import { ASIDE_MS, type FeedEvent, StoreUnavailable, shardOf } from '../../src/store/port.ts';
import { feedContract } from '../contract/feed.ts';
import { recordsContract } from '../contract/records.ts';

recordsContract('memory', async () => {
  const store = createMemoryStore({ nowMs: Date.now });
  return { store, another: async () => store, close: async () => {} };
});

it('the index of broken records drops what has expired, with the next record that is put aside', async () => {
  let nowMs = 1;
  const store = createMemoryStore({ nowMs: () => nowMs });
  for (const body of ['first', 'second']) {
    const stump = Buffer.from(body);
    const swap = { ttlMs: 60_000, indexes: [] };
    await store.compareAndSwap('c:name', { ...swap, expected: null, bytes: stump });
    await store.compareAndSwap('c:name', { ...swap, expected: stump, bytes: null, aside: true });
    nowMs += ASIDE_MS;
  }
  const { entries } = await store.list('broken', { shard: shardOf('c:name'), upTo: 'ever', limit: 9 });
  expect(entries.map(({ score }) => score)).toEqual([1 + ASIDE_MS]);
});

// One process: followers and readers get the same.
feedContract('memory', async (feedMs) => {
  const feed = createMemoryFeed(feedMs === undefined ? {} : { feedMs });
  return { feed, another: async () => feed, close: () => feed.close() };
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
