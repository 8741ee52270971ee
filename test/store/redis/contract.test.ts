import { Cluster } from 'ioredis';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Log } from '../../../src/observe.ts';
import type { FeedOptions } from '../../../src/store/feed.ts';
import { connectRedis, type RedisConnection } from '../../../src/store/redis/connection.ts';
import { createRedisFeed } from '../../../src/store/redis/feed.ts';
import { createRedisQuotas } from '../../../src/store/redis/quota.ts';
import { namer } from '../../../src/store/redis/records.ts';
import { feedContract } from '../../contract/feed.ts';
import { quotaContract } from '../../contract/quota.ts';
import { addressOf, startRedis, startRedisCluster } from '../../support/redis.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

for (const [name, start] of [
  ['Redis', startRedis],
  ['Redis Cluster', startRedisCluster],
] as const) {
  let server: { readonly url: string; stop(): Promise<void> };
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());
  const connect = () => connectRedis(addressOf(server.url), silent);

  /** A fresh store: everything is gone; each process has connections of its own. */
  async function fresh<Part extends { close(): Promise<void> }, Options>(
    create: (client: RedisConnection, options: Options) => Part,
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
    const { commands } = first;
    const nodes = commands instanceof Cluster ? commands.nodes('master') : [commands];
    await Promise.all(nodes.map((node) => node.flushall()));
    await first.close();
    const close = async (): Promise<void> => {
      for (const one of opened) await one.close();
    };
    return { another, close, part: await another() };
  }

  feedContract(name, async (options) => {
    const { part, ...rest } = await fresh(
      (client, over: FeedOptions) => createRedisFeed({ ...client, nameOf: namer(client, 'f') }, over),
      options,
    );
    return { feed: part, ...rest };
  });

  quotaContract(name, async (quota, perSecond) => {
    const open = async () => {
      const client = await connect();
      onTestFinished(() => client.close());
      return createRedisQuotas({ ...client, nameOf: namer(client, 'p') })(quota, perSecond);
    };
    return { one: await open(), other: await open() };
  });
}
