import { createMemoryStore } from '../../src/store/memory.ts';
import { type Key, type RecordStore, type Swap, versionOf } from '../../src/store/port.ts';

/**
 * A store whose last swaps, `keep` at most, `lose` takes back: as a failover to a replica that lags looks.
 */
export function createLossyStore(
  clock: { nowMs(): number },
  keep: number,
  memory: RecordStore = createMemoryStore(clock),
) {
  const records = new Map<Key, Uint8Array | null>();
  const scores = new Map<string, number | null>();
  const undone: { readonly key: Key; readonly undo: Swap }[] = [];
  let swaps = 0;

  function note(key: Key, { bytes, indexes }: Swap): void {
    records.set(key, bytes);
    for (const { index, member, score } of indexes) scores.set(`${index} ${member}`, score);
  }

  const swap: RecordStore['compareAndSwap'] = async (key, next) => {
    const swapped = await memory.compareAndSwap(key, next);
    // A swap that is sent again changes nothing.
    const isAgain = next.bytes !== null && next.bytes === records.get(key);
    if (!swapped.swapped || isAgain) return swapped;
    swaps += 1;
    const scoreOf = ({ index, member }: Swap['indexes'][number]) => scores.get(`${index} ${member}`) ?? null;
    const undo = {
      expected: next.bytes && versionOf(next.bytes),
      bytes: records.get(key) ?? null,
      ttlMs: next.ttlMs,
      indexes: next.indexes.map((index) => ({ ...index, score: scoreOf(index) })),
    };
    note(key, next);
    undone.push({ key, undo });
    if (undone.length > keep) undone.shift();
    return swapped;
  };

  /** Resolves to the keys of the records that lost a swap. */
  async function lose(count: number): Promise<ReadonlySet<Key>> {
    const lost = undone.splice(-count).reverse();
    for (const { key, undo } of lost) {
      note(key, undo);
      await memory.compareAndSwap(key, undo);
    }
    return new Set(lost.map(({ key }) => key));
  }

  return {
    ...memory,
    compareAndSwap: swap,
    lose,
    get swaps() {
      return swaps;
    },
  };
}
