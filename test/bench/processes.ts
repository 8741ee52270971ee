import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Bot, Environment } from '../support/processes.ts';
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis.ts';
import { type Bounds, createLoad, type Load } from './load.ts';
import { medianOf } from './measure.ts';
import type { Options } from './options.ts';
import { readMetrics, startMeasured } from './subject.ts';
import type { Telegram } from './telegram.ts';

const PROCESSES = [1, 2, 4];

/** More than the 64 turns that a process takes on: messages wait, and all processes claim them. */
const IN_FLIGHT = 256;

export const PROCESSES_HEADS = [
  ...['Redis × processes', 'turns/s', 'claim scripts/turn', 'won/turn', 'Redis CPU ms/turn'],
];

const CLAIM_RESULTS = ['won', 'taken', 'left'] as const;

type Store = { readonly url: string; readonly nodes: readonly RedisServer[]; stop(): Promise<void> };

const STORES: readonly { readonly name: string; start(): Promise<Store> }[] = [
  { name: 'single', start: startSingle },
  { name: 'cluster of 3', start: startRedisCluster },
];

async function startSingle(): Promise<Store> {
  const server = await startRedis();
  return { url: server.url, nodes: [server], stop: server.stop };
}

/** Each row with a store and bots of its own, one after the other: more would be too many for one machine. */
export async function compareProcesses(
  options: Options,
  telegram: Telegram,
  antcrm: Environment,
): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { name, start } of STORES) {
    for (const count of PROCESSES) {
      const store = await start();
      const group = await startGroup(telegram, { ...antcrm, REDIS_URL: store.url }, count);
      rows.push([`${name} × ${count}`, ...(await cellsOf(options, group, store))]);
      await group.stop();
      await store.stop();
    }
  }
  return rows;
}

/** Bots that share a store and its keys. Each message goes to the next of them. */
type Group = { readonly bots: readonly Bot[]; readonly load: Load; stop(): Promise<void> };

async function startGroup(telegram: Telegram, env: Environment, count: number): Promise<Group> {
  const key = randomBytes(32).toString('base64');
  const bots = await Promise.all(
    Array.from({ length: count }, () =>
      startMeasured({ STATE_KEY: key, HASH_KEY: key, ...telegram.env, ...env }),
    ),
  );
  const lines = bots.map(({ url }) => telegram.connect(url));
  let asked = 0;
  const load = createLoad({
    ask(...question) {
      const line = lines[asked++ % count];
      if (line === undefined) throw new Error('no bots');
      return line.ask(...question);
    },
    async close() {},
  });
  return {
    bots,
    load,
    async stop() {
      await Promise.all(lines.map((line) => line.close()));
      await Promise.all(bots.map((bot) => bot.stop()));
    },
  };
}

async function cellsOf(
  { turns, seconds, warmUp, repeats }: Options,
  group: Group,
  { nodes }: Store,
): Promise<string[]> {
  const clients = nodes.map(({ port }) => new Redis(port, '127.0.0.1'));
  await group.load.run({ inFlight: IN_FLIGHT, turns: warmUp, seconds: 3 * seconds });
  const runs: Measured[] = [];
  for (let round = 0; round < repeats; round++) {
    runs.push(await measure(group, clients, { inFlight: IN_FLIGHT, turns, seconds }));
  }
  for (const client of clients) client.disconnect();
  return [
    medianOf(runs.map(({ turnsPerSecond }) => turnsPerSecond)).toFixed(0),
    medianOf(runs.map(({ scripts }) => scripts)).toFixed(2),
    medianOf(runs.map(({ won }) => won)).toFixed(2),
    medianOf(runs.map(({ redisMs }) => redisMs)).toFixed(3),
  ];
}

/** Per turn, all but the first; `scripts` claim scripts run, `won` those that brought a lease. */
type Measured = Readonly<Record<'turnsPerSecond' | 'scripts' | 'won' | 'redisMs', number>>;

async function measure({ load, bots }: Group, clients: readonly Redis[], bounds: Bounds): Promise<Measured> {
  const before = await usageOf(bots, clients);
  const { timings, seconds } = await load.run(bounds);
  const after = await usageOf(bots, clients);
  const perTurn = (key: keyof Usage): number => (after[key] - before[key]) / timings.length;
  return {
    turnsPerSecond: timings.length / seconds,
    scripts: perTurn('scripts'),
    won: perTurn('won'),
    redisMs: perTurn('redisMs'),
  };
}

type Usage = Readonly<Record<'scripts' | 'won' | 'redisMs', number>>;

/** What all bots have claimed so far, as they count it themselves, and the processor time of all nodes. */
async function usageOf(bots: readonly Bot[], clients: readonly Redis[]): Promise<Usage> {
  const claims = await Promise.all(bots.map(({ url }) => readMetrics(url)));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const claimed = (result: (typeof CLAIM_RESULTS)[number]): number =>
    sum(claims.map((value) => value(`bot_claims_total{result="${result}"}`)));
  return {
    scripts: sum(CLAIM_RESULTS.map(claimed)),
    won: claimed('won'),
    redisMs: sum(await Promise.all(clients.map(cpuMs))),
  };
}

async function cpuMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (field: string): number => Number(new RegExp(`^${field}:(.*)$`, 'm').exec(info)?.[1]);
  return 1000 * (seconds('used_cpu_user') + seconds('used_cpu_sys'));
}
