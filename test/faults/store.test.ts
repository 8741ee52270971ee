import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, describe, onTestFinished, test } from 'vitest';
import { SHARDS } from '../../src/store/port.ts';
import { tagOf } from '../../src/store/redis/records.ts';
import { faultsOf } from '../support/checker.ts';
import type { Customer } from '../support/faults-customer.ts';
import {
  confirmIn,
  confirms,
  earns,
  GIFT,
  isSummary,
  type Lived,
  type Story,
  saying,
  spends,
  withCalls,
} from '../support/faults-stories.ts';
import { leftIn, startFaultsWorld } from '../support/faults-world.ts';
import type { Bot, Environment } from '../support/processes.ts';
import { startRedisProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis, startRedisCluster, until } from '../support/redis.ts';

const world = await startFaultsWorld();
afterAll(() => world.stop());

const PATIENT = { timeout: 240_000 };
/** Longer than it takes another process to find the lease at its end; and longer than any read, however busy the machine. */
const LONG_CALL_MS = 20_000;
const SHORT_CALL_MS = 4000;

/** Everything of a test's own is stopped when it has finished, concurrent or not. */
type Finish = (stop: () => Promise<void>) => void;

async function ownRedis(finish: Finish, ...settings: string[]): Promise<RedisServer> {
  const redis = await startRedis('--appendfsync', 'always', ...settings);
  finish(() => redis.stop());
  return redis;
}

async function ownBot(finish: Finish, url: string, env?: Environment): Promise<Bot> {
  const bot = await world.bot(url, env);
  finish(async () => void (await bot.kill()));
  return bot;
}

/** What is wrong with what the customer lived through. */
async function wrongIn(customer: Customer, lived: readonly Lived[]): Promise<string[]> {
  const serials = lived.filter(({ kind }) => kind === 'accumulate').map(({ code }) => code);
  const operations = await Promise.all(lived.map((one) => withCalls(one, customer, world.antcrm)));
  return faultsOf({ chat: customer.id, serials, told: customer.heard, operations });
}

async function admin<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  return work(client).finally(() => client.disconnect());
}

describe('a Redis that executes and does not answer', () => {
  test.concurrent.for<[string, Story]>([
    ['earned', earns],
    ['spent', spends],
  ])(
    'points are %s once, though its connections are cut all the time',
    PATIENT,
    async ([, story], { expect, onTestFinished: finish }) => {
      const redis = await ownRedis(finish);
      const proxy = await startRedisProxy(redis.port);
      finish(() => proxy.stop());
      const bot = await ownBot(finish, proxy.url);
      const customer = await world.customer(() => bot);
      const cutter = setInterval(() => proxy.loseNextAnswer(), 300);
      const lived = await story(customer, world).finally(() => clearInterval(cutter));
      expect(await wrongIn(customer, [lived])).toEqual([]);
      expect(await leftIn(redis.url)).toEqual([]);
    },
  );
});

/** What happens to Redis while AntCRM is being asked, and how it ends. */
const MISHAPS: readonly [what: string, befall: (redis: RedisServer) => Promise<void>][] = [
  [
    'restarts, and knows no script any more',
    async (redis) => {
      await redis.kill();
      await redis.start();
    },
  ],
  [
    'is full for a while',
    ({ url }) =>
      admin(url, async (client) => {
        await client.config('SET', 'maxmemory', '1mb');
        await delay(2500);
        await client.config('SET', 'maxmemory', '0');
      }),
  ],
  [
    'is slow',
    ({ url }) => admin(url, async (client) => void (await client.call('CLIENT', 'PAUSE', 700, 'ALL'))),
  ],
  [
    'does not answer for a while',
    ({ url }) => admin(url, async (client) => void (await client.call('CLIENT', 'PAUSE', 2500, 'ALL'))),
  ],
];

describe('a Redis that fails while AntCRM is being asked', () => {
  test.concurrent.for(MISHAPS)(
    'spends points once, and tells so, if it %s',
    PATIENT,
    async ([, befall], { expect, onTestFinished: finish }) => {
      const redis = await ownRedis(finish);
      const bot = await ownBot(finish, redis.url);
      const customer = await world.customer(() => bot);
      world.antcrm.troubles.set(customer.phone, { kind: 'slow', ms: 400 });
      const story = spends(customer, world);
      await until(async () => world.antcrm.posts.some(({ phone }) => phone === customer.phone));
      await befall(redis);
      const lived = await story;
      expect(lived.heard).toBe('done');
      expect(await wrongIn(customer, [lived])).toEqual([]);
      expect(await leftIn(redis.url)).toEqual([]);
    },
  );
});

/** Where a process falls asleep that holds a lease, whether it wakes before the call's deadline, and what is told then. */
const SLEEPS: readonly [where: string, point: string, early: boolean, result: string][] = [
  ['before its call, past the deadline', 'store.intend#1:after', false, 'not applied'],
  ['before its call, not as long as the deadline', 'store.intend#1:after', true, 'not applied'],
  ['after its call', 'antcrm.redeem#1:after', false, 'done'],
  ['before it saves the result', 'store.commit#3:before', false, 'done'],
];

describe('a process that sleeps for longer than its lease', () => {
  test.concurrent.for(SLEEPS)(
    'does nothing twice if it sleeps %s',
    PATIENT,
    async ([, point, early, result], { expect, onTestFinished: finish }) => {
      const redis = await ownRedis(finish);
      const env = { ANTCRM_TIMEOUT_MS: `${early ? LONG_CALL_MS : SHORT_CALL_MS}` };
      // However long a process takes to start here, the other one is ready when the first falls asleep.
      const other = await ownBot(finish, redis.url, env);
      process.kill(other.pid, 'SIGSTOP');
      const sleeper = await ownBot(finish, redis.url, {
        FAULT_POINT: point,
        FAULT_SIGNAL: 'SIGSTOP',
        ...env,
      });
      const customer = await world.customer(() => sleeper);
      const story = spends(customer, world);
      await until(() => isAsleep(sleeper));
      process.kill(other.pid, 'SIGCONT');
      if (early) {
        await customer.hears(({ key }) => key === 'operation.checking_redeem');
        process.kill(sleeper.pid, 'SIGCONT');
      }
      const lived = await story;
      const heard = customer.heard.length;
      process.kill(sleeper.pid, 'SIGCONT');
      // Its stop waits for the turn that it woke up in.
      expect((await sleeper.stop()).code).toBe(0);
      expect(lived.heard).toBe(result);
      expect(await wrongIn(customer, [lived])).toEqual([]);
      expect(customer.heard).toHaveLength(heard);
      expect(await leftIn(redis.url)).toEqual([]);
      expect((await other.stop()).code).toBe(0);
    },
  );
});

async function isAsleep({ pid }: Bot): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-p', `${pid}`]);
  return stdout.trim().startsWith('T');
}

test(
  'with too few replicas no points are spent, so a failover that loses writes costs nothing',
  PATIENT,
  async ({ expect }) => {
    const primary = await ownRedis(onTestFinished);
    const replica = await ownRedis(onTestFinished, '--replicaof', '127.0.0.1', `${primary.port}`);
    const isOnline = (info: string) => /state=online/.test(info);
    await until(async () => isOnline(await admin(primary.url, (client) => client.info('replication'))));
    const first = await ownBot(onTestFinished, primary.url, { REDIS_WAIT_REPLICAS: '1' });
    let bot = first;
    const customer = await world.customer(() => bot);
    await customer.writes(`/redeem ${GIFT}`);
    await customer.hears(({ key }) => key === 'identity.proofNeeded');
    await customer.shares();
    const summary = await customer.hears(({ key }) => key === 'redeem.summary');
    const replicated = (info: string) => {
      const [, ours] = /master_repl_offset:(\d+)/.exec(info) ?? [];
      const [, theirs] = /offset=(\d+),lag/.exec(info) ?? [];
      return ours === theirs;
    };
    await until(async () => replicated(await admin(primary.url, (client) => client.info('replication'))));
    await admin(replica.url, (client) => client.replicaof('NO', 'ONE'));

    await customer.presses(confirmIn(summary));
    await customer.hears(({ key }) => key === 'service.unavailable');
    expect(world.antcrm.posts.filter(({ phone }) => phone === customer.phone)).toEqual([]);

    await first.kill();
    await primary.kill();
    bot = await ownBot(onTestFinished, replica.url);
    const lived = { kind: 'redeem', code: GIFT, heard: await confirms(customer, summary) } as const;
    expect(lived.heard).toBe('done');
    expect(await wrongIn(customer, [lived])).toEqual([]);
  },
);

test('a cluster whose shards move under load loses and repeats nothing', PATIENT, async ({ expect }) => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const bots = [
    await ownBot(onTestFinished, cluster.url),
    await ownBot(onTestFinished, cluster.url),
  ] as const;
  let moved = 0;
  let turn = 0;
  const lives = Array.from({ length: 8 }, async (_, index) => {
    const customer = await world.customer(() => bots[turn++ % 2 === 0 ? 0 : 1]);
    const lived: Lived[] = [];
    for (let round = 0; round < 100 && (round < 3 || moved < MOVING); round++) {
      const words = Array.from({ length: 3 }, (_, n) => `w8${index}${`${round}`.padStart(4, '0')}${n}000`);
      for (const word of words) await customer.writes(saying(word, customer));
      for (const word of words) await customer.hears(isSummary(word));
      if (round % 5 !== 0) continue;
      await customer.writes('cancel');
      lived.push(await earns(customer, world));
    }
    lived.push(await spends(customer, world));
    return { customer, lived };
  });
  moved = await moveShards(cluster.nodes);
  for (const life of lives) {
    const { customer, lived } = await life;
    expect(await wrongIn(customer, lived)).toEqual([]);
  }
  for (const { url } of cluster.nodes) expect(await leftIn(url)).toEqual([]);
});

const MOVING = 80;
const SLOTS = 16_384;

/** Moves the shards of the first node to the second, one slot after the other, as `redis-cli --cluster reshard` does. */
async function moveShards(nodes: readonly RedisServer[]): Promise<number> {
  const admins = nodes.map(({ port }) => new Redis(port));
  const [from, to, other] = admins;
  const target = nodes[1];
  if (!from || !to || !other || !target) throw new Error('a cluster has three nodes');
  const ids = [await from.call('CLUSTER', 'MYID'), await to.call('CLUSTER', 'MYID')].map(String);
  const slots = await Promise.all(
    Array.from({ length: SHARDS }, async (_, shard) =>
      Number(await from.call('CLUSTER', 'KEYSLOT', tagOf(shard))),
    ),
  );
  const moving = slots.filter((slot) => slot < SLOTS / 3 - 1).slice(0, MOVING);
  for (const slot of moving) {
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0] ?? '');
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1] ?? '');
    for (;;) {
      const keys = await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 10);
      if (!Array.isArray(keys) || keys.length === 0) break;
      for (const key of keys) await from.call('MIGRATE', '127.0.0.1', target.port, String(key), 0, 1000);
    }
    for (const node of [to, from, other]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[1] ?? '');
  }
  for (const node of admins) node.disconnect();
  return MOVING;
}
