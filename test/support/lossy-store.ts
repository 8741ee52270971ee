import { createMemoryStore } from '../../src/store/memory.ts';
import { type Key, type RecordStore, type Swap, versionOf } from '../../src/store/port.ts';

/** A memory store that loses swaps: `lose` takes the last ones back, as far as `keep` of them are remembered. */
export type LossyStore = RecordStore & { lose(count: number): void };

/** As a failover to a replica that lags is seen by those who ask. */
export function createLossyStore(clock: { nowMs(): number }, keep: number): LossyStore {
  const memory = createMemoryStore(clock);
  const records = new Map<Key, Uint8Array | null>();
  const scores = new Map<string, number | null>();
  /** How each of the last swaps is taken back, the oldest first. */
  const past: (() => void)[] = [];

  function note(key: Key, { bytes, indexes }: Pick<Swap, 'bytes' | 'indexes'>): void {
    records.set(key, bytes);
    for (const { index, member, score } of indexes) scores.set(`${index} ${member}`, score);
  }

  return {
    ...memory,
    async swap(key, swap) {
      const swapped = await memory.swap(key, swap);
      if (!swapped.swapped) return swapped;
      const before = {
        bytes: records.get(key) ?? null,
        indexes: swap.indexes.map((one) => ({
          ...one,
          score: scores.get(`${one.index} ${one.member}`) ?? null,
        })),
      };
      note(key, swap);
      past.push(() => {
        note(key, before);
        // The memory store swaps before it returns.
        void memory.swap(key, {
          ...{ expected: swap.bytes && versionOf(swap.bytes), ttlMs: swap.ttlMs },
          ...before,
        });
      });
      if (past.length > keep) past.shift();
      return swapped;
    },
    lose(count) {
      for (const undo of past.splice(-count).reverse()) undo();
    },
  };
}
