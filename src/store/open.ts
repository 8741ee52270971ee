import { realWorld } from '../engine/world.ts';
import type { Observe } from '../observe.ts';
import type { Feed } from './feed.ts';
import type { KeyChecks } from './key-checks.ts';
import { createMemoryFeed } from './memory/feed.ts';
import { openMemoryQuota } from './memory/quota.ts';
import { createMemoryStore } from './memory/store.ts';
import { createMemoryStore as createMemoryRecords } from './memory.ts';
import type { RecordStore } from './port.ts';
import type { OpenQuota } from './quota.ts';
import type { RedisAddress } from './redis/address.ts';
import { connectRedis } from './redis/client.ts';
import { connectRedis as connect } from './redis/connection.ts';
import { createRedisFeed } from './redis/feed.ts';
import type { Word } from './redis/opening.ts';
import { createRedisQuotas } from './redis/quota.ts';
import { createRedisRecords, namer } from './redis/records.ts';
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
  checks: KeyChecks,
  options: StoreOptions = {},
  observe: Pick<Observe, 'log' | 'claim' | 'command'>,
): Promise<Stores> {
  if (redis === undefined) {
    const [store, feed] = [createMemoryStore(options), createMemoryFeed()];
    const close = async () => void (await Promise.all([store.close(), feed.close()]));
    return { store, feed, openQuota: openMemoryQuota, close };
  }
  const client = await connectRedis(redis.address, observe.log, {
    onCommand: observe.command,
    checks,
  });
  const store = createRedisStore(client, {
    ...options,
    waitReplicas: redis.waitReplicas,
    onClaim: observe.claim,
  });
  const feed = createRedisFeed({ ...client, nameOf: (conversation) => client.keys().feed(conversation) });
  return {
    store,
    feed,
    openQuota: createRedisQuotas({ ...client, nameOf: (name) => client.keys().quota(name) }),
    async close() {
      await Promise.all([store.close(), feed.close()]);
      await client.close();
    },
  };
}

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
export async function openRecords(
  redis: { readonly address: RedisAddress; readonly waitReplicas: number } | undefined,
  keys: Word,
  observe: Pick<Observe, 'log' | 'command'>,
): Promise<OpenStore> {
  if (redis === undefined) {
    const [records, feed] = [createMemoryRecords({ clock: realWorld }), createMemoryFeed()];
    return { records, feed, openQuota: openMemoryQuota, close: () => feed.close() };
  }
  const connection = await connect(redis.address, observe.log, { keys, onCommand: observe.command });
  const records = createRedisRecords(connection, redis);
  const feed = createRedisFeed({ ...connection, nameOf: namer(connection, 'f') });
  return {
    records,
    feed,
    openQuota: createRedisQuotas({ ...connection, nameOf: namer(connection, 'p') }),
    async close() {
      await Promise.all([records.close(), feed.close()]);
      await connection.close();
    },
  };
}
