import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Child, killChild } from './children.ts';
import { freePort } from './ports.ts';
import { startRedisProxy } from './proxy.ts';
import { type RedisServer, runRedis, startRedis, until } from './redis.ts';

/** A master and its replica behind one address, as a managed Redis, a virtual IP or a DNS name has them. */
export async function startRedisPair() {
  let { master, replica } = await startReplicated();
  const proxy = await startRedisProxy(master.port);
  return {
    url: proxy.url,
    proxy,
    get master() {
      return master;
    },
    get replica() {
      return replica;
    },
    /**
     * Swaps them without losing a write. Connections stay with the old master; new ones go to the promoted.
     */
    async failOver(): Promise<void> {
      [master, replica] = [replica, master];
      await asAdmin(replica, (admin) => admin.call('FAILOVER'));
      await until(async () => (await roleOf(master)) === 'master' && (await roleOf(replica)) === 'slave');
      proxy.switchTo(master.port);
      await isFollowed(master);
    },
    async stop() {
      await proxy.stop();
      await Promise.all([master.stop(), replica.stop()]);
    },
  };
}

const NAME = 'conversations';
/** So long a master is silent before the sentinels take it for dead. */
const SILENCE_MS = 1000;

export async function startRedisSentinels() {
  const { master: first, replica } = await startReplicated();
  const dir = await mkdtemp(join(tmpdir(), 'sentinel-'));
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const sentinels = await Promise.all(ports.map((port) => launchSentinel(dir, port, first.port)));
  const allSay = (pattern: RegExp) =>
    until(async () => (await Promise.all(ports.map(viewOf))).every((view) => pattern.test(view)));
  await allSay(/status=ok,.*slaves=1,sentinels=3/);

  async function master(): Promise<RedisServer> {
    const view = await viewOf(ports[0] ?? 0);
    const server = [first, replica].find(({ port }) => view.includes(`:${port},`));
    if (server === undefined) throw new Error(`the sentinels know another master: ${view}`);
    return server;
  }

  async function promotedOver(old: RedisServer): Promise<RedisServer> {
    await allSay(new RegExp(`address=127.0.0.1:(?!${old.port},)`));
    const promoted = await master();
    await until(async () => (await roleOf(promoted)) === 'master');
    return promoted;
  }

  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    /** The master of the beginning and its replica. */
    servers: [first, replica] as const,
    sentinelPorts: ports,
    master,
    /**
     * The sentinels promote the replica. The old master goes on for ten seconds and more as if nothing had
     * happened.
     */
    async failOver(): Promise<void> {
      const old = await master();
      // Right after another failover they do not believe in the replica yet: NOGOODSLAVE.
      const ask = () => asAdmin({ port: ports[0] ?? 0 }, (admin) => admin.call('SENTINEL', 'FAILOVER', NAME));
      await until(() =>
        ask()
          .then(Boolean)
          .catch(() => false),
      );
      await promotedOver(old);
    },
    /** Resolves when the sentinels have promoted another than this, which a test has killed or stopped. */
    promotedOver,
    async stop() {
      await Promise.all(sentinels.map(killChild));
      await Promise.all([first.stop(), replica.stop()]);
    },
  };
}

/**
 * A sentinel rewrites its configuration, so it has a file of its own. It is the same program as redis-server.
 */
async function launchSentinel(dir: string, port: number, masterPort: number): Promise<Child> {
  const file = join(dir, `${port}.conf`);
  const lines = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`],
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${SILENCE_MS}`,
    `sentinel failover-timeout ${NAME} 10000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return runRedis([file, '--sentinel'], 'Sentinel ID is');
}

/** A sentinel's view of the master: `…status=ok,address=127.0.0.1:PORT,slaves=1,sentinels=3`. */
const viewOf = (port: number): Promise<string> => asAdmin({ port }, (admin) => admin.info('sentinel'));

async function startReplicated() {
  const master = await startRedis();
  const replica = await startRedis('--replicaof', '127.0.0.1', `${master.port}`);
  await isFollowed(master);
  return { master, replica };
}

/** Resolves when a replica has all that its master has, and goes on to get it. */
const isFollowed = (master: RedisServer): Promise<void> =>
  asAdmin(master, (admin) => until(async () => /state=online/.test(await admin.info('replication'))));

const roleOf = (server: RedisServer): Promise<string> =>
  asAdmin(server, async (admin) => /^role:(\w+)/m.exec(await admin.info('replication'))?.[1] ?? '');

export async function asAdmin<T>(
  { port }: { readonly port: number },
  work: (admin: Redis) => Promise<T>,
): Promise<T> {
  const admin = new Redis(port, '127.0.0.1');
  return work(admin).finally(() => admin.disconnect());
}
