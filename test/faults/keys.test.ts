import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { type Environment, startBot, startProcess } from '../support/processes.ts';
import { dump, type RedisServer, startRedis } from '../support/redis.ts';

/*
 * A process that has other keys than the store it is led to would find nobody, and begin every conversation anew. It does
 * not start, or where it runs already, serves nobody; it changes nothing either way.
 */

const PATIENT = { timeout: 60_000 };
const newKey = (): string => randomBytes(32).toString('base64');

test('a start with another HASH_KEY ends with 78, one line, and nothing changed', PATIENT, async () => {
  const { redis, right } = await lived();
  const before = await contents(redis);
  const bot = await startProcess('src/main.ts', { ...right, HASH_KEY: newKey() });
  onTestFinished(async () => void (await bot.kill()));
  await Promise.race([bot.ended, bot.line(/listening/).catch(() => {})]);
  expect(bot.lines).toEqual([expect.stringMatching(/^HASH_KEY: /)]);
  expect((await bot.ended).code).toBe(78);
  expect(await contents(redis)).toEqual(before);
});

test(
  'a process that finds a store with other keys later serves nobody and changes nothing',
  PATIENT,
  async () => {
    const { redis, right } = await lived();
    const before = await contents(redis);
    await redis.kill();
    const bot = await startBot({ ...right, STATE_KEY: newKey() });
    onTestFinished(async () => void (await bot.kill()));
    await redis.start();
    const said = async () => (await fetch(`${bot.url}/health/ready`)).text();
    await expect.poll(said, { timeout: 20_000 }).toContain('STATE_KEY');
    expect(await ready(bot.url)).toBe(503);
    const refused = await createClient(bot.url).send({ conversation: 'qa-1', locale: 'en', text: 'help' });
    expect(refused).toMatchObject({ status: 'refused', problem: { status: 503 } });
    expect(await contents(redis)).toEqual(before);
  },
);

/** A Redis with a conversation in it, and the environment of the bot that had it. */
async function lived(): Promise<{ redis: RedisServer; right: Environment }> {
  const redis = await startRedis('--appendfsync', 'always');
  onTestFinished(() => redis.stop());
  const right = { REDIS_URL: redis.url, STATE_KEY: newKey(), HASH_KEY: newKey() };
  const bot = await startBot(right);
  const answer = await createClient(bot.url).send({ conversation: 'qa-1', locale: 'en', text: 'help' });
  expect(answer).toMatchObject({ status: 'done' });
  await bot.stop();
  return { redis, right };
}

async function ready(url: string): Promise<number> {
  return (await fetch(`${url}/health/ready`)).status;
}

/** All that is kept, but for what readiness writes. */
function contents(redis: RedisServer): Promise<string[]> {
  return asked(redis, async (admin) => {
    const probes = await admin.keys('*probe*');
    if (probes.length > 0) await admin.del(probes);
    return (await dump(admin)).map((part) => part.toString('latin1')).sort();
  });
}

function asked<T>(redis: RedisServer, ask: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(redis.url);
  return ask(admin).finally(() => admin.disconnect());
}
