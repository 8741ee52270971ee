import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { systemRuntime } from '../../../src/runtime.ts';
import { PolledFeed } from '../../../src/store/feed.ts';
import { ASIDE_MS, asideOf, type Feed, shardOf } from '../../../src/store/port.ts';
import { connectRedis, type RedisConnection } from '../../../src/store/redis/connection.ts';
import { createRedisLog } from '../../../src/store/redis/feed.ts';
import { createRedisRecords, storedName } from '../../../src/store/redis/records.ts';
import { feedContract } from '../../contract/feed.ts';
import { recordsContract } from '../../contract/records.ts';
import { compareWithRedis } from '../../simulator/redis.ts';
import { startRedisSentinels } from '../../support/failover.ts';
import { addressOf, startRedis, startRedisCluster } from '../../support/redis.ts';
import { ANY, memoryLog } from './kit.ts';

for (const [name, start] of [
  ['Redis', startRedis],
  ['Redis Sentinel', startRedisSentinels],
  ['Redis Cluster', startRedisCluster],
] as const) {
  let server: { readonly url: string; stop(): Promise<void> };
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  /** Parts of processes that have connections of their own; everything is gone at first. */
  async function fresh<Part>(create: (connection: RedisConnection) => Part) {
    const opened: RedisConnection[] = [];
    const another = async (): Promise<Part> => {
      const connection = await connectRedis(addressOf(server.url), { log: memoryLog(), canary: ANY });
      opened.push(connection);
      return create(connection);
    };
    // A process that is there while its Redis is emptied says so in its health.
    const before = await connectRedis(addressOf(server.url), { log: memoryLog(), canary: ANY });
    const { client } = before;
    const nodes = client instanceof Cluster ? client.nodes('master') : [client];
    await Promise.all(nodes.map((node) => node?.flushall()));
    await before.close();
    const part = await another();
    const close = async (): Promise<void> => {
      for (const store of opened) await store.close();
    };
    return { part, another, close };
  }

  recordsContract(name, async () => {
    const { part, ...rest } = await fresh((connection) => createRedisRecords(connection));
    return { store: part, ...rest };
  });

  feedContract(name, async (feedMs) => {
    const feeds: Feed[] = [];
    const { part, another, close } = await fresh((connection) => {
      const log = createRedisLog(connection, feedMs);
      const feed = new PolledFeed(log, { runtime: systemRuntime, pollMs: 50 });
      feeds.push(feed);
      return feed;
    });
    return {
      feed: part,
      another,
      async close() {
        for (const feed of feeds) await feed.close();
        await close();
      },
    };
  });
}

it('Redis drops from the index of broken records what has expired', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const connection = await connectRedis(addressOf(server.url), { log: memoryLog(), canary: ANY });
  onTestFinished(() => void connection.close());
  const store = createRedisRecords(connection);
  const key = 'c:name';
  const index = storedName(key).replace('c:name', 'broken');
  await connection.client.zadd(
    index,
    Date.now() - ASIDE_MS - 60_000,
    'gone',
    Date.now() - ASIDE_MS / 2,
    'kept',
  );
  const stump = Buffer.from('stump');
  const swap = { ttlMs: 60_000, indexes: [] };
  await store.compareAndSwap(key, { ...swap, expected: null, bytes: stump });
  await store.compareAndSwap(key, { ...swap, expected: stump, bytes: null, aside: true });
  const { entries } = await store.list('broken', { shard: shardOf(key), upTo: 'ever', limit: 9 });
  expect(entries.map(({ member }) => member)).toEqual(['kept', asideOf(key, stump)]);
});

/** `npm run simulate -- --redis` does the same for other seeds. */
it('a simulated history is the same in memory and on Redis', async () => {
  expect(await compareWithRedis([1, 2, 76])).toMatchObject({ histories: 3, different: [] });
});
