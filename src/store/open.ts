import { realWorld } from '../engine/world.ts';
import type { Observe } from '../observability/metrics.ts';
import { createMemoryFeed, type Feed } from './feed.ts';
import { createMemoryStore } from './memory.ts';
import type { RecordStore } from './port.ts';
import { createSharedQuotas, type OpenQuota, openMemoryQuota } from './quota.ts';
import type { RedisAddress } from './redis/address.ts';
import { connectRedis, type Word } from './redis/connection.ts';
import { createRedisRecords, storedName } from './redis/records.ts';
import { createRedisFeed } from './redis/subscriber.ts';

/** All that outlives a turn: records, what is told, what is counted. */
export type OpenStore = {
  readonly records: RecordStore;
  readonly feed: Feed;
  readonly openQuota: OpenQuota;
  close(): Promise<void>;
};

/**
 * Opens a Redis, or the embedded store, which ends with this process. Rejects with `StoreRefused` where the Redis is not for
 * this process.
 */
export async function openStore(
  redis: { readonly address: RedisAddress; readonly waitReplicas: number } | undefined,
  word: Word,
  observe: Pick<Observe, 'log' | 'command'>,
): Promise<OpenStore> {
  if (redis === undefined) {
    const [records, feed] = [createMemoryStore(realWorld), createMemoryFeed()];
    return { records, feed, openQuota: openMemoryQuota, close: () => feed.close() };
  }
  const connection = await connectRedis(redis.address, observe.log, { word, onCommand: observe.command });
  const records = createRedisRecords(connection, redis);
  const feed = createRedisFeed(connection);
  return {
    records,
    feed,
    openQuota: createSharedQuotas((name, args) => connection.run('quota', [storedName(`p:${name}`)], args)),
    async close() {
      await feed.close();
      await connection.close();
    },
  };
}
