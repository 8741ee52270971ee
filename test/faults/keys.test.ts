import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { type Environment, startBot, startProcess } from '../support/processes.ts';
import { dump, partsOf, type RedisServer, startRedis } from '../support/redis.ts';

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

test(
  'one state of another key is kept aside, byte for byte, while its conversation begins anew',
  PATIENT,
  async () => {
    const [{ redis, right }, other] = [await lived(), await startRedis()];
    onTestFinished(() => other.stop());
    const strange = await startBot({ ...right, REDIS_URL: other.url, STATE_KEY: newKey() });
    const says = (url: string, text: string) =>
      createClient(url).send({ conversation: 'qa-2', locale: 'en', text });
    await says(strange.url, 'earn TIVI000000017 0912345678');
    await strange.stop();
    const marks = await asked(other, (from) => asked(redis, (to) => move(from, to)));
    expect(marks).not.toEqual([]);

    const bot = await startBot(right);
    onTestFinished(async () => void (await bot.kill()));
    expect(await says(bot.url, 'cancel')).not.toMatchObject({ replies: [{ key: 'cancel.done' }] });
    await bot.line(/"alarm":"seal_broken"/);
    for (const mark of marks) expect(await daysLeft(redis, mark)).toBeGreaterThan(179);
  },
);

/** Moves what the other store does not have; resolves to what tells each thing that lasts, wherever it lies later. */
async function move(from: Redis, to: Redis): Promise<Buffer[]> {
  const marks: Buffer[] = [];
  for (const key of await from.keys('*')) {
    if (/keys$|layout$|due$|probe|f:/.test(key)) continue;
    const body = await from.dumpBuffer(key);
    const leftMs = Math.max(0, await from.pttl(key));
    if (body === null) continue;
    await to.restore(key, leftMs, body);
    const bytes = (await from.type(key)) === 'string' ? await from.getBuffer(key) : null;
    if (bytes === null || leftMs < 179 * DAY_MS) continue;
    marks.push(bytes.subarray(bytes.length / 2, bytes.length / 2 + 24));
  }
  return marks;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** For how long the store keeps something with these bytes. */
function daysLeft(redis: RedisServer, mark: Buffer): Promise<number> {
  return asked(redis, async (admin) => {
    const keys = await admin.keys('*');
    const kept = await Promise.all(
      keys.map(async (key) => ({ bodies: await partsOf(admin, key), leftMs: await admin.pttl(key) })),
    );
    const found = kept.filter(({ bodies }) => bodies.some((body) => body.includes(mark)));
    return Math.max(0, ...found.map(({ leftMs }) => leftMs)) / DAY_MS;
  });
}

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
