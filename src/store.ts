import type { Config } from './config.ts';
import type { Log } from './observe.ts';
import type { Feed } from './turns/feed.ts';
import type { Mailbox, MailboxOptions } from './turns/mailbox.ts';
import { createMemoryFeed } from './turns/memory/feed.ts';
import { createMemoryMailbox } from './turns/memory/mailbox.ts';
import { createMemoryRegistrations } from './turns/memory/registrations.ts';
import { connectRedis } from './turns/redis/client.ts';
import { createRedisFeed } from './turns/redis/feed.ts';
import { createRedisMailbox } from './turns/redis/mailbox.ts';
import { createRedisRegistrations } from './turns/redis/registrations.ts';
import type { Registrations } from './turns/registrations.ts';

/** Where conversations are kept, by the ports of `turns/`. */
export type Store = {
  readonly mailbox: Mailbox;
  readonly feed: Feed;
  readonly registrations: Registrations;
  close(): Promise<void>;
};

/** Opens the store of the configuration: Redis, or the embedded one, which ends with this process. */
export async function openStore({ redis }: Config, options: MailboxOptions = {}, log: Log): Promise<Store> {
  if (!redis) {
    const [mailbox, feed] = [createMemoryMailbox(options), createMemoryFeed()];
    const registrations = createMemoryRegistrations();
    const close = async () => void (await Promise.all([mailbox.close(), feed.close()]));
    return { mailbox, feed, registrations, close };
  }
  const client = await connectRedis(redis.address, log);
  const mailbox = createRedisMailbox(client, { ...options, waitReplicas: redis.waitReplicas });
  const feed = createRedisFeed(client);
  return {
    mailbox,
    feed,
    registrations: createRedisRegistrations(client),
    async close() {
      await Promise.all([mailbox.close(), feed.close()]);
      await client.close();
    },
  };
}
