import { type RecordStore, shardOf } from '../../src/store/port.ts';
import { connectRedis } from '../../src/store/redis/connection.ts';
import { createRedisRecords } from '../../src/store/redis/records.ts';
import { addressOf, startRedis } from '../support/redis.ts';
import { listAll } from './checks.ts';
import type { Clock } from './clock.ts';
import { type HistoryOptions, runHistory } from './history.ts';

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

type Trace = { readonly lines: Set<string>; readonly messages: number };

/** A history's hash, and what it leaves: records, byte for byte, and index entries. */
async function traceOf(seed: number, store?: Pick<HistoryOptions, 'openStore'>): Promise<Trace> {
  const lines = new Set<string>();
  const { hash, messages } = await runHistory(seed, {
    customers: CUSTOMERS,
    ...store,
    async atEnd(left, keys) {
      for (const { index, member, score } of await listAll(left)) lines.add(`${index} ${member} ${score}`);
      for (const key of keys) {
        const { bytes } = await left.read(key);
        lines.add(`${key} ${bytes && Buffer.from(bytes).toString('hex')}`);
      }
    },
  });
  return { lines: lines.add(`the history ${hash}`), messages };
}

/** `different`: what differs, one line each, of events and of stored records. */
type Comparison = {
  readonly histories: number;
  readonly messages: number;
  readonly different: readonly string[];
};

/**
 * Runs the same histories in memory and on a new Redis, one per seed, until customers have sent
 * `maxMessages` messages.
 */
export async function compareWithRedis(
  seeds: Iterable<number>,
  maxMessages = Number.POSITIVE_INFINITY,
): Promise<Comparison> {
  const server = await startRedis('--appendonly', 'no', '--save', '');
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  // Any store is good for this process.
  const canary = (value: string | null) => value ?? 'simulator';
  const connection = await connectRedis(addressOf(server.url), { log, canary });
  const different: string[] = [];
  let histories = 0;
  let messages = 0;
  try {
    const redis = createRedisRecords(connection);
    for (const seed of seeds) {
      const inMemory = await traceOf(seed);
      const onRedis = await traceOf(seed, { openStore: (clock) => inVirtualTime(redis, clock) });
      for (const line of inMemory.lines.symmetricDifference(onRedis.lines)) {
        const side = inMemory.lines.has(line) ? 'memory' : 'Redis';
        different.push(`seed ${seed}: ${side}: ${line.slice(0, 100)}`);
      }
      await connection.client.call('FLUSHALL');
      histories += 1;
      messages += inMemory.messages;
      if (messages >= maxMessages) break;
    }
  } finally {
    await connection.close();
    await server.stop();
  }
  return { histories, messages, different };
}
