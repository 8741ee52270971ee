import { Cluster } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import type { Log } from '../../../src/observe.ts';
import { connectRedis } from '../../../src/store/redis/connection.ts';
import { createRedisRecords } from '../../../src/store/redis/records.ts';
import { recordsContract } from '../../contract/records.ts';
import { startRedisSentinels } from '../../support/failover.ts';
import { addressOf, startRedis, startRedisCluster } from '../../support/redis.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

for (const [name, start] of [
  ['Redis', startRedis],
  ['Redis Sentinel', startRedisSentinels],
  ['Redis Cluster', startRedisCluster],
] as const) {
  let server: { readonly url: string; stop(): Promise<void> };
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  recordsContract(name, async () => {
    const opened: { close(): Promise<void> }[] = [];
    /** Each process has connections of its own. */
    const open = async () => {
      const connection = await connectRedis(addressOf(server.url), silent);
      const store = createRedisRecords(connection);
      opened.push(store, connection);
      return { connection, store };
    };
    const { connection, store } = await open();
    const { commands } = connection;
    const nodes = commands instanceof Cluster ? commands.nodes('master') : [commands];
    await Promise.all(nodes.map((node) => node.flushall()));
    return {
      store,
      another: async () => (await open()).store,
      async close() {
        for (const one of opened) await one.close();
      },
    };
  });
}
