import { realWorld } from '../engine/world.ts';
import type { Observe } from '../observability/metrics.ts';
import { createMemoryFeed, type Feed } from './feed.ts';
import { createMemoryStore } from './memory.ts';
import type { RecordStore } from './port.ts';
import type { RedisAddress } from './redis/address.ts';
import { connectRedis, type Word } from './redis/connection.ts';
import { createRedisRecords } from './redis/records.ts';
import { createRedisFeed } from './redis/subscriber.ts';

/** All that outlives a turn: records, and what is told. */
export type OpenStore = {
  readonly records: RecordStore;
  readonly feed: Feed;
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
    return { records, feed, close: () => feed.close() };
  }
  const connection = await connectRedis(redis.address, observe.log, { word, onCommand: observe.command });
  const records = createRedisRecords(connection, redis);
  const feed = createRedisFeed(connection);
  return {
    records,
    feed,
    async close() {
      await feed.close();
      await connection.close();
    },
  };
}
