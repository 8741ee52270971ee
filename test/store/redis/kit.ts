import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Log } from '../../../src/observe.ts';
import type { Feed } from '../../../src/store/feed.ts';
import { connectRedis, type RedisClient } from '../../../src/store/redis/client.ts';
import { createRedisFeed } from '../../../src/store/redis/feed.ts';
import { createRedisStore, type RedisStoreOptions } from '../../../src/store/redis/store.ts';
import type { ConversationStore } from '../../../src/store/store.ts';
import { type RedisProxy, startRedisProxy } from '../../support/proxy.ts';
import { addressOf, type RedisServer, startRedis } from '../../support/redis.ts';

/** A log that keeps its lines. */
export function memoryLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: object, message: string): void => {
    lines.push(`${JSON.stringify(fields)} ${message}`);
  };
  return { lines, debug: keep, info: keep, warn: keep, error: keep };
}

/** Something that is stopped when the test has finished. */
export function stopAtEnd<Part extends { stop(): Promise<void> }>(part: Part): Part {
  onTestFinished(() => part.stop());
  return part;
}

export const ownRedis = async (...settings: string[]): Promise<RedisServer> =>
  stopAtEnd(await startRedis(...settings));

export const ownProxy = async (port: number): Promise<RedisProxy> => stopAtEnd(await startRedisProxy(port));

/** A process with connections and a store of its own. */
export async function openProcess(
  url: string,
  options: RedisStoreOptions = {},
  log: Log = memoryLog(),
): Promise<{ client: RedisClient; store: ConversationStore }> {
  const client = await connectRedis(addressOf(url), log);
  const store = createRedisStore(client, options);
  onTestFinished(async () => {
    await store.close();
    await client.close();
  });
  return { client, store };
}

export function openFeed(client: RedisClient): Feed {
  const feed = createRedisFeed({ ...client, nameOf: (name) => client.keys().feed(name) });
  onTestFinished(() => feed.close());
  return feed;
}

/** A connection that asks Redis itself, whatever becomes of it. */
export function adminOf({ port }: Pick<RedisServer, 'port'>): Redis {
  const admin = new Redis(port).on('error', () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** A hash tag of the layout that this process goes by. */
export const tagOf = (client: RedisClient): string => client.keys().due(7).replace('due', '');
