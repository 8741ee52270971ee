import { type Key, type RecordStore, shardOf } from '../../src/store/port.ts';
import { connectRedis } from '../../src/store/redis/connection.ts';
import { createRedisRecords } from '../../src/store/redis/records.ts';
import { addressOf, startRedis } from '../support/redis.ts';
import { listAll } from './checks.ts';
import type { Clock } from './clock.ts';
import { runHistory } from './history.ts';

/** Small histories: each of their commands is a trip to Redis. */
const CUSTOMERS = 6;
const MOST = 10_000;

/** Redis in virtual time: it answers the time of the history's clock, which stops while Redis works. */
function inVirtualTime(store: RecordStore, clock: Clock): RecordStore {
  /** Index and shard pairs that ever had an entry. */
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

/** The content of a store: records, byte for byte, and index entries. */
async function contentOf(store: RecordStore, keys: ReadonlySet<Key>): Promise<string[]> {
  const content = (await listAll(store)).map(({ index, member, score }) => `${index} ${member} ${score}`);
  for (const key of keys) {
    const { bytes } = await store.read(key);
    content.push(`${key} ${bytes === null ? 'none' : Buffer.from(bytes).toString('hex')}`);
  }
  return content.sort();
}

/**
 * Runs the same histories in memory and on a new Redis. Resolves to the differences, one line each, of
 * events and of stored records.
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
      const run = async (openStore?: (clock: Clock) => RecordStore): Promise<string[]> => {
        const content: string[] = [];
        const atEnd = async (store: RecordStore, keys: ReadonlySet<Key>) =>
          void content.push(...(await contentOf(store, keys)));
        const { hash } = await runHistory(seed, {
          customers: CUSTOMERS,
          atEnd,
          ...(openStore && { openStore }),
        });
        return [`the history ${hash}`, ...content];
      };
      const inMemory = new Set(await run());
      const onRedis = new Set(await run((clock) => inVirtualTime(redis, clock)));
      for (const line of inMemory.symmetricDifference(onRedis))
        different.push(
          `seed ${seed}: ${inMemory.has(line) ? 'in memory' : 'on Redis'}: ${line.slice(0, 100)}`,
        );
      await connection.client.call('FLUSHALL');
    }
  } finally {
    await connection.close();
    await server.stop();
  }
  return different;
}
