import { Redis } from 'ioredis';
import { startRedisPair, startRedisSentinels } from '../../support/failover.ts';
import { ENV, ownRedis, type Row, type Stage } from '../../support/faults-rows.ts';
import { freePort } from '../../support/ports.ts';
import { startRedisProxy } from '../../support/proxy.ts';
import { type RedisServer, startRedis, startRedisCluster, until } from '../../support/redis.ts';

/** The store half alive. */

async function asAdmin<T>({ url }: Pick<RedisServer, 'url'>, work: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(url);
  return work(admin).finally(() => admin.disconnect());
}

/** What befalls the one server of a store, and how it is cured. */
type Mishap = {
  begin(redis: RedisServer): Promise<unknown>;
  end(redis: RedisServer): Promise<unknown>;
};

const setting = (name: string, value: string, cure: string): Mishap => ({
  begin: (redis) => asAdmin(redis, (admin) => admin.config('SET', name, value)),
  end: (redis) => asAdmin(redis, (admin) => admin.config('SET', name, cure)),
});

/** Longer than it takes to see what readiness says. */
const PAUSE_MS = 9000;

const MISHAPS: readonly (Mishap & Pick<Row, 'name' | 'isSample'>)[] = [
  { name: 'Redis is at its maxmemory', isSample: true, ...setting('maxmemory', '1mb', '0') },
  { name: 'Redis has too few replicas to write', ...setting('min-replicas-to-write', '1', '0') },
  {
    name: 'the append-only file of Redis cannot be written',
    begin: (redis) => redis.fillDisk(),
    end: (redis) => redis.freeDisk(),
  },
  {
    name: 'Redis is paused by CLIENT PAUSE',
    begin: (redis) => asAdmin(redis, (admin) => admin.call('CLIENT', 'PAUSE', PAUSE_MS, 'ALL')),
    end: (redis) => asAdmin(redis, (admin) => admin.ping()),
  },
  {
    name: 'Redis is stopped by SIGSTOP',
    begin: async ({ pid }) => process.kill(pid, 'SIGSTOP'),
    end: async ({ pid }) => process.kill(pid, 'SIGCONT'),
  },
];

const single: readonly Row[] = MISHAPS.map(({ name, isSample, begin, end }) => ({
  name,
  ready: 'refuses',
  isSample: isSample === true,
  async arrange(world, finish) {
    const redis = await ownRedis(finish);
    return {
      bots: async () => [await world.bot(redis.url, ENV)],
      begin: async () => begin(redis),
      end: () => end(redis),
      stores: () => [redis.url],
    };
  },
}));

const slow: Row = {
  name: 'Redis answers after 1.5 s',
  // Late, and yet in time for a message to be stored.
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await ownRedis(finish);
    const proxy = await startRedisProxy(redis.port);
    finish(() => proxy.stop());
    return {
      bots: async () => [await world.bot(proxy.url, ENV)],
      begin: async () => proxy.slow(1500),
      end: async () => proxy.slow(0),
      stores: () => [redis.url],
    };
  },
};

const pair: Row = {
  name: 'the replica behind the same address takes over',
  ready: 'recovers',
  isSample: true,
  async arrange(world, finish) {
    const redis = await startRedisPair();
    finish(() => redis.stop());
    return {
      bots: async () => [await world.bot(redis.url, ENV)],
      begin: async () => redis.failOver(),
      end: async () => {},
      stores: () => [redis.master.url],
    };
  },
};

/** The master dies while all is replicated: what it acknowledged is kept. */
const sentinel: Row = {
  name: 'sentinels promote the replica of a dead master',
  ready: 'recovers',
  async arrange(world, finish) {
    const redis = await startRedisSentinels();
    finish(() => redis.stop());
    const [old] = redis.servers;
    let promoted: RedisServer = old;
    return {
      bots: async () => [await world.bot(redis.url, ENV)],
      async begin() {
        await old.kill();
        promoted = await redis.promotedOver(old);
      },
      async end() {
        await old.start();
        await redis.rejoined();
      },
      stores: () => [promoted.url],
    };
  },
};

/** One of three masters is gone, and nobody has its slots. */
const masterGone: Row = {
  name: 'one master of a cluster is gone',
  ready: 'degraded',
  async arrange(world, finish) {
    const { cluster, first } = await clusterOf(finish);
    for (const node of cluster.nodes)
      await asAdmin(node, (admin) => admin.config('SET', 'cluster-require-full-coverage', 'no'));
    return {
      bots: async () => [await world.bot(cluster.url, ENV)],
      begin: async () => first.kill(),
      end: () => first.start(),
      stores: () => cluster.nodes.map(({ url }) => url),
    };
  },
};

const clusterFailover: Row = {
  name: 'a replica of a cluster takes over from a dead master',
  ready: 'recovers',
  async arrange(world, finish): Promise<Stage> {
    const { cluster, first } = await clusterOf(finish);
    const busPort = await freePort();
    const replica = await startRedis(
      ...['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`, '--cluster-node-timeout', '2000'],
    );
    finish(() => replica.stop());
    const id = await asAdmin(first, async (admin) => String(await admin.call('CLUSTER', 'MYID')));
    const nodes = (admin: Redis) => admin.call('CLUSTER', 'NODES').then(String);
    const meet = [first.port, busOf(await asAdmin(first, nodes))];
    await asAdmin(replica, async (admin) => {
      await admin.call('CLUSTER', 'MEET', '127.0.0.1', ...meet);
      await until(async () => (await nodes(admin)).includes(id));
      await until(() =>
        admin.call('CLUSTER', 'REPLICATE', id).then(
          () => true,
          () => false,
        ),
      );
      await until(async () => /master_link_status:up/.test(await admin.info('replication')));
    });
    for (const node of cluster.nodes)
      await asAdmin(node, (admin) => until(async () => /slave /.test(await nodes(admin))));
    return {
      bots: async () => [await world.bot(cluster.url, ENV)],
      async begin() {
        await first.kill();
        await asAdmin(replica, (admin) =>
          until(async () => /role:master/.test(await admin.info('replication'))),
        );
      },
      end: () => first.start(),
      stores: () => [...cluster.nodes.filter((node) => node !== first), replica].map(({ url }) => url),
    };
  },
};

/** Where a node of a cluster listens for the others, by its own list: `<id> <host>:<port>@<bus port> myself,… …`. */
const busOf = (nodes: string): string => /@(\d+)\S* myself/.exec(nodes)?.[1] ?? '';

async function clusterOf(finish: Parameters<Row['arrange']>[1]) {
  const cluster = await startRedisCluster();
  finish(() => cluster.stop());
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('a cluster has nodes');
  return { cluster, first };
}

export const stores: readonly Row[] = [...single, slow, pair, sentinel, masterGone, clusterFailover];
