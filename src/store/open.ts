import type { Observe } from '../observability/metrics.ts';
import { systemRuntime } from '../runtime.ts';
import type { Canary } from './encryption.ts';
import { PolledFeed } from './feed.ts';
import { createMemoryFeed, createMemoryStore } from './memory.ts';
import type { Feed, RecordStore } from './port.ts';
import type { RedisAddress } from './redis/address.ts';

type OpenStore = { readonly records: RecordStore; readonly feed: Feed; close(): Promise<void> };

/**
 * How long a reader of a feed waits at most for what another process publishes. It learns at
 * once what this process publishes. A subscription to Redis would take one more connection for each process.
 */
const POLL_MS = 250;

/** Opens a Redis, or memory. Rejects with `StoreRefused` if our keys do not fit. */
export async function openStore(
  redis: { readonly address: RedisAddress; readonly waitReplicas: number } | undefined,
  canary: Canary,
  { alarm, log, command: onCommand, memory: onMemory }: Pick<Observe, 'alarm' | 'log' | 'command' | 'memory'>,
): Promise<OpenStore> {
  if (redis === undefined) {
    const feed = createMemoryFeed();
    return { records: createMemoryStore(systemRuntime), feed, close: () => feed.close() };
  }
  // Loaded only if it is used: ioredis takes some megabytes.
  const [{ connectRedis }, { createRedisLog }, { createRedisRecords }] = await Promise.all([
    import('./redis/connection.ts'),
    import('./redis/feed.ts'),
    import('./redis/records.ts'),
  ]);
  const onEmptied = () => alarm('store_emptied', {});
  const options = { canary, log, onCommand, onEmptied, runtime: systemRuntime };
  const connection = await connectRedis(redis.address, options);
  const feed = new PolledFeed(createRedisLog(connection), { runtime: systemRuntime, pollMs: POLL_MS });
  return {
    records: createRedisRecords(connection, { ...redis, onMemory }),
    feed,
    async close() {
      await feed.close();
      connection.close();
    },
  };
}
