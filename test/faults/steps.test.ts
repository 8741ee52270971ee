import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { faultsOf } from '../support/checker.ts';
import type { Customer } from '../support/faults-customer.ts';
import {
  earns,
  earnsSeveral,
  isSummary,
  type Lived,
  repeatsIn,
  type Story,
  saying,
  spends,
  withCalls,
  withoutAnswer,
} from '../support/faults-stories.ts';
import { type FaultsWorld, leftIn, startFaultsWorld } from '../support/faults-world.ts';
import type { Bot } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';

/** What was confirmed, and the word that the answer to the first message repeats. */
type Told = (
  customer: Customer,
  world: FaultsWorld,
) => Promise<{ readonly word: string | undefined; readonly lived: readonly Lived[] }>;

function one(story: Story): Told {
  return async (customer, world) => {
    const lived = await story(customer, world);
    return { word: lived.kind === 'accumulate' ? lived.code : undefined, lived: [lived] };
  };
}

/** Around whatever is done for money, and one of each of the rest; the long form dies at every call. */
const STORIES: readonly { name: string; story: Told; points: readonly string[] }[] = [
  {
    name: 'earning points',
    story: one(earns),
    points: [
      ...['store.accept#1:before', 'store.accept#2:after', 'store.intend#1:after'],
      ...['antcrm.accumulate#1:after', 'store.commit#2:after'],
    ],
  },
  {
    name: 'earning points when the answer is lost',
    story: one(withoutAnswer(earns)),
    points: ['store.take#1:after'],
  },
  {
    name: 'earning points by several codes',
    story: earnsSeveral,
    points: [
      ...['store.intend#1:after', 'store.commit#2:after', 'store.intend#2:before'],
      ...['antcrm.accumulate#2:after', 'store.intend#3:after'],
      'store.commit#2:before',
      'antcrm.accumulate#3:after',
    ],
  },
  {
    name: 'spending points',
    story: one(spends),
    points: [
      ...['store.lock#1:after', 'antcrm.redeem#1:before', 'antcrm.redeem#1:after', 'store.commit#3:before'],
      ...['telegram.deliver#3:after', 'store.unlock#1:before'],
    ],
  },
  {
    name: 'spending points when the answer is lost',
    story: one(withoutAnswer(spends)),
    points: ['store.lock#2:after', 'store.commit#4:after'],
  },
];

/** A turn has so many replies at most in these stories, one of them in two messages. */
const TURN = 2;
/**
 * At every call that was seen once. How often AntCRM is asked for a record hangs on time, so a few calls may not come
 * again, and nobody dies there; of the points that were picked for the short form none may be missed.
 */
const LONG = process.env.FAULTS === 'long';
const DEAD_SHARE = LONG ? 0.9 : 1;
/** How long somebody who does not die is waited for. */
const PATIENCE_MS = 5000;

const world = await startFaultsWorld();
const redis = await startRedis('--appendfsync', 'always', '--databases', '2000');
afterAll(async () => {
  await world.stop();
  await redis.stop();
});

let stores = 0;
/** On the same server. */
const ownStore = (): string => `${redis.url}/${stores++}`;

/** Before and after every call that the story makes while nobody dies. */
async function everyPoint(story: Told): Promise<string[]> {
  const store = ownStore();
  const bot = await world.bot(store, { FAULT_TRACE: 'on' });
  const customer = await world.customer(() => bot);
  await story(customer, world);
  await leftIn(store);
  await bot.kill();
  const calls = bot.lines.flatMap((line) => /^calls (\S+)$/.exec(line)?.[1] ?? []);
  return calls.flatMap((call) => [`${call}:before`, `${call}:after`]).filter((point) => !UNKNOWN.test(point));
}

/** A claim is known to be one only when it has found work. */
const UNKNOWN = /^store\.claim#\d+:before$/;

/** Which points were tried, and those of them where nobody died. */
const tried: string[] = [];
const survived: string[] = [];

/** Lives the story with a bot that dies at `point` and another one that is started then. Returns what was wrong. */
async function dieAt(point: string, story: Told): Promise<string[]> {
  const store = ownStore();
  let bot: Bot | undefined = await world.bot(store, { FAULT_POINT: point });
  const dies = bot.ended.then(({ signal }) => signal);
  const reborn = dies.then(async () => {
    bot = undefined;
    bot = await world.bot(store);
  });
  const customer = await world.customer(() => bot);
  const { word, lived } = await story(customer, world);
  const left = await leftIn(store);
  const signal = await Promise.race([dies, delay(PATIENCE_MS)]);
  if (signal === 'SIGKILL') await reborn;
  else survived.push(point);
  await bot?.kill();
  tried.push(point);

  const { id: chat, heard } = customer;
  const serials = word === undefined ? [] : [word];
  const operations = await Promise.all(lived.map((each) => withCalls(each, customer, world.antcrm)));
  const repeats = repeatsIn(heard);
  return [
    ...faultsOf({ chat, serials, told: heard, operations }),
    ...left.map((key) => `${key} was left in the store`),
    ...(repeats.length > TURN || isScattered(repeats) ? [`messages ${repeats} were repeats`] : []),
  ];
}

const isScattered = (places: readonly number[]): boolean =>
  places.some((place, at) => at > 0 && place !== (places[at - 1] ?? 0) + 1);

for (const { name, story, points } of STORIES) {
  const all = LONG ? await everyPoint(story) : points;
  describe(`killed while ${name}, the bot loses nothing, does nothing twice and tells the result`, () => {
    test.concurrent.for(all)('at %s', async (point, { expect }) => {
      expect(await dieAt(point, story)).toEqual([]);
    });
  });
}

test('nearly everywhere somebody died', () => {
  const named = `nobody died at ${survived.join(', ')}`;
  expect(tried.length - survived.length, named).toBeGreaterThanOrEqual(DEAD_SHARE * tried.length);
});

/** As many as a mailbox holds, and some more; sent in far less time than the lease of the dead process lives on. */
const FLOOD = 60;
const HELD = 50;
const LONG_LEASE = { FAULT_LEASE_MS: '20000' };

test.concurrent('what does not fit into the mailbox of a dead process is refused with a notice, the rest applied in order', async ({
  expect,
}) => {
  const store = ownStore();
  const dying = await world.bot(store, { FAULT_POINT: 'store.commit#1:before', ...LONG_LEASE });
  const other = await world.bot(store, LONG_LEASE);
  let bot = dying;
  const customer = await world.customer(() => bot);
  const words = Array.from({ length: FLOOD }, (_, index) => `w6000000${10 + index}`);
  const [first = '', ...rest] = words;
  await customer.writes(saying(first, customer));
  await dying.ended;
  bot = other;
  for (const word of rest) await customer.writes(saying(word, customer));
  await customer.hears(isSummary(words[HELD - 1] ?? ''));

  expect(await leftIn(store)).toEqual([]);
  const told = customer.heard.flatMap(({ text }) => words.find((word) => text.includes(word)) ?? []);
  expect(told).toEqual(words.slice(0, HELD));
  expect(customer.heard.filter(({ key }) => key === 'abuse.flood')).toHaveLength(1);
  await other.kill();
});
