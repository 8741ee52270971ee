import { afterAll, expect, test } from 'vitest';
import type { Customer } from '../support/faults-customer.ts';
import { confirmIn, earning, isSummary } from '../support/faults-stories.ts';
import { startFaultsWorld } from '../support/faults-world.ts';
import { type Bot, startBot } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';

/**
 * Two bots on one Redis and more customers at once than Telegram takes messages: 30 a second, each refusal asks for a
 * second's wait. `FAULTS=long` has as many as a campaign brings.
 */
const LONG = process.env.FAULTS === 'long';
const CHATS = LONG ? 600 : 240;
const PER_SECOND = 30;
/** Of the customers: who confirm an operation in the middle of it, and who write twice. */
const RECEIPTS = 20;
const TWICE = 30;
/** How many updates Telegram posts at once. */
const CONNECTIONS = 40;
/** A machine that is busy with other tests adds to the time, and first to that of the first answers. */
const [MOST_TIME, SOONER] = LONG ? [1.1, 0.5] : [4, 1];

const world = await startFaultsWorld();
const redis = await startRedis();
const env = {
  ...world.env(redis.url),
  TELEGRAM_MESSAGES_PER_SECOND: `${PER_SECOND}`,
  TELEGRAM_CHAT_BURST: '3',
};
const bots = await Promise.all([startBot(env), startBot(env)]);
afterAll(async () => {
  await Promise.all(bots.map((bot) => bot.kill()));
  await world.stop();
  await redis.stop();
});

const someBot = (): Bot | undefined => bots[Math.floor(Math.random() * bots.length)];

test('a crowd is answered at the pace that Telegram takes', async () => {
  const crowd = await customers(CHATS - RECEIPTS - TWICE);
  const pairs = await customers(TWICE);
  const confirming = await customers(RECEIPTS);
  const summaries = await Promise.all(
    confirming.map(async (who) => {
      const code = world.code();
      await who.writes(earning(code, who));
      return { who, summary: await who.hears(isSummary(code)) };
    }),
  );
  world.double.limit(PER_SECOND);

  const startMs = performance.now();
  const posting = createPosting(CONNECTIONS);
  const inTurn = pairs.map(async (who) => {
    const codes = [world.code(), world.code()];
    for (const code of codes) await posting(() => who.writes(earning(code, who)));
    for (const code of codes) await who.hears(isSummary(code));
    return who.heard.map(({ text }) => codes.findLastIndex((code) => text.includes(code)));
  });
  const menus = crowd.map(async (who) => {
    await posting(() => who.writes('help'));
    return (await who.hears(() => true)).atMs - startMs;
  });
  const receipts = summaries.map(async ({ who, summary }) => {
    await posting(() => who.presses(confirmIn(summary)));
    return (await who.hears(({ key }) => key === 'accumulate.done')).atMs - startMs;
  });
  const [menusMs, receiptsMs, orders] = await Promise.all([
    Promise.all(menus),
    Promise.all(receipts),
    Promise.all(inTurn),
  ]);
  const tookMs = performance.now() - startMs;

  const refusals = world.double.refusals();
  const sends = [...crowd, ...pairs, ...confirming].reduce((sum, { heard }) => sum + heard.length, -RECEIPTS);
  const idealMs = (1000 * sends) / PER_SECOND;
  if (LONG)
    console.log({
      sends,
      refusals,
      tookMs,
      idealMs,
      receiptsMs: median(receiptsMs),
      menusMs: median(menusMs),
    });
  expect(orders).toEqual(pairs.map(() => [0, 1]));
  expect(refusals).toBeLessThan(0.05 * sends);
  expect(tookMs).toBeLessThan(MOST_TIME * idealMs);
  expect(median(receiptsMs)).toBeLessThan(SOONER * median(menusMs));
}, 240_000);

async function customers(count: number): Promise<Customer[]> {
  return Promise.all(Array.from({ length: count }, () => world.customer(someBot)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Lets so many run at once. */
function createPosting(connections: number) {
  const waiting: (() => void)[] = [];
  let free = connections;
  return async (post: () => Promise<unknown>): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    await post();
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
}
