import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { startBot, startProcess } from '../support/processes.ts';
import { dump, startRedis } from '../support/redis.ts';

const newKey = (): string => randomBytes(32).toString('base64');

/*
 * A process that has other keys than the store it is led to would find nobody, and begin every conversation anew: it does
 * not start. One that runs already serves nobody: test/store/redis/opening.test.ts.
 */
test('a start with another HASH_KEY ends with 78, one line, and nothing changed', async () => {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
  });
  const contents = async () => (await dump(admin)).map((part) => part.toString('latin1')).sort();
  const right = { REDIS_URL: redis.url, STATE_KEY: newKey(), HASH_KEY: newKey() };
  const before = await startBot(right);
  await createClient(before.url).send({ conversation: 'qa-1', locale: 'en', text: 'help' });
  await before.stop();

  const kept = await contents();
  expect(kept.length).toBeGreaterThan(3);
  const bot = await startProcess('src/main.ts', { ...right, HASH_KEY: newKey() });
  onTestFinished(async () => void (await bot.kill()));
  await Promise.race([bot.ended, bot.line(/listening/).catch(() => {})]);
  expect(bot.lines).toEqual([expect.stringMatching(/^HASH_KEY: /)]);
  expect((await bot.ended).code).toBe(78);
  expect(await contents()).toEqual(kept);
});
