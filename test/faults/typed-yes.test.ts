import { afterAll, expect, onTestFinished, test } from 'vitest';
import { earning, isSummary } from '../support/faults-stories.ts';
import { startFaultsWorld } from '../support/faults-world.ts';
import { startRedis } from '../support/redis.ts';

const world = await startFaultsWorld();
afterAll(() => world.stop());

test('a yes that was typed before the summary arrived confirms nothing; one that was typed after it does', {
  timeout: 30_000,
}, async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const bot = await world.bot(redis.url);
  onTestFinished(async () => void (await bot.kill()));
  const customer = await world.customer(() => bot);
  const calls = () => world.antcrm.posts.filter(({ phone }) => phone === customer.phone);

  const code = world.code();
  const summary = customer.holds(isSummary(code));
  await customer.writes(earning(code, customer));
  await summary.reached;
  await customer.writes('ok');
  summary.letGo();
  expect(isSummary(code)(await customer.hears(() => true))).toBe(true);
  await customer.hears(() => true, 1);
  expect(calls()).toEqual([]);

  // An answer arrives a moment before the bot has noted that it did.
  const typed = async () => {
    const before = customer.heard.length;
    await customer.writes('ok');
    return (await customer.hears(() => true, before)).key;
  };
  await expect.poll(typed, { interval: 300, timeout: 20_000 }).toBe('accumulate.done');
  expect(calls()).toHaveLength(1);
});
