import { INDEXES, type Key, type RecordStore, SHARDS, shardOf } from '../../src/store/port.ts';
import { connectRedis } from '../../src/store/redis/connection.ts';
import { createRedisRecords } from '../../src/store/redis/records.ts';
import { addressOf, startRedis } from '../support/redis.ts';
import type { Clock } from './clock.ts';
import { runHistory } from './history.ts';

/** Small histories: each of their commands is a trip to Redis. */
const CUSTOMERS = 6;
const MOST = 10_000;

/** A store on Redis in virtual time: it says what time it is by the history's clock, which stands still while it works. */
function inVirtualTime(store: RecordStore, clock: Clock): RecordStore {
  /** Indexes of shards that ever had an entry: nobody needs to ask for the others. */
  const touched = new Set<string>();
  return {
    ...store,
    read: async (key) => ({ ...(await clock.hold(store.read(key))), nowMs: clock.nowMs() }),
    async compareAndSwap(key, swap) {
      for (const { index } of swap.indexes) touched.add(`${index} ${shardOf(key)}`);
      return { ...(await clock.hold(store.compareAndSwap(key, swap))), nowMs: clock.nowMs() };
    },
    async list(index, { shard, upTo, limit }) {
      const nowMs = clock.nowMs();
      if (!touched.has(`${index} ${shard}`)) return { nowMs, count: 0, entries: [] };
      const { entries } = await clock.hold(store.list(index, { shard, upTo: 'ever', limit: MOST }));
      const some = entries.filter(({ score }) => upTo === 'ever' || score <= nowMs);
      return { nowMs, count: some.length, entries: some.slice(0, limit) };
    },
  };
}

/** What a store has in the end: records, byte for byte, and entries of indexes. */
async function contentOf(store: RecordStore, keys: ReadonlySet<Key>): Promise<string[]> {
  const content: string[] = [];
  for (const key of keys) {
    const { bytes } = await store.read(key);
    content.push(`${key} ${bytes === null ? 'none' : Buffer.from(bytes).toString('hex')}`);
  }
  for (const index of INDEXES) {
    for (let shard = 0; index !== 'broken' && shard < SHARDS; shard++) {
      const { entries } = await store.list(index, { shard, upTo: 'ever', limit: MOST });
      content.push(...entries.map(({ member, score }) => `${index} ${member} ${score}`));
    }
  }
  return content.sort();
}

/**
 * Runs the same histories in memory and on a Redis of their own. Resolves to what differs, a line each: what happened, and
 * what is stored in the end.
 */
export async function compareWithRedis(seeds: readonly number[]): Promise<string[]> {
  const server = await startRedis('--appendonly', 'no', '--save', '');
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  // Any store is good for this process.
  const canary = ([value = 'simulator']: readonly string[]) => value;
  const connection = await connectRedis(addressOf(server.url), { log, canary });
  const different: string[] = [];
  try {
    const redis = createRedisRecords(connection);
    for (const seed of seeds) {
      const content: string[][] = [];
      const atEnd = async (store: RecordStore, keys: ReadonlySet<Key>) =>
        void content.push(await contentOf(store, keys));
      const options = { customers: CUSTOMERS, atEnd };
      const inMemory = await runHistory(seed, options);
      const onRedis = await runHistory(seed, {
        ...options,
        openStore: (clock) => inVirtualTime(redis, clock),
      });
      const [one = [], other = []] = content;
      if (inMemory.hash !== onRedis.hash) different.push(`seed ${seed}: another history`);
      for (const line of one)
        if (!other.includes(line)) different.push(`seed ${seed}: only in memory: ${line.slice(0, 100)}`);
      for (const line of other)
        if (!one.includes(line)) different.push(`seed ${seed}: only on Redis: ${line.slice(0, 100)}`);
      await connection.client.call('FLUSHALL');
    }
  } finally {
    await connection.close();
    await server.stop();
  }
  return different;
}
