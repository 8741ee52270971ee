import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { parseRedisUrl, type RedisAddress } from '../../src/store/redis/address.ts';
import { type Child, killChild, startChild } from './children.ts';
import { freePort } from './ports.ts';

export type RedisServer = Awaited<ReturnType<typeof startRedis>>;

/** What the bot makes of such a URL. */
export function addressOf(url: string): RedisAddress {
  const address = parseRedisUrl(url);
  if (address === null) throw new Error('no URL of a Redis');
  return address;
}

/** A redis-server in a directory of its own, as the README wants it (AOF, noeviction). */
export async function startRedis(...settings: string[]) {
  const dir = await mkdtemp(join(tmpdir(), 'redis-'));
  let { port, server } = await startAnywhere(dir, settings);
  const kill = () => killChild(server);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    /** Ends it at once, as a crash would; `start` brings it back with its data. */
    kill,
    async start(): Promise<void> {
      server = await launch(dir, port, settings);
    },
    /** It answers nothing until it goes on, as when a cable is pulled. */
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    /** From now on no file of its can grow, as on a full disk. Needs `appendfsync everysec`. */
    fillDisk: () => limitFiles(server, '1'),
    freeDisk: () => limitFiles(server, 'unlimited'),
    stop: kill,
  };
}

/** Three masters that share the slots and go on without each other, with a replica each where asked for. */
export async function startRedisCluster({ replicated = false } = {}) {
  const count = replicated ? 6 : 3;
  const busPorts = await Promise.all(Array.from({ length: count }, freePort));
  const all = await Promise.all(
    busPorts.map((port) =>
      startRedis(
        ...['--cluster-enabled', 'yes', '--cluster-port', `${port}`, '--cluster-node-timeout', '2000'],
        ...['--cluster-require-full-coverage', 'no'],
      ),
    ),
  );
  const [nodes, replicas] = [all.slice(0, 3), all.slice(3)];
  const clients = all.map(({ port }) => new Redis(port, '127.0.0.1'));
  const share = 16_384 / nodes.length;
  for (const [index, client] of clients.entries()) {
    const [from, to] = [Math.ceil(index * share), Math.ceil((index + 1) * share) - 1];
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    if (index < nodes.length) await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', all[index]?.port ?? 0, busPorts[index] ?? 0);
  }
  for (const client of clients)
    await until(async () => isWhole(String(await client.call('CLUSTER', 'INFO')), count));
  for (const [index, client] of clients.slice(3).entries()) {
    await client.call('CLUSTER', 'REPLICATE', String(await clients[index]?.call('CLUSTER', 'MYID')));
    await until(async () => /master_link_status:up/.test(await client.info('replication')));
  }
  for (const client of clients) client.disconnect();
  return {
    url: nodes.map(({ url }) => url).join(','),
    nodes,
    replicas,
    async stop() {
      await Promise.all(all.map((node) => node.stop()));
    },
  };
}

/** All slots are served and all nodes known. */
function isWhole(info: string, nodes: number): boolean {
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}`);
}

/** A port that is free now may be taken a moment later: then another one. */
async function startAnywhere(dir: string, settings: readonly string[]) {
  for (let attempt = 0; ; attempt++) {
    const port = await freePort();
    try {
      return { port, server: await launch(dir, port, settings) };
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** Resolves once the server has loaded its data and listens. */
function launch(dir: string, port: number, settings: readonly string[]): Promise<Child> {
  const args = [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--logfile', '', '--save', ''],
    ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
    ...['--repl-diskless-sync-delay', '0', ...settings],
  ];
  return runRedis(args, 'Ready to accept connections');
}

/** Runs redis-server; resolves once it has said `ready`. A write past a limit (`fillDisk`) fails, and does not kill. */
export async function runRedis(args: readonly string[], ready: string): Promise<Child> {
  const server = startChild('sh', ['-c', 'trap "" XFSZ; exec redis-server "$@"', 'sh', ...args]);
  server.stderr.pipe(process.stderr, { end: false });
  const lines: string[] = [];
  for await (const line of createInterface({ input: server.stdout })) {
    lines.push(line);
    if (!line.includes(ready)) continue;
    server.stdout.resume();
    return server;
  }
  throw new Error(`redis-server did not start:\n${lines.join('\n')}`);
}

/** Only the soft limit: whoever lowers the hard one cannot lift it again. */
async function limitFiles({ pid }: Child, bytes: string): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`]);
}

/** Where a server tells of a change only when asked. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20);
}

/** Everything that a Redis holds: keys and values, the parts of lists, hashes and sets each by itself. */
export async function dump(admin: Redis): Promise<Buffer[]> {
  const keys = await admin.keys('*');
  const values = await Promise.all(keys.map((key) => partsOf(admin, key)));
  return [...keys.map((key) => Buffer.from(key)), ...values.flat()];
}

/** What one key holds. */
async function partsOf(admin: Redis, key: string): Promise<Buffer[]> {
  switch (await admin.type(key)) {
    case 'string':
      return [(await admin.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'list':
      return admin.lrangeBuffer(key, 0, -1);
    case 'hash':
      return [...(await admin.hkeysBuffer(key)), ...(await admin.hvalsBuffer(key))];
    default:
      return admin.zrangeBuffer(key, '0', '-1');
  }
}

/** Conversations that somebody works on, or has to within a minute. */
export async function dueSoon(admin: Redis): Promise<number> {
  const keys = await admin.keys('*}due');
  const counts = await Promise.all(keys.map((key) => admin.zcount(key, '-inf', Date.now() + 60_000)));
  return counts.reduce((sum, count) => sum + count, 0);
}
