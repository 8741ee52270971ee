import { expect, onTestFinished, test } from 'vitest';
import { faultsOf } from '../support/checker.ts';
import type { AntCrmServer } from '../support/faults-antcrm.ts';
import { startChaos } from '../support/faults-chaos.ts';
import type { Customer } from '../support/faults-customer.ts';
import { type Episode, type Life, live, planEpisodes } from '../support/faults-load.ts';
import { createRandom } from '../support/faults-random.ts';
import { withCalls } from '../support/faults-stories.ts';
import { leftIn, startFaultsWorld } from '../support/faults-world.ts';
import { startRedis } from '../support/redis.ts';

const LONG = process.env.FAULTS === 'long';
const MESSAGES = Number(process.env.FAULTS_MESSAGES ?? (LONG ? 20_000 : 400));
/** Messages of one customer, about. */
const EACH = LONG ? 100 : 20;
/** So few that a turn mostly ends before its process does: five attempts in vain make a message a dead letter. */
const AT_ONCE = 20;
/** The same seed: the same episodes, the same lives of the processes, the same troubles of AntCRM. */
const SEED = Number(process.env.FAULTS_SEED ?? Date.now() % 1_000_000);
/** Of all AntCRM's answers so many get lost, and of those to a call that earns or spends a third before it was applied. */
const LOST = 0.1;

test(`whoever is killed, each of ${MESSAGES} messages is applied once, and points are earned and spent once`, {
  timeout: LONG ? 30 * 60_000 : 120_000,
}, async () => {
  const redis = await startRedis('--appendfsync', 'always');
  const world = await startFaultsWorld();
  const luck = createRandom(SEED, 'antcrm');
  world.antcrm.trouble = (_, post) =>
    luck.chance(LOST) ? { kind: post !== null && luck.chance(1 / 3) ? 'lose-request' : 'lose-answer' } : null;
  const chaos = await startChaos(SEED, redis, () => world.bot(redis.url));
  onTestFinished(async () => {
    await chaos.end();
    await chaos.stop();
    await world.stop();
    await redis.stop();
  });

  const violations: string[] = [];
  const lives: { customer: Customer; life: Life }[] = [];
  const plans = Array.from({ length: Math.ceil(MESSAGES / EACH) }, (_, index) => plan(index, world.code));
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let episodes = plans.shift(); episodes !== undefined; episodes = plans.shift()) {
        const customer = await world.customer(chaos.anyBot);
        try {
          lives.push({ customer, life: await live(customer, episodes, chaos.acknowledged) });
        } catch (error) {
          violations.push(`${customer.id}: ${error}`);
        }
      }
    }),
  );
  await chaos.end();
  violations.push(...(await leftIn(redis.url, 30_000)).map((key) => `${key} was left in the store`));
  for (const one of lives)
    violations.push(...(await wrongIn(one.customer, one.life, world.antcrm, chaos.kills())));

  const operations = lives.flatMap(({ life }) => life.operations);
  const messages = lives.reduce((sum, { life }) => sum + life.messages, 0);
  const results = Object.entries(Object.groupBy(operations, ({ heard }) => heard));
  console.log(
    `seed ${SEED}: ${messages} messages, ${chaos.kills()} kills, ${operations.length} operations`,
    `(${results.map(([result, all]) => `${all.length} ${result}`).join(', ')}), ${violations.length} violations`,
  );
  expect(violations).toEqual([]);
  expect(chaos.kills()).toBeGreaterThan(1);
});

function plan(index: number, code: () => string): Episode[] {
  let serials = 0;
  const serial = () => `TIVI7${`${index}`.padStart(4, '0')}${`${++serials}`.padStart(4, '0')}`;
  return planEpisodes(createRandom(SEED, `customer ${index}`), EACH, { code, serial });
}

/** Redemptions of one customer are one gift's, so they are told apart by their number only. */
async function wrongIn(
  customer: Customer,
  { serials, operations }: Life,
  antcrm: AntCrmServer,
  kills: number,
): Promise<string[]> {
  const earned = operations.filter(({ kind }) => kind === 'accumulate');
  const spent = operations.filter(({ kind }) => kind === 'redeem');
  const told = spent.filter(({ heard }) => heard === 'done').length;
  const withStaff = spent.filter(({ heard }) => heard === 'with staff').length;
  const applied = await antcrm.successes('redeem', customer.phone);
  const called = antcrm.posts.filter(
    ({ kind, phone }) => kind === 'redeem' && phone === customer.phone,
  ).length;
  const confirmed = await Promise.all(earned.map((one) => withCalls(one, customer, antcrm)));
  const overtold = serials.filter(
    (serial) => customer.heard.filter(({ text }) => text.includes(serial)).length > 1 + kills,
  );
  return [
    ...faultsOf({ chat: customer.id, serials, told: customer.heard, operations: confirmed }),
    ...(called > spent.length
      ? [`${customer.id}: ${spent.length} redemptions were called ${called} times`]
      : []),
    ...(applied < told || applied > told + withStaff
      ? [`${customer.id}: ${told} redemptions were told as done and ${applied} applied`]
      : []),
    ...spent
      .filter(({ heard }) => heard === 'nothing')
      .map(() => `${customer.id}: a redemption has no result`),
    ...overtold.map((serial) => `${customer.id}: ${serial} was told too often`),
  ];
}
