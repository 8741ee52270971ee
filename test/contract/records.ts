import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import {
  asideOf,
  INDEXES,
  type Index,
  type Key,
  type Listed,
  type RecordStore,
  SHARDS,
  type Swap,
  type Swapped,
  shardOf,
  versionOf,
} from '../../src/store/port.ts';

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
    const fresh = opener(open);

    test('answers null where there is no record', async () => {
      const { store } = await fresh();
      expect(await store.read(someKey())).toMatchObject({ bytes: null });
    });

    test('creates a record only where there is none', async () => {
      const { store } = await fresh();
      const key = someKey();
      const [first, second] = [record('first'), record('second')];
      expect(await store.swap(key, swapOf({ bytes: first }))).toMatchObject({ swapped: true });
      expect(taken(await store.swap(key, swapOf({ bytes: second })))).toEqual(first);
      expect(bytesOf(await store.read(key))).toEqual(first);
    });

    test('replaces a record only of the expected version', async () => {
      const { store, another } = await fresh();
      const key = someKey();
      const [first, second, third] = [record('first'), record('second'), record('third')];
      await store.swap(key, swapOf({ bytes: first }));
      const process = await another();
      expect(await process.swap(key, replacing(first, { bytes: second }))).toMatchObject({ swapped: true });
      expect(taken(await store.swap(key, replacing(first, { bytes: third })))).toEqual(second);
      expect(bytesOf(await store.read(key))).toEqual(second);
    });

    test('tells one record from another by their versions alone', async () => {
      const { store } = await fresh();
      const key = someKey();
      const version = randomBytes(13);
      await store.swap(key, swapOf({ bytes: Buffer.concat([version, Buffer.from('one')]) }));
      const next = record('next');
      expect(await store.swap(key, swapOf({ expected: version, bytes: next }))).toMatchObject({
        swapped: true,
      });
    });

    test('answers null to a swap that expects a record where there is none', async () => {
      const { store } = await fresh();
      expect(
        taken(await store.swap(someKey(), replacing(record('lost'), { bytes: record('next') }))),
      ).toBeNull();
    });

    test('executes a swap sent twice as if it was sent once', async () => {
      const { store } = await fresh();
      const key = someKey();
      const [first, second] = [record('first'), record('second')];
      const create = swapOf({ bytes: first, indexes: due(key, 1) });
      const replace = replacing(first, { bytes: second, indexes: due(key, 2) });
      for (const swap of [create, create, replace, replace]) {
        expect(await store.swap(key, swap)).toMatchObject({ swapped: true });
      }
      expect(taken(await store.swap(key, create))).toEqual(second);
      expect(await entries(store, 'due', key)).toEqual([[nameOf(key), 2]]);
    });

    test('removes a record, once or twice', async () => {
      const { store } = await fresh();
      const key = someKey();
      const first = record('first');
      await store.swap(key, swapOf({ bytes: first, indexes: due(key, 1) }));
      const remove = replacing(first, { bytes: null, indexes: due(key, null) });
      for (const swap of [remove, remove]) {
        expect(await store.swap(key, swap)).toMatchObject({ swapped: true });
      }
      expect(bytesOf(await store.read(key))).toBeNull();
      expect(await entries(store, 'due', key)).toEqual([]);
    });

    test('takes entries of a lost record out by a swap that expects none', async () => {
      const { store } = await fresh();
      const [key, other] = [someKey(), someKey()];
      await store.swap(key, swapOf({ bytes: record('kept'), indexes: due(key, 1) }));
      await store.swap(other, swapOf({ bytes: null, indexes: due(other, 1) }));
      const lost = (one: Key) => store.swap(one, swapOf({ bytes: null, indexes: due(one, null) }));
      expect(await lost(other)).toMatchObject({ swapped: true });
      expect(await entries(store, 'due', other)).toEqual([]);
      expect(await lost(key)).toMatchObject({ swapped: false });
      expect(await entries(store, 'due', key)).toEqual([[nameOf(key), 1]]);
    });

    test('changes no index where the record is not swapped', async () => {
      const { store } = await fresh();
      const key = someKey();
      await store.swap(key, swapOf({ bytes: record('first'), indexes: due(key, 1) }));
      await store.swap(key, swapOf({ bytes: record('other'), indexes: due(key, 9) }));
      expect(await entries(store, 'due', key)).toEqual([[nameOf(key), 1]]);
    });

    test('changes several indexes, and several entries of one, in a swap', async () => {
      const { store } = await fresh();
      const key = someKey();
      const name = nameOf(key);
      const first = record('first');
      const file = (index: Index, member: string, score: number | null) =>
        index === 'broken' ? [] : [{ index, member, score }];
      await store.swap(
        key,
        swapOf({
          bytes: first,
          indexes: [
            ...file('intents', `${name}:a`, 5),
            ...file('intents', `${name}:b`, 3),
            ...file('dead', `${name}:1`, 7),
            ...file('tickets', name, 8),
          ],
        }),
      );
      expect(await entries(store, 'intents', key)).toEqual([
        [`${name}:b`, 3],
        [`${name}:a`, 5],
      ]);
      const settle = [...file('intents', `${name}:b`, null), ...file('undelivered', name, 4)];
      await store.swap(key, replacing(first, { bytes: record('second'), indexes: settle }));
      expect(await entries(store, 'intents', key)).toEqual([[`${name}:a`, 5]]);
      expect(await entries(store, 'undelivered', key)).toEqual([[name, 4]]);
      expect(await entries(store, 'dead', key)).toEqual([[`${name}:1`, 7]]);
      expect(await entries(store, 'tickets', key)).toEqual([[name, 8]]);
    });

    test('lists what is due by the clock of the node, the first to come first, and counts beyond the limit', async () => {
      const { store } = await fresh();
      const key = someKey();
      const { nowMs } = await store.read(key);
      const many = [nowMs - 2, nowMs - 1, nowMs - 3, nowMs + DAY_MS].map((score, at) => ({
        index: 'due' as const,
        member: `${nameOf(key)}:${at}`,
        score,
      }));
      await store.swap(key, swapOf({ bytes: record('first'), indexes: many }));
      const now = await store.list('due', { shard: shardOf(key), upTo: 'now', limit: 2 });
      expect(now.count).toBe(3);
      expect(scores(now)).toEqual([nowMs - 3, nowMs - 2]);
      const ever = await store.list('due', { shard: shardOf(key), upTo: 'ever', limit: 10 });
      expect(scores(ever)).toEqual([nowMs - 3, nowMs - 2, nowMs - 1, nowMs + DAY_MS]);
      expect(await store.list('due', { shard: shardOf(key), upTo: 'ever', limit: 0 })).toMatchObject({
        count: 4,
        entries: [],
      });
    });

    test('lists each shard by itself, and nothing of what was never filed', async () => {
      const { store } = await fresh();
      const key = someKey();
      await store.swap(key, swapOf({ bytes: record('first'), indexes: due(key, 1) }));
      const shard = (shardOf(key) + 1) % SHARDS;
      for (const index of INDEXES) {
        expect(await store.list(index, { shard, upTo: 'ever', limit: 10 })).toMatchObject({ count: 0 });
      }
    });

    test('puts a broken record aside in the same swap, where operators find it', async () => {
      const { store } = await fresh();
      const key = someKey();
      const [broken, anew] = [record('broken'), record('anew')];
      await store.swap(key, swapOf({ bytes: broken }));
      const swap = replacing(broken, { bytes: anew, aside: true });
      for (const again of [swap, swap]) {
        expect(await store.swap(key, again)).toMatchObject({ swapped: true });
      }
      expect(bytesOf(await store.read(key))).toEqual(anew);
      const aside = asideOf(key, versionOf(broken));
      expect(shardOf(aside)).toBe(shardOf(key));
      expect(bytesOf(await store.read(aside))).toEqual(broken);
      expect((await entries(store, 'broken', key)).map(([member]) => member)).toEqual([aside]);
    });

    test('puts nothing aside where the record is not the broken one', async () => {
      const { store } = await fresh();
      const key = someKey();
      const sound = record('sound');
      await store.swap(key, swapOf({ bytes: sound }));
      const swap = replacing(record('broken'), { bytes: record('anew'), aside: true });
      expect(taken(await store.swap(key, swap))).toEqual(sound);
      expect(await entries(store, 'broken', key)).toEqual([]);
    });

    test('puts a record aside that is shorter than a version', async () => {
      const { store } = await fresh();
      const key = someKey();
      const stump = Buffer.from('stump');
      await store.swap(key, swapOf({ bytes: stump }));
      await store.swap(key, replacing(stump, { bytes: record('anew'), aside: true }));
      expect(bytesOf(await store.read(asideOf(key, stump)))).toEqual(stump);
    });

    test('forgets a record after its time, which each swap begins anew', async () => {
      const { store } = await fresh();
      const key = someKey();
      const [first, second, third] = [record('first'), record('second'), record('third')];
      await store.swap(key, swapOf({ bytes: first, ttlMs: 60_000 }));
      await store.swap(key, replacing(first, { bytes: second, ttlMs: 30 }));
      await expect.poll(async () => bytesOf(await store.read(key))).toBeNull();
      expect(await store.swap(key, swapOf({ bytes: third }))).toMatchObject({ swapped: true });
    });

    test('lets one of many swaps at once win, and tells the others what is there', async () => {
      const { store, another } = await fresh();
      const key = someKey();
      const processes = [store, await another()];
      const first = record('first');
      await store.swap(key, swapOf({ bytes: first }));
      const swaps = Array.from({ length: 20 }, (_, at) => replacing(first, { bytes: record(`${at}`) }));
      const swapped = await Promise.all(swaps.map((swap, at) => processes[at % 2]?.swap(key, swap)));
      const winners = swaps.filter((_, at) => swapped[at]?.swapped);
      expect(winners).toHaveLength(1);
      const there = bytesOf(await store.read(key));
      expect(there).toEqual(winners[0]?.bytes);
      for (const one of swapped) if (one?.swapped === false) expect(taken(one)).toEqual(there);
    });

    test('answers the time of the node with everything, which never goes back', async () => {
      const { store } = await fresh();
      const key = someKey();
      const first = record('first');
      const times = [
        (await store.read(key)).nowMs,
        (await store.swap(key, swapOf({ bytes: first }))).nowMs,
        (await store.swap(key, swapOf({ bytes: record('second') }))).nowMs,
        (await store.list('due', { shard: shardOf(key), upTo: 'now', limit: 1 })).nowMs,
      ];
      expect(times.every(Number.isSafeInteger)).toBe(true);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(Math.abs(Number(times[0]) - Date.now())).toBeLessThan(10_000);
    });

    test('says that a swap is durable where that was asked for, also of one sent twice', async () => {
      const { store } = await fresh();
      const key = someKey();
      const [first, second] = [record('first'), record('second')];
      await store.swap(key, swapOf({ bytes: first }));
      const durable = replacing(first, { bytes: second, durable: true });
      for (const swap of [durable, durable]) {
        expect(await store.swap(key, swap)).toMatchObject({ swapped: true, durable: true });
      }
      const stale = replacing(first, { bytes: record('third'), durable: true });
      expect(taken(await store.swap(key, stale))).toEqual(second);
    });

    test('keeps any bytes as they are, however many', async () => {
      const { store } = await fresh();
      const key = someKey();
      const large = Buffer.concat([randomBytes(13), randomBytes(200_000), Buffer.from('\r\n\0é')]);
      await store.swap(key, swapOf({ bytes: large }));
      expect(bytesOf(await store.read(key))).toEqual(large);
    });

    test('reports no faults while it is healthy', async () => {
      const { store } = await fresh();
      expect(await store.health()).toEqual([]);
    });
  });
}

/** Opens stores and closes them after each test. */
function opener(open: OpenRecords): OpenRecords {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
  return async () => {
    const opened = await open();
    closers.push(opened.close);
    return opened;
  };
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

/** What an index has in the shard of a key. */
async function entries(store: RecordStore, index: Index, key: Key): Promise<[string, number][]> {
  const listed = await store.list(index, { shard: shardOf(key), upTo: 'ever', limit: 100 });
  return listed.entries.map(({ member, score }) => [member, score]);
}
