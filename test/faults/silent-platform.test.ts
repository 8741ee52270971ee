import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { says } from '../e2e/wording.ts';
import { startBot } from '../support/app.ts';
import { startRedis } from '../support/redis.ts';
import { startTelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

const CUSTOMERS = process.env.FAULTS === 'long' ? 1000 : 250;
/** Longer than a call may take: the first ones have run into their time by then. */
const SILENCE_MS = 15_000;
/** A quarter of the shards, every quarter of a second. */
const LOOKS_A_SECOND = 256;
const SECRET = 'webhook-secret';

const redis = await startRedis();
const telegram = await startTelegramDouble();
const bot = await startBot({
  REDIS_URL: redis.url,
  TELEGRAM_BOT_TOKEN: telegram.token,
  TELEGRAM_API_ROOT: telegram.url,
  TELEGRAM_WEBHOOK_SECRET: SECRET,
});
const client = new Redis(redis.url);
afterAll(async () => {
  client.disconnect();
  await bot.stop();
  await telegram.close();
  await redis.stop();
});

/** Scripts that the store has run so far. */
async function scripts(): Promise<number> {
  const stats = await client.info('commandstats');
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
}

test(`a Telegram that takes ${CUSTOMERS} replies and never answers holds up nobody else, and none of them is lost`, async () => {
  const staff = createClient(bot.url);
  const asks = async (n: number): Promise<number> => {
    const startMs = performance.now();
    const answer = await staff.send({ conversation: `qa-${n}`, text: 'help', locale: 'en' });
    expect(answer).toMatchObject({ status: 'done' });
    return performance.now() - startMs;
  };
  await asks(0);

  telegram.fallSilent(true);
  const people = Array.from({ length: CUSTOMERS }, (_, n) =>
    createPerson(7_000_000 + n, { language_code: 'en' }),
  );
  const webhook = { url: `${bot.url}/webhooks/telegram`, secret: SECRET };
  const before = await scripts();
  const beganMs = performance.now();
  for (let n = 0; n < people.length; n += 50) {
    const posted = await Promise.all(
      people.slice(n, n + 50).map((one) => telegram.post(one.writes('help'), webhook)),
    );
    expect(posted.every(({ status }) => status === 200)).toBe(true);
  }
  const latencies: number[] = [];
  for (const endMs = performance.now() + SILENCE_MS; performance.now() < endMs; await delay(250)) {
    latencies.push(await asks(latencies.length + 1));
  }
  const slow = latencies.filter((ms) => ms > 1000);
  // A busy machine is slow now and then; whom the silent one holds up waits for its time-outs, each time.
  expect(slow.length, `${latencies}`).toBeLessThan(latencies.length / 4);
  // Accepted, committed, and tried a few times, beside the looks at all shards that an idle process has, too: no hot loop.
  const looks = (LOOKS_A_SECOND * (performance.now() - beganMs)) / 1000;
  expect((await scripts()) - before).toBeLessThan(CUSTOMERS * 30 + looks);

  telegram.fallSilent(false);
  const answered = () =>
    people.filter(({ id }) => telegram.shown(id).some(({ text }) => says(text, 'help', 'en'))).length;
  await expect.poll(answered, { timeout: 90_000, interval: 250 }).toBe(CUSTOMERS);
  for (const { id } of people) expect(telegram.shown(id)).toHaveLength(1);
}, 240_000);
