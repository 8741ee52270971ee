import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Log } from '../../../src/observe.ts';
import type { FeedOptions } from '../../../src/store/feed.ts';
import { connectRedis, type RedisClient } from '../../../src/store/redis/client.ts';
import { createRedisFeed } from '../../../src/store/redis/feed.ts';
import { createRedisQuotas } from '../../../src/store/redis/quota.ts';
import { createRedisStore } from '../../../src/store/redis/store.ts';
import { feedContract } from '../../contract/feed.ts';
import { quotaContract } from '../../contract/quota.ts';
import { storeContract } from '../../contract/store.ts';
import { addressOf, startRedis, startRedisCluster } from '../../support/redis.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

for (const [name, start, overrides] of [
  ['Redis', startRedis, true],
  ['Redis without overrides', startRedis, false],
  ['Redis Cluster', startRedisCluster, false],
] as const) {
  let server: { readonly url: string; stop(): Promise<void> };
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());
  const connect = () => connectRedis(addressOf(server.url), silent, { overrides });

  /** A fresh store: everything is gone; each process has connections of its own. */
  async function fresh<Part extends { close(): Promise<void> }, Options>(
    create: (client: RedisClient, options: Options) => Part,
    options: Options,
  ) {
    const opened: { close(): Promise<void> }[] = [];
    const another = async (others: Options = options): Promise<Part> => {
      const client = await connect();
      const part = create(client, { ...options, ...others });
      opened.push(part, client);
      return part;
    };
    const first = await connect();
    await Promise.all(first.masters().map((node) => node.flushall()));
    await first.close();
    const close = async (): Promise<void> => {
      for (const one of opened) await one.close();
    };
    return { another, close, part: await another() };
  }

  storeContract(name, async (options) => {
    const { part, ...rest } = await fresh(createRedisStore, options);
    return { store: part, ...rest };
  });

  feedContract(name, async (options) => {
    const { part, ...rest } = await fresh(
      (client, over: FeedOptions) =>
        createRedisFeed({ ...client, nameOf: (name) => client.keys().feed(name) }, over),
      options,
    );
    return { feed: part, ...rest };
  });

  quotaContract(name, async (quota, perSecond) => {
    const open = async () => {
      const client = await connect();
      onTestFinished(() => client.close());
      return createRedisQuotas({ ...client, nameOf: (name) => client.keys().quota(name) })(quota, perSecond);
    };
    return { one: await open(), other: await open() };
  });
}
