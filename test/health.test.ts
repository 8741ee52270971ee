import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startBot } from './support/app.ts';
import { asAdmin, startRedisPair } from './support/failover.ts';
import { inTime } from './support/in-time.ts';
import { type RedisServer, startRedis, startRedisCluster } from './support/redis.ts';
import { startTelegramDouble } from './support/telegram-double.ts';

/** What `/health/ready` of a whole bot says on a Redis with these settings. */
async function readiness(...settings: string[]) {
  const redis = await startRedis(...settings);
  onTestFinished(() => redis.stop());
  const bot = await startBot({ REDIS_URL: redis.url });
  onTestFinished(() => bot.stop());
  const response = await fetch(`${bot.url}/health/ready`);
  return { status: response.status, body: await response.json() };
}

test('a bot on a Redis that is set up as it should be is ready', async () => {
  expect(await readiness()).toEqual({
    status: 200,
    body: { status: 'ok', dependencies: { store: { status: 'ok' }, antcrm: { status: 'ok' } } },
  });
});

test('wrong settings of Redis are shown as degraded, each with what to do; the bot works', async () => {
  expect(await readiness('--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru')).toEqual({
    status: 200,
    body: {
      status: 'degraded',
      dependencies: {
        store: {
          status: 'degraded',
          faults: [
            'redis: appendonly is off: acknowledged messages can be lost, set appendonly yes',
            'redis: maxmemory-policy is allkeys-lru: states can vanish, set maxmemory-policy noeviction',
          ],
        },
        antcrm: { status: 'ok' },
      },
    },
  });
});

test('a channel out of order is shown as degraded, with what to do', async () => {
  const double = await startTelegramDouble();
  onTestFinished(() => double.close());
  const bot = await startBot({
    TELEGRAM_BOT_TOKEN: `${double.token}x`,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: 'secret',
  });
  onTestFinished(() => bot.stop());
  const response = await fetch(`${bot.url}/health/ready`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    status: 'degraded',
    dependencies: {
      telegram: { status: 'degraded', faults: [expect.stringContaining('Telegram refuses the token')] },
    },
  });
  const metrics = await (await fetch(`${bot.url}/metrics`)).text();
  expect(metrics).toContain('bot_channel_out_of_order{channel="telegram"} 1');
  expect(metrics).toContain('bot_alarms_total{alarm="channel_out_of_order"} 1');
});

/** What befalls the only Redis, what mends it, and what readiness says meanwhile. */
const MISHAPS: readonly [
  what: string,
  befall: (redis: RedisServer) => Promise<unknown>,
  mend: (redis: RedisServer) => Promise<unknown>,
  says: RegExp,
][] = [
  [
    'is a replica',
    (redis) => asAdmin(redis, (admin) => admin.replicaof('127.0.0.1', 1)),
    (redis) => asAdmin(redis, (admin) => admin.replicaof('NO', 'ONE')),
    /^redis: node 127\.0\.0\.1:\d+ is a replica and stores nothing/,
  ],
  [
    'is full',
    (redis) => asAdmin(redis, (admin) => admin.config('SET', 'maxmemory', '1')),
    (redis) => asAdmin(redis, (admin) => admin.config('SET', 'maxmemory', '0')),
    /is full and stores nothing: raise maxmemory/,
  ],
  [
    'has too few replicas',
    (redis) => asAdmin(redis, (admin) => admin.config('SET', 'min-replicas-to-write', '1')),
    (redis) => asAdmin(redis, (admin) => admin.config('SET', 'min-replicas-to-write', '0')),
    /fewer replicas than min-replicas-to-write/,
  ],
  [
    'cannot write its append-only file',
    (redis) => redis.fillDisk(),
    (redis) => redis.freeDisk(),
    /cannot write to its disk and stores nothing: look at the disk/,
  ],
  [
    'is paused by a client',
    (redis) => asAdmin(redis, (admin) => admin.call('CLIENT', 'PAUSE', 4000, 'ALL')),
    async () => {},
    /cannot be reached: no answer within/,
  ],
  [
    'hangs',
    async ({ pid }) => process.kill(pid, 'SIGSTOP'),
    async ({ pid }) => process.kill(pid, 'SIGCONT'),
    /cannot be reached: (no answer within|Socket timeout)/,
  ],
  ['is dead', (redis) => redis.kill(), (redis) => redis.start(), /cannot be reached: connect ECONNREFUSED/],
];

const reportSchema = z.object({
  dependencies: z.object({ store: z.object({ status: z.string(), faults: z.array(z.string()).optional() }) }),
});

/** What readiness says of the store. */
async function storeOf({ url }: { readonly url: string }) {
  const response = await fetch(`${url}/health/ready`);
  const { store } = reportSchema.parse(await response.json()).dependencies;
  expect(response.status).toBe(store.status === 'down' ? 503 : 200);
  return store;
}

/** A few seconds, on a machine that is not busy. */
const SOON = { timeout: 20_000, interval: 100 };

test.for(MISHAPS)(
  'a bot whose Redis %s says so soon, is ready soon after the cure, and never takes long to say',
  async ([, befall, mend, says]) => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const bot = await startBot({ REDIS_URL: redis.url });
    onTestFinished(() => bot.stop());
    // One command's time, not that of two one after the other.
    const ready = () => inTime(3500, () => storeOf(bot));
    expect(await ready()).toMatchObject({ status: 'ok' });

    await befall(redis);
    await expect.poll(ready, SOON).toEqual({ status: 'down', faults: [expect.stringMatching(says)] });
    await mend(redis);
    await expect.poll(ready, SOON).toEqual({ status: 'ok' });
  },
);

test('one dead master of a cluster is named, and nobody waits for it', async () => {
  const { url, nodes, stop } = await startRedisCluster();
  onTestFinished(stop);
  for (const node of nodes) {
    await asAdmin(node, (admin) => admin.config('SET', 'cluster-require-full-coverage', 'no'));
  }
  const bot = await startBot({ REDIS_URL: url });
  onTestFinished(() => bot.stop());
  const [gone] = nodes;
  expect(await storeOf(bot)).toEqual({ status: 'ok' });

  await gone?.kill();
  const named = [expect.stringMatching(`^redis: node 127.0.0.1:${gone?.port} `)];
  await expect.poll(() => storeOf(bot)).toEqual({ status: 'degraded', faults: named });
  const times: number[] = [];
  for (const end = performance.now() + 3000; performance.now() < end; await delay(100)) {
    const before = performance.now();
    expect(await storeOf(bot)).toMatchObject({ status: 'degraded' });
    times.push(performance.now() - before);
  }
  // The grace of 300 ms. A busy machine adds to some of them; a bot that waits for the node takes 2 s each time.
  expect(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]).toBeLessThan(800);

  await gone?.start();
  await expect.poll(() => storeOf(bot)).toEqual({ status: 'ok' });
});

test('replicas that hang are told: points could not be spent', async () => {
  const pair = await startRedisPair();
  onTestFinished(() => pair.stop());
  const bot = await startBot({ REDIS_URL: pair.url, REDIS_WAIT_REPLICAS: '1' });
  onTestFinished(() => bot.stop());
  expect(await storeOf(bot)).toEqual({ status: 'ok' });
  process.kill(pair.replica.pid, 'SIGSTOP');
  const faults = ['redis: 0 replicas, REDIS_WAIT_REPLICAS wants 1: no points can be spent'];
  await expect.poll(() => storeOf(bot)).toEqual({ status: 'degraded', faults });
  process.kill(pair.replica.pid, 'SIGCONT');
  await expect.poll(() => storeOf(bot)).toEqual({ status: 'ok' });
});

test('however often readiness is asked, Redis is asked once a second', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const bot = await startBot({ REDIS_URL: redis.url });
  onTestFinished(() => bot.stop());
  const ready = () => fetch(`${bot.url}/health/ready`);
  const infos = () =>
    asAdmin(redis, async (admin) =>
      Number(/cmdstat_info:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0),
    );
  const before = await infos();
  for (let n = 0; n < 10; n++) await Promise.all(Array.from({ length: 20 }, ready));
  // The last call of `infos` itself, and perhaps a second that began meanwhile.
  expect((await infos()) - before).toBeLessThanOrEqual(5);
});
