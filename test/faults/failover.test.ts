import { afterAll, test } from 'vitest';
import { faultsOf } from '../support/checker.ts';
import { startRedisPair, startRedisSentinels } from '../support/failover.ts';
import type { Customer } from '../support/faults-customer.ts';
import { earns, type Lived, type Story, spends, withCalls } from '../support/faults-stories.ts';
import { leftIn, startFaultsWorld } from '../support/faults-world.ts';
import { type RedisServer, until } from '../support/redis.ts';

/*
 * Redis fails over while AntCRM is being asked and while others chat: what the promoted replica has is neither lost nor
 * doubled. The failovers here lose no write: what one loses is in docs/operators.md.
 */

const world = await startFaultsWorld();
afterAll(() => world.stop());

type Finish = (stop: () => Promise<void>) => void;
/** A Redis that fails over when told to; resolves to the new master. */
type Failing = { readonly url: string; failOver(): Promise<RedisServer> };

const WAYS: readonly [way: string, open: (finish: Finish) => Promise<Failing>][] = [
  [
    'behind one address, the old master staying as a replica',
    async (finish) => {
      const pair = await startRedisPair('--appendfsync', 'always');
      finish(() => pair.stop());
      return { url: pair.url, failOver: () => pair.failOver().then(() => pair.master) };
    },
  ],
  [
    'by its sentinels, the old master dead',
    async (finish) => {
      const sentinels = await startRedisSentinels('--appendfsync', 'always');
      finish(() => sentinels.stop());
      const [first] = sentinels.servers;
      return {
        url: sentinels.url,
        async failOver() {
          await first.kill();
          return sentinels.promotedOver(first);
        },
      };
    },
  ],
];
const STORIES: readonly [what: string, story: Story][] = [
  ['earned', earns],
  ['spent', spends],
];

test.for(WAYS.flatMap(([way, open]) => STORIES.map(([what, story]) => ({ way, open, what, story }))))(
  'points are $what once though Redis fails over $way',
  { timeout: 240_000 },
  async ({ open, story }, { expect, onTestFinished }) => {
    const redis = await open(onTestFinished);
    const bot = await world.bot(redis.url);
    onTestFinished(async () => void (await bot.kill()));
    const customer = await world.customer(() => bot);
    const others = await Promise.all(Array.from({ length: 5 }, () => world.customer(() => bot)));
    world.antcrm.troubles.set(customer.phone, { kind: 'slow', ms: 400 });

    let over = false;
    const lives = others.map(async (one) => ({ one, lived: await goesOn(one, () => over) }));
    const lived = story(customer, world);
    await until(async () => world.antcrm.posts.some(({ phone }) => phone === customer.phone));
    const before = performance.now();
    const promoted = await redis.failOver();
    await until(async () => (await fetch(`${bot.url}/health/ready`)).ok);
    expect(performance.now() - before).toBeLessThan(30_000);
    over = true;

    expect((await lived).heard).toBe('done');
    expect(await wrongIn(customer, [await lived])).toEqual([]);
    for (const life of lives) {
      const { one, lived: theirs } = await life;
      expect(await wrongIn(one, theirs)).toEqual([]);
    }
    expect(await leftIn(promoted.url)).toEqual([]);
  },
);

/** Earns again and again until it is over, and once more. */
async function goesOn(customer: Customer, isOver: () => boolean): Promise<Lived[]> {
  const lived: Lived[] = [];
  while (!isOver()) lived.push(await earns(customer, world));
  return [...lived, await earns(customer, world)];
}

async function wrongIn(customer: Customer, lived: readonly Lived[]): Promise<string[]> {
  const serials = lived.filter(({ kind }) => kind === 'accumulate').map(({ code }) => code);
  const operations = await Promise.all(lived.map((one) => withCalls(one, customer, world.antcrm)));
  return faultsOf({ chat: customer.id, serials, told: customer.heard, operations });
}
