import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Index, Key, Listed, RecordStore, Swap, Swapped } from '../../src/store/port.ts';
import { asideOf, INDEXES, SHARDS, StoreUnavailable, shardOf, versionOf } from '../../src/store/port.ts';
import { fc } from '../support/properties.ts';

/** A fresh, empty store; `another` is the same one as a second process sees it. */
export type OpenRecords = () => Promise<{
  store: RecordStore;
  another(): Promise<RecordStore>;
  close(): Promise<void>;
}>;

const DAY_MS = 24 * 60 * 60 * 1000;

/** What every store must do: each promise of `src/store/port.ts`, run for each implementation. */
export function recordsContract(name: string, open: OpenRecords): void {
  describe(`the ${name} store`, () => {
    const fresh = async () => {
      const opened = await open();
      onTestFinished(opened.close);
      return { ...opened, key: someKey() };
    };

    test('behaves as the memory store does, whatever is swapped, by any process', async () => {
      const { store, another } = await fresh();
      const processes = [store, await another()] as const;
      await fc.assert(
        fc.asyncProperty(fc.array(anySwap, { maxLength: 12 }), async (all) => {
          const key = someKey();
          const model = createMemoryStore({ nowMs: Date.now });
          const one = record('one');
          const two = record('two');
          const pool = [one, two, Buffer.concat([versionOf(one), Buffer.from('of the same version')])];
          for (const { process, expected, bytes, changes, aside = false } of all) {
            const before = pool[expected];
            const swap = {
              ...swapOf({ expected: before ?? null, bytes: pool[bytes] ?? null }),
              // A version never comes again. If it did, a swap that is sent twice would put both aside.
              aside: aside && expected !== bytes && expected + bytes !== 2,
              indexes: changes.map((change) => ({ ...change, member: `${nameOf(key)}:${change.member}` })),
            };
            const swapped = await confirmed(() => processes[process].compareAndSwap(key, swap));
            const modelled = await model.compareAndSwap(key, swap);
            expect(swapped.swapped || bytesOf(swapped)).toEqual(modelled.swapped || bytesOf(modelled));
          }
          expect(await kept(store, key, pool)).toEqual(await kept(model, key, pool));
        }),
        { numRuns: 60 },
      );
    });

    test('lists each shard by the clock of its node, the first to come first, and counts beyond the limit', async () => {
      const { store, key } = await fresh();
      const { nowMs } = await store.read(key);
      const indexes = [nowMs - 2, nowMs - 1, nowMs - 3, nowMs + DAY_MS].map((score, at) => ({
        index: 'due' as const,
        member: `${nameOf(key)}:${at}`,
        score,
      }));
      await store.compareAndSwap(key, swapOf({ bytes: record('first'), indexes }));
      const list = (upTo: 'now' | 'ever', limit: number, shard = shardOf(key)) =>
        store.list('due', { shard, upTo, limit });
      const now = await list('now', 2);
      expect([now.count, scores(now)]).toEqual([3, [nowMs - 3, nowMs - 2]]);
      expect(scores(await list('ever', 10))).toEqual([nowMs - 3, nowMs - 2, nowMs - 1, nowMs + DAY_MS]);
      expect(await list('ever', 0)).toMatchObject({ count: 4, entries: [] });
      expect(await list('ever', 10, (shardOf(key) + 1) % SHARDS)).toMatchObject({ count: 0 });
    });

    test('forgets a record after its time, which each swap begins anew', async () => {
      const { store, key } = await fresh();
      const first = record('first');
      const second = record('second');
      const third = record('third');
      await store.compareAndSwap(key, swapOf({ bytes: first, ttlMs: 60_000 }));
      await store.compareAndSwap(key, replacing(first, { bytes: second, ttlMs: 30 }));
      await expect.poll(async () => bytesOf(await store.read(key))).toBeNull();
      expect(await store.compareAndSwap(key, swapOf({ bytes: third }))).toMatchObject({ swapped: true });
    });

    test('lets one of many swaps at once win, and gives the others the stored bytes', async () => {
      const { store, another, key } = await fresh();
      const first = record('first');
      const processes = [store, await another()];
      await store.compareAndSwap(key, swapOf({ bytes: first }));
      const bytes = Array.from({ length: 20 }, (_, at) => record(`${at}`));
      const swapped = await Promise.all(
        bytes.map((next, at) => processes[at % 2]?.compareAndSwap(key, replacing(first, { bytes: next }))),
      );
      const winners = bytes.filter((_, at) => swapped[at]?.swapped);
      expect(winners).toEqual([bytesOf(await store.read(key))]);
      for (const loser of swapped) if (loser?.swapped === false) expect([taken(loser)]).toEqual(winners);
    });

    test('keeps any bytes as they are, puts aside what is shorter than a version, and has no faults', async () => {
      const { store, key } = await fresh();
      const stump = Buffer.from('stump');
      await store.compareAndSwap(key, swapOf({ bytes: stump }));
      await store.compareAndSwap(key, replacing(stump, { bytes: null, aside: true }));
      expect(bytesOf(await store.read(asideOf(key, stump)))).toEqual(stump);
      const large = Buffer.concat([randomBytes(13), randomBytes(200_000), Buffer.from('\r\n\0é')]);
      await store.compareAndSwap(key, swapOf({ bytes: large }));
      expect(bytesOf(await store.read(key))).toEqual(large);
      expect(await store.health()).toEqual([]);
    });
  });
}

/** Sends it until the store confirms, as callers do: a busy node of a cluster may answer too late. */
async function confirmed<Answer>(send: () => Promise<Answer>, tries = 10): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    if (tries === 1 || !(error instanceof StoreUnavailable)) throw error;
    return confirmed(send, tries - 1);
  }
}

/** `expected` and `bytes` are places in a pool of three; -1: no record. */
const place = fc.integer({ min: -1, max: 2 });
const anySwap = fc.record(
  {
    process: fc.constantFrom(0 as const, 1 as const),
    expected: place,
    bytes: place,
    changes: fc.array(
      fc.record({
        index: fc.constantFrom(...INDEXES).filter((index) => index !== 'broken'),
        member: fc.constantFrom('a', 'b'),
        score: fc.option(fc.integer({ min: 1, max: 5 })),
      }),
      { maxLength: 3 },
    ),
    aside: fc.constant(true as const),
  },
  { requiredKeys: ['process', 'expected', 'bytes', 'changes'] },
);

/** All that a store has of a key: the record, what is aside, what is listed. */
async function kept(store: RecordStore, key: Key, pool: readonly Buffer[]): Promise<unknown> {
  const keys = [key, ...pool.map((content) => asideOf(key, versionOf(content)))];
  const read = async (one: Key) => bytesOf(await confirmed(() => store.read(one)));
  const listed = async (index: Index) => {
    const range = { shard: shardOf(key), upTo: 'ever', limit: 1000 } as const;
    const { entries } = await confirmed(() => store.list(index, range));
    const ours = entries.filter(({ member }) => member.includes(nameOf(key)));
    // What broke in the same millisecond is in no order.
    if (index === 'broken') return ours.map(({ member }) => member).sort();
    return ours.map(({ member, score }) => `${member} ${score}`);
  };
  return [await Promise.all(keys.map(read)), await Promise.all(INDEXES.map(listed))];
}

/** A key as the engine makes them: the kind, and a keyed hash as base64url. */
export const someKey = (): Key => `c:${randomBytes(16).toString('base64url')}`;

const nameOf = (key: Key): string => key.slice(2);

/** Bytes as a seal makes them: they begin with a version that never comes again. */
export function record(text: string): Buffer {
  return Buffer.concat([Buffer.of(1), randomBytes(12), Buffer.from(text)]);
}

export function swapOf(over: Partial<Swap>): Swap {
  return { expected: null, bytes: null, ttlMs: DAY_MS, indexes: [], ...over };
}

/** A swap that expects this record. */
export const replacing = (before: Uint8Array, over: Partial<Swap>): Swap =>
  swapOf({ expected: versionOf(before), ...over });

export const due = (key: Key, score: number | null): Swap['indexes'] => [
  { index: 'due', member: nameOf(key), score },
];

export const bytesOf = ({ bytes }: { readonly bytes: Uint8Array | null }): Buffer | null =>
  bytes && Buffer.from(bytes);

/** What was there instead; fails where the swap took place. */
function taken(swapped: Swapped): Buffer | null {
  if (swapped.swapped) throw new Error('expected the swap to be refused');
  return bytesOf(swapped);
}

const scores = ({ entries }: Listed): number[] => entries.map(({ score }) => score);
