import { EventEmitter, once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { faultsOf } from '../support/checker.ts';
import { type AntCrmServer, losingAnswers } from '../support/faults-antcrm.ts';
import { type Kill, startChaos, unexplained } from '../support/faults-chaos.ts';
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
/** So few that a turn mostly ends before its process does. */
const AT_ONCE = 20;
/** The same seed: the same episodes, the same lives of the processes, the same troubles of AntCRM. */
const SEED = Number(process.env.FAULTS_SEED ?? (LONG ? Date.now() % 1_000_000 : 4711));

test(`whichever process is killed, each of ${MESSAGES} messages is applied once, and points are earned and spent once`, {
  timeout: 30 * 60_000,
}, async () => {
  const redis = await startRedis('--appendfsync', 'always');
  const world = await startFaultsWorld();
  world.antcrm.trouble = losingAnswers(SEED);
  const chaos = await startChaos(SEED, redis, () => world.bot(redis.url));
  onTestFinished(async () => {
    await chaos.end();
    await chaos.stop();
    await world.stop();
    await redis.stop();
  });

  const violations: string[] = [];
  const lives: { customer: Customer; life: Life }[] = [];
  const plans = Array.from({ length: Math.ceil(MESSAGES / EACH) }, (_, index) =>
    plan(SEED, index, world.code),
  );
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
  const left = await leftIn(redis.url);
  const forStaff = lives.flatMap(({ customer }) =>
    customer.heard.flatMap(({ key, text }) => (key === 'operation.escalated' ? text : [])),
  );
  const isForStaff = (one: string) => forStaff.some((text) => text.includes(one.split(' of ')[1] ?? one));
  violations.push(...left.filter((one) => !isForStaff(one)).map((one) => `${one} was left in the store`));
  for (const one of lives)
    violations.push(...(await wrongIn(one.customer, one.life, world.antcrm, chaos.kills)));

  const operations = lives.flatMap(({ life }) => life.operations);
  const messages = lives.reduce((sum, { life }) => sum + life.messages, 0);
  const results = Object.entries(Object.groupBy(operations, ({ heard }) => heard));
  console.log(
    `seed ${SEED}: ${messages} messages, ${chaos.kills.length} kills, ${operations.length} operations`,
    `(${results.map(([result, all]) => `${all.length} ${result}`).join(', ')}; ${forStaff.length} left to staff),`,
    `${violations.length} violations`,
  );
  expect(violations).toEqual([]);
  expect(chaos.kills.length).toBeGreaterThan(1);
});

test('a seed brings the same episodes, lives and troubles again, and another seed others', async () => {
  const [one, same, other] = [await scheduleOf(7), await scheduleOf(7), await scheduleOf(8)];
  expect(same).toEqual(one);
  expect(other.episodes).not.toEqual(one.episodes);
  expect(other.lives).not.toEqual(one.lives);
  expect(other.troubles).not.toEqual(one.troubles);
});

/** All that a seed decides, over so many messages, with processes that only pretend to live. */
async function scheduleOf(seed: number, messages = 600) {
  let codes = 0;
  const trouble = losingAnswers(seed);
  return {
    episodes: Array.from({ length: 5 }, (_, index) => plan(seed, index, () => `code ${++codes}`)),
    lives: await livesOf(seed, messages),
    troubles: Array.from({ length: messages }, () => trouble('contacts', null)),
  };
}

/** Who dies, after how many acknowledged messages. Each is back before the next message. */
async function livesOf(seed: number, messages: number): Promise<string[]> {
  const news = new EventEmitter();
  const born = async () => void news.emit('born');
  const redis = { kill: async () => {}, start: born };
  const chaos = await startChaos(seed, redis, async () => {
    await born();
    return { url: '', kill: async () => ({ code: null, signal: null }) };
  });
  const deaths: string[] = [];
  for (let message = 1; message <= messages; message++) {
    chaos.acknowledged();
    await new Promise(setImmediate);
    const dead = chaos.kills.slice(deaths.length);
    for (const { who } of dead) deaths.push(`${who} after ${message}`);
    while (chaos.kills.some(({ untilMs }) => !Number.isFinite(untilMs))) {
      await once(news, 'born');
      await new Promise(setImmediate);
    }
  }
  await chaos.end();
  return deaths;
}

test('an answer may come again once for each kill in between, and not more often', () => {
  const heard = (...tellings: [text: string, atMs: number][]) =>
    tellings.map(([text, atMs]) => ({ text, atMs }));
  const kill = (fromMs: number, untilMs: number) => ({ fromMs, untilMs });
  const told = heard(['A', 1], ['A', 5], ['B', 6], ['B', 9]);
  const again = (serial: string) => `${serial} was told again, and nobody was killed`;

  expect(unexplained(['A', 'B'], told, [kill(2, 4), kill(7, 8)])).toEqual([]);
  expect(unexplained(['A', 'B'], told, [kill(2, 7)])).toEqual([again('B')]);
  expect(unexplained(['A', 'B'], told, [kill(7, 8), kill(7, 8), kill(10, 11)])).toEqual([again('A')]);
  expect(unexplained(['A'], heard(['A', 1], ['A', 5], ['A', 6]), [kill(2, 4), kill(2, 3)])).toEqual([
    again('A'),
  ]);
});

function plan(seed: number, index: number, code: () => string): Episode[] {
  let serials = 0;
  const serial = () => `w7${`${index}`.padStart(4, '0')}${`${++serials}`.padStart(4, '0')}`;
  return planEpisodes(createRandom(seed, `customer ${index}`), EACH, { code, serial });
}

/** Redemptions of one customer are one gift's, so they are told apart by their number only. */
async function wrongIn(
  customer: Customer,
  { serials, operations }: Life,
  antcrm: AntCrmServer,
  kills: readonly Kill[],
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
    ...unexplained(serials, customer.heard, kills).map((what) => `${customer.id}: ${what}`),
  ];
}
