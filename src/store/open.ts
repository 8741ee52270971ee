import { realWorld } from '../engine/world.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Canary } from './encryption.ts';
import { createMemoryFeed, createMemoryStore } from './memory.ts';
import type { Feed, RecordStore } from './port.ts';
import type { RedisAddress } from './redis/address.ts';
import { connectRedis } from './redis/connection.ts';
import { RedisFeed } from './redis/feed.ts';
import { createRedisRecords } from './redis/records.ts';

export type OpenStore = { readonly records: RecordStore; readonly feed: Feed; close(): Promise<void> };

/**
 * Opens a Redis, or the memory of this process. Rejects with `StoreRefused` if the Redis is not for our keys.
 */
export async function openStore(
  redis: { readonly address: RedisAddress; readonly waitReplicas: number } | undefined,
  canary: Canary,
  observe: Pick<Observe, 'log' | 'command' | 'memory'>,
): Promise<OpenStore> {
  if (redis === undefined) {
    const feed = createMemoryFeed();
    return { records: createMemoryStore(realWorld), feed, close: () => feed.close() };
  }
  const connection = await connectRedis(redis.address, {
    canary,
    log: observe.log,
    onCommand: observe.command,
  });
  const feed = new RedisFeed(connection);
  return {
    records: createRedisRecords(connection, { ...redis, onMemory: observe.memory }),
    feed,
    async close() {
      await feed.close();
      connection.close();
    },
  };
}
