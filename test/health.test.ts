import { expect, onTestFinished, test } from 'vitest';
import { startBot } from './support/app.ts';
import { startRedis } from './support/redis.ts';

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
