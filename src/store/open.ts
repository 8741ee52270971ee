import type { Observe } from '../observe.ts';
import type { Feed } from './feed.ts';
import { createMemoryFeed } from './memory/feed.ts';
import { createMemoryMailbox } from './memory/mailbox.ts';
import { openMemoryQuota } from './memory/quota.ts';
import { createMemoryRegistrations } from './memory/registrations.ts';
import type { OpenQuota } from './quota.ts';
import type { RedisAddress } from './redis/address.ts';
import { connectRedis } from './redis/client.ts';
import { createRedisFeed } from './redis/feed.ts';
import { createRedisMailbox } from './redis/mailbox.ts';
import { createRedisQuotas } from './redis/quota.ts';
import { createRedisRegistrations } from './redis/registrations.ts';
import type { Registrations } from './registrations.ts';
import type { ConversationStore, StoreOptions } from './store.ts';

/** Where conversations are kept, port by port. */
export type Store = {
  readonly mailbox: ConversationStore;
  readonly feed: Feed;
  readonly registrations: Registrations;
  readonly openQuota: OpenQuota;
  close(): Promise<void>;
};

/** Opens a Redis, or the embedded store, which ends with this process. */
export async function openStore(
  redis: { readonly address: RedisAddress; readonly waitReplicas: number } | undefined,
  options: StoreOptions = {},
  observe: Pick<Observe, 'log' | 'claim' | 'command'>,
): Promise<Store> {
  if (redis === undefined) {
    const [mailbox, feed] = [createMemoryMailbox(options), createMemoryFeed()];
    const registrations = createMemoryRegistrations();
    const close = async () => void (await Promise.all([mailbox.close(), feed.close()]));
    return { mailbox, feed, registrations, openQuota: openMemoryQuota, close };
  }
  const client = await connectRedis(redis.address, observe.log, { onCommand: observe.command });
  const mailbox = createRedisMailbox(client, {
    ...options,
    waitReplicas: redis.waitReplicas,
    onClaim: observe.claim,
  });
  const feed = createRedisFeed(client);
  return {
    mailbox,
    feed,
    registrations: createRedisRegistrations(client),
    openQuota: createRedisQuotas(client),
    async close() {
      await Promise.all([mailbox.close(), feed.close()]);
      await client.close();
    },
  };
}
