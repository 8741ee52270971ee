import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Running, startBot } from '../support/app.ts';
import { asAdmin } from '../support/failover.ts';
import { inTime } from '../support/in-time.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

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

const reportSchema = z.object({
  dependencies: z.object({ store: z.object({ status: z.string(), faults: z.array(z.string()).optional() }) }),
});

/** What readiness says of the store, within one command's time, not that of two one after the other. */
const ready = () =>
  inTime(3500, async () => {
    const response = await fetch(`${bot.url}/health/ready`);
    const { store } = reportSchema.parse(await response.json()).dependencies;
    expect(response.status).toBe(store.status === 'down' ? 503 : 200);
    return store;
  });

const asks = (work: Parameters<typeof asAdmin<unknown>>[1]) => () => asAdmin(redis, work);
const sets = (count: number) => asks((admin) => admin.config('SET', 'min-replicas-to-write', String(count)));
const follows = asks((admin) => admin.replicaof('127.0.0.1', 1));
const leads = asks((admin) => admin.replicaof('NO', 'ONE'));

test.for<[what: string, befall: () => unknown, mend: () => unknown, says: RegExp]>([
  ['is a replica', follows, leads, /^redis: node 127\.0\.0\.1:\d+ stores nothing: READONLY/],
  ['has too few replicas', sets(1), sets(0), /stores nothing: NOREPLICAS/],
  ['hangs', () => redis.pause(), () => redis.resume(), /stores nothing: (no answer within|Socket timeout)/],
  ['is dead', () => redis.kill(), () => redis.start(), /stores nothing: connect ECONNREFUSED/],
])(
  'a bot whose Redis %s says so soon, is ready soon after the cure, and never takes long to say',
  async ([, befall, mend, says]) => {
    const soon = { timeout: 20_000, interval: 100 };
    expect(await ready()).toMatchObject({ status: 'ok' });
    await befall();
    await expect.poll(ready, soon).toEqual({ status: 'down', faults: [expect.stringMatching(says)] });
    await mend();
    await expect.poll(ready, soon).toEqual({ status: 'ok' });
  },
);
