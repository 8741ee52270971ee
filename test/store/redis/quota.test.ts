import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { Log } from '../../../src/observe.ts';
import { connectRedis } from '../../../src/store/redis/client.ts';
import { createRedisQuotas } from '../../../src/store/redis/quota.ts';
import { addressOf, startRedis } from '../../support/redis.ts';

const TEN_MINUTES_MS = 600_000;
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A quota, and what its keys are ten minutes after the clock of its Redis was put back by as much. */
async function startQuota() {
  const server = await startRedis();
  const client = await connectRedis(addressOf(server.url), silent);
  const raw = new Redis(server.url);
  onTestFinished(async () => {
    raw.disconnect();
    await client.close();
    await server.stop();
  });
  async function putClockBack(): Promise<void> {
    for (const key of await raw.keys('*')) {
      const ttl = await raw.pttl(key);
      const value = (await raw.get(key)) ?? '';
      const later = value.replace(/\d{9,}(\.\d+)?/g, (ms) => `${Number(ms) + TEN_MINUTES_MS}`);
      await raw.set(key, later, 'PX', ttl + TEN_MINUTES_MS);
    }
  }
  return {
    quota: createRedisQuotas({ ...client, nameOf: (name) => client.keys().quota(name).count })('bot', 30),
    putClockBack,
  };
}

test('a count whose second would last for minutes begins anew', async () => {
  const { quota, putClockBack } = await startQuota();
  await quota.take(30);
  await putClockBack();
  expect(await quota.take(5)).toEqual({ first: 1, count: 5, leftMs: 1000 });
});

test('a pause that would last for minutes is over', async () => {
  const { quota, putClockBack } = await startQuota();
  await quota.refused(9000);
  expect(await quota.refused(9000)).toBe(9000);
  expect(await quota.take(1)).toMatchObject({ count: 0 });
  await putClockBack();
  expect(await quota.take(1)).toMatchObject({ count: 1 });
});

test('the line of what is put off is as long as it was', async () => {
  const { quota, putClockBack } = await startQuota();
  await quota.takePlaces(300);
  await putClockBack();
  const waitMs = await quota.takePlaces(1);
  expect(waitMs).toBeGreaterThan(8000);
  expect(waitMs).toBeLessThanOrEqual(10_000);
});
