import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Running, startBot } from '../support/app.ts';
import { asAdmin } from '../support/failover.ts';
import { inTime } from '../support/in-time.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

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
    /^redis: node 127\.0\.0\.1:\d+ stores nothing: READONLY/,
  ],
  [
    'has too few replicas',
    (redis) => asAdmin(redis, (admin) => admin.config('SET', 'min-replicas-to-write', '1')),
    (redis) => asAdmin(redis, (admin) => admin.config('SET', 'min-replicas-to-write', '0')),
    /stores nothing: NOREPLICAS/,
  ],
  [
    'cannot write its append-only file',
    (redis) => redis.fillDisk(),
    (redis) => redis.freeDisk(),
    /stores nothing: MISCONF/,
  ],
  [
    'hangs',
    async (redis) => redis.pause(),
    async (redis) => redis.resume(),
    /stores nothing: (no answer within|Socket timeout)/,
  ],
  ['is dead', (redis) => redis.kill(), (redis) => redis.start(), /stores nothing: connect ECONNREFUSED/],
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

let redis: RedisServer;
let bot: Running;
beforeAll(async () => {
  redis = await startRedis();
  bot = await startBot({ REDIS_URL: redis.url });
});
afterAll(async () => {
  await bot.stop();
  await redis.stop();
});

test.for(MISHAPS)(
  'a bot whose Redis %s says so soon, is ready soon after the cure, and never takes long to say',
  async ([, befall, mend, says]) => {
    // One command's time, not that of two one after the other.
    const ready = () => inTime(3500, () => storeOf(bot));
    expect(await ready()).toMatchObject({ status: 'ok' });

    await befall(redis);
    await expect.poll(ready, SOON).toEqual({ status: 'down', faults: [expect.stringMatching(says)] });
    await mend(redis);
    await expect.poll(ready, SOON).toEqual({ status: 'ok' });
  },
);
