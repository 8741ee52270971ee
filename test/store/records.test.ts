import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.ts';
import { shardOf } from '../../src/store/port.ts';
import { bytesOf, due, record, recordsContract, replacing, someKey, swapOf } from '../contract/records.ts';

recordsContract('memory', async () => {
  const store = createMemoryStore({ clock: { nowMs: Date.now } });
  return { store, another: async () => store, close: async () => {} };
});

describe('The memory store', () => {
  it('takes the last swaps back, with their indexes, as a failover does', async () => {
    const store = createMemoryStore({ clock: { nowMs: () => 1000 }, keep: 2 });
    const key = someKey();
    const [first, second] = [record('first'), record('second')];
    await store.swap(key, swapOf({ bytes: first, indexes: due(key, 1) }));
    await store.swap(key, replacing(first, { bytes: second, indexes: due(key, 2) }));
    await store.swap(key, replacing(second, { bytes: null, indexes: due(key, null) }));
    store.lose(1);
    expect(bytesOf(await store.read(key))).toEqual(second);
    // Only two were kept, and one of them is gone.
    store.lose(10);
    expect(bytesOf(await store.read(key))).toEqual(first);
    const { entries } = await store.list('due', { shard: shardOf(key), upTo: 'ever', limit: 9 });
    expect(entries.map(({ score }) => score)).toEqual([1]);
  });

  it('goes by the clock it is given', async () => {
    let nowMs = 1000;
    const store = createMemoryStore({ clock: { nowMs: () => nowMs } });
    const key = someKey();
    await store.swap(key, swapOf({ bytes: record('brief'), ttlMs: 500, indexes: due(key, 1200) }));
    const listed = () => store.list('due', { shard: shardOf(key), upTo: 'now', limit: 9 });
    expect(await listed()).toMatchObject({ nowMs: 1000, count: 0 });
    nowMs = 1200;
    expect(await listed()).toMatchObject({ nowMs: 1200, count: 1 });
    nowMs = 1500;
    expect(await store.read(key)).toEqual({ nowMs: 1500, bytes: null });
  });
});
