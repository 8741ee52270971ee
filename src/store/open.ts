import type { Observe } from '../observe.ts';
import type { Feed } from './feed.ts';
import { createMemoryFeed } from './memory/feed.ts';
import { openMemoryQuota } from './memory/quota.ts';
import { createMemoryStore } from './memory/store.ts';
import type { OpenQuota } from './quota.ts';
import type { RedisAddress } from './redis/address.ts';
import { connectRedis } from './redis/client.ts';
import { createRedisFeed } from './redis/feed.ts';
import { createRedisQuotas } from './redis/quota.ts';
import { createRedisStore } from './redis/store.ts';
import type { ConversationStore, StoreOptions } from './store.ts';

/** All that outlives a turn, port by port. */
export type Stores = {
  readonly store: ConversationStore;
  readonly feed: Feed;
  readonly openQuota: OpenQuota;
  close(): Promise<void>;
};

/** Opens a Redis, or the embedded store, which ends with this process. */
export async function openStores(
  redis: { readonly address: RedisAddress; readonly waitReplicas: number } | undefined,
  options: StoreOptions = {},
  observe: Pick<Observe, 'log' | 'claim' | 'command'>,
): Promise<Stores> {
  if (redis === undefined) {
    const [store, feed] = [createMemoryStore(options), createMemoryFeed()];
    const close = async () => void (await Promise.all([store.close(), feed.close()]));
    return { store, feed, openQuota: openMemoryQuota, close };
  }
  const client = await connectRedis(redis.address, observe.log, { onCommand: observe.command });
  const store = createRedisStore(client, {
    ...options,
    waitReplicas: redis.waitReplicas,
    onClaim: observe.claim,
  });
  const feed = createRedisFeed(client);
  return {
    store,
    feed,
    openQuota: createRedisQuotas(client),
    async close() {
      await Promise.all([store.close(), feed.close()]);
      await client.close();
    },
  };
}
