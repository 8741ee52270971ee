import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
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

/** A redis-server in a new directory, as the README wants it (AOF, noeviction). */
export async function startRedis(...settings: string[]) {
  const dir = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await freePort();
  let server = await launch(dir, port, settings);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    /** Ends it at once, as a crash would; `start` brings it back with its data. */
    kill: () => killChild(server),
    async start(): Promise<void> {
      server = await launch(dir, port, settings);
    },
    /** It answers nothing until it goes on, as when a cable is pulled. */
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    stop: () => killChild(server),
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
  const nodes = all.slice(0, 3);
  const replicas = all.slice(3);
  const clients = all.map(({ port }) => new Redis(port, '127.0.0.1'));
  const share = 16_384 / nodes.length;
  for (const [index, client] of clients.entries()) {
    const from = Math.ceil(index * share);
    const to = Math.ceil((index + 1) * share) - 1;
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

/** A node that has not heard who serves a slot refuses to import a key of it. */
function isWhole(info: string, nodes: number): boolean {
  const facts = ['cluster_state:ok', 'cluster_slots_assigned:16384', `cluster_known_nodes:${nodes}\r`];
  return facts.every((fact) => info.includes(fact));
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

export async function runRedis(args: readonly string[], ready: string): Promise<Child> {
  const server = startChild('redis-server', args);
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

/** Where a server tells of a change only when asked. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20);
}

/** Everything that a Redis holds: keys and values, the parts of lists and sets each by itself. */
export async function dump(admin: Redis): Promise<Buffer[]> {
  const keys = await admin.keys('*');
  const values = keys.map(async (key) => {
    const type = await admin.type(key);
    if (type === 'string') return [(await admin.getBuffer(key)) ?? Buffer.alloc(0)];
    return type === 'list' ? admin.lrangeBuffer(key, 0, -1) : admin.zrangeBuffer(key, '0', '-1');
  });
  return [...keys.map((key) => Buffer.from(key)), ...(await Promise.all(values)).flat()];
}
