import { afterAll, expect, test, vi } from 'vitest';
import type { Key } from '../e2e/wording.ts';
import type { Post, Trouble } from '../support/faults-antcrm.ts';
import type { Customer, Heard } from '../support/faults-customer.ts';
import {
  confirmIn,
  confirms,
  earning,
  earns,
  GIFT,
  isSummary,
  spends,
  withCalls,
} from '../support/faults-stories.ts';
import { leftIn, STAFF_TOKEN, startFaultsWorld } from '../support/faults-world.ts';
import { startRedis, until } from '../support/redis.ts';

// Most of the time everybody waits.
vi.setConfig({ maxConcurrency: 16 });

const world = await startFaultsWorld();
const redis = await startRedis('--databases', '4');
const store = redis.url;
const bot = await world.bot(store);
afterAll(async () => {
  await bot.kill();
  await world.stop();
  await redis.stop();
});

const PAGE = '<html><body>Bad gateway</body></html>';
const HTML = { 'content-type': 'text/html' };
const answer = (status: number, body: string, headers?: Record<string, string>): Trouble => ({
  kind: 'answer',
  status,
  body,
  ...(headers && { headers }),
});
const HUGE = JSON.stringify({ success: 1, more: 'x'.repeat(10_000_000) });
const ELSEWHERE = { location: `${world.antcrm.url}/redeem` };

/** What a customer reads who has confirmed, in order. */
type Told = 'done' | 'found' | 'not found' | 'refused' | 'unavailable';

function keysFor(kind: Post['kind'], told: Told): readonly Key[] {
  switch (told) {
    case 'done':
      return [`${kind}.done`];
    case 'refused':
      return [kind === 'accumulate' ? 'accumulate.refused_code' : 'redeem.refused'];
    case 'found':
      return [`operation.checking_${kind}`, 'operation.resolved.done'];
    case 'not found':
      return [`operation.checking_${kind}`, 'operation.resolved.notApplied'];
    case 'unavailable':
      return ['service.unavailable'];
  }
}

/** How AntCRM answers what was confirmed, what the customer reads then, and what the operator's log says of the call. */
const ANSWERS: readonly (readonly [what: string, trouble: Trouble, told: Told, log: string])[] = [
  ['late, but in time', { kind: 'slow', ms: 600 }, 'done', ''],
  ['after the deadline', { kind: 'slow', ms: 5000 }, 'found', '"outcome":"unknown","reason":"TimeoutError"'],
  ['never', { kind: 'hang' }, 'not found', '"outcome":"unknown","reason":"TimeoutError"'],
  ['with a cut connection', { kind: 'lose-answer' }, 'found', '"outcome":"unknown","reason":"\\w+"'],
  ['that we ask too often (429)', answer(429, '{}'), 'not found', '"outcome":"unknown","status":429'],
  ['with an error page (503)', answer(503, PAGE, HTML), 'not found', '"outcome":"unknown","status":503'],
  ['with a page that says 200', answer(200, PAGE, HTML), 'not found', '"outcome":"unknown","status":200'],
  [
    'with JSON that breaks off',
    answer(200, '{"success": 1'),
    'not found',
    '"outcome":"unknown","status":200',
  ],
  ['with ten megabytes', answer(200, HUGE), 'not found', '"outcome":"unknown","reason":"large"'],
  ['with a redirection', answer(307, '{}', ELSEWHERE), 'not found', '"outcome":"unknown","status":307'],
  ['with wrong types', answer(200, '{"success": {}}'), 'not found', '"outcome":"unknown","status":200'],
  ['with nothing', answer(200, 'null'), 'not found', '"outcome":"unknown","status":200'],
  [
    'with another word than 1',
    answer(200, '{"success": "no"}'),
    'refused',
    '"outcome":"refused","status":200',
  ],
  ['that the request is wrong (400)', answer(400, '{}'), 'refused', '"outcome":"refused","status":400'],
  ['that our key is wrong (401)', answer(401, '{}'), 'unavailable', '"outcome":"unavailable","status":401'],
];

/** All that comes before the press: the summary, and what is bought or what code is used. */
const BEGINNINGS = {
  accumulate: async (customer: Customer) => {
    const code = world.code();
    await customer.writes(earning(code, customer));
    return { code, summary: await customer.hears(isSummary(code)) };
  },
  redeem: async (customer: Customer) => ({ code: GIFT, summary: await choosesGift(customer) }),
};

const CASES = (['redeem', 'accumulate'] as const).flatMap((kind) =>
  ANSWERS.map((row) => [kind, ...row] as const),
);

test.concurrent.for(CASES)(
  'the customer reads what is true, and nothing is done twice, if AntCRM answers a request to %s %s',
  async ([kind, , trouble, told, log], { expect }) => {
    const customer = await world.customer(() => bot);
    const { code, summary } = await BEGINNINGS[kind](customer);
    const from = customer.heard.length;
    world.antcrm.troubles.set(customer.phone, trouble);
    await customer.presses(confirmIn(summary));
    const keys = keysFor(kind, told);
    await customer.hears(({ key }) => key === keys.at(-1), from);
    expect(keysOf(customer, from).slice(0, keys.length)).toEqual(keys);
    if (log !== '') await bot.line(new RegExp(`"call":"${kind}",${log}`));

    expect(world.antcrm.posts.filter(({ phone }) => phone === customer.phone)).toHaveLength(1);
    const applied = told === 'done' || told === 'found' ? 1 : 0;
    expect(await world.antcrm.successes(kind, customer.phone, code === GIFT ? undefined : code)).toBe(
      applied,
    );
  },
);

test.concurrent('AntCRM that fails every other call that earns or spends, and every third read, is told truly and called once', async ({
  expect,
  onTestFinished,
}) => {
  const { world, bot, stop } = await startOwn(2);
  onTestFinished(stop);
  const calls = { post: 0, read: 0 };
  world.antcrm.trouble = (_, post) => {
    const fails = post === null ? ++calls.read % 3 === 0 : ++calls.post % 2 === 0;
    return fails ? answer(503, PAGE, HTML) : null;
  };
  for (const [story, kind] of [
    [earns, 'accumulate'],
    [spends, 'redeem'],
  ] as const) {
    for (const heard of ['done', 'not applied'] as const) {
      const customer = await world.customer(() => bot);
      const lived = await story(customer, world);
      expect(lived).toMatchObject({ kind, heard });
      const operation = await withCalls(lived, customer, world.antcrm);
      expect(operation).toMatchObject({ heard, calls: [{ status: heard === 'done' ? 1 : 0 }] });
    }
    const failed = new RegExp(`"call":"${kind}","outcome":"unknown","status":503`);
    await expect.poll(() => bot.lines.filter((line) => failed.test(line))).toHaveLength(1);
  }
});

test.concurrent('while AntCRM comes and goes nobody is asked for data in vain, and the operator sees which it is', async ({
  expect,
  onTestFinished,
}) => {
  const { world, bot, stop } = await startOwn(3);
  onTestFinished(stop);
  const health = async () => /"antcrm":\{"status":"(\w+)"/.exec(await textOf(`${bot.url}/health/ready`))?.[1];
  const breaker = async () => /^antcrm_breaker_state (\d)/m.exec(await textOf(`${bot.url}/metrics`))?.[1];
  const customer = await world.customer(() => bot);

  async function isDown(): Promise<void> {
    world.antcrm.trouble = () => answer(503, PAGE, HTML);
    // Until the breaker has seen enough.
    do expect(await asks(customer, 'my points', 'points.balance')).toBe('service.unavailable');
    while ((await health()) === 'ok');
    expect([await health(), await breaker()]).toEqual(['degraded', '2']);
    const from = customer.heard.length;
    await customer.writes(`/redeem ${GIFT}`);
    await customer.writes(earning(world.code(), customer));
    await customer.hears(() => true, from + 1);
    expect(keysOf(customer, from)).toEqual(['service.unavailable', 'service.unavailable']);
  }

  async function isUp(): Promise<void> {
    world.antcrm.trouble = () => null;
    await until(async () => (await health()) === 'ok');
    expect(await breaker()).toBe('0');
    const [from, code] = [customer.heard.length, world.code()];
    await customer.writes(earning(code, customer));
    expect(await confirms(customer, await customer.hears(isSummary(code), from))).toBe('done');
  }

  for (const phase of [isUp, isDown, isUp, isDown]) await phase();
  const posts = world.antcrm.posts.filter(({ phone }) => phone === customer.phone);
  expect(posts.map(({ kind }) => kind)).toEqual(['accumulate', 'accumulate']);
});

/** A bot with an AntCRM and a store of its own, whose troubles are nobody else's. */
async function startOwn(database: number) {
  const world = await startFaultsWorld();
  const bot = await world.bot(`${store}/${database}`);
  return {
    world,
    bot,
    async stop() {
      await bot.kill();
      await world.stop();
    },
  };
}

/** How AntCRM answers a read, and what the operator's log says of it. */
const READINGS: readonly (readonly [what: string, trouble: Trouble, log: string])[] = [
  ['a page', answer(200, PAGE, HTML), '"outcome":"unreadable","status":200'],
  ['ten megabytes', answer(200, HUGE), '"outcome":"unavailable","reason":"large"'],
  ['a redirection', answer(302, '{}', ELSEWHERE), '"outcome":"unreadable","status":302'],
  ['a text', answer(200, '"points"'), '"outcome":"unreadable","status":200'],
  ['that we ask too often', answer(429, '{}'), '"outcome":"unavailable","status":429'],
];

/** What a customer can ask, and what it is answered from. */
const QUESTIONS = [
  { asked: 'my points', key: 'points.balance', call: 'contact', from: 'contacts' },
  { asked: 'point history, 30 days', key: 'history.page_point', call: 'history', from: 'history-point' },
] as const;

test.for(QUESTIONS)(
  '"$asked" is not answered with a guess, whatever AntCRM answers, and the next time it is',
  async ({ asked, key, call, from }) => {
    const customer = await world.customer(() => bot);
    for (const [what, trouble, log] of READINGS) {
      world.antcrm.trouble = (route) => (route === from ? trouble : null);
      expect(await asks(customer, asked, key), what).toBe('service.unavailable');
      await bot.line(new RegExp(`"call":"${call}",${log}`));
      world.antcrm.trouble = () => null;
      expect(await asks(customer, asked, key), what).toBe(key);
    }
  },
);

test('while AntCRM is down the customer is told that nothing was changed', async () => {
  const lonely = await world.bot(`${store}/1`, { ANTCRM_BASE_URL: 'http://127.0.0.1:1' });
  const customer = await world.customer(() => lonely);
  const summary = await choosesGift(customer);
  const from = customer.heard.length;
  await customer.presses(confirmIn(summary));
  await customer.hears(({ key }) => key === 'service.unavailable', from);
  await lonely.line(/"outcome":"unavailable","reason":"ECONNREFUSED"/);
  await lonely.kill();
});

test('nothing is left in the store, and no alarm but for the key', async () => {
  expect(await leftIn(store)).toEqual([]);
  const alarms = bot.lines.flatMap((line) => /"alarm":"(\w+)"/.exec(line)?.[1] ?? []);
  expect(new Set(alarms)).toEqual(new Set(['antcrm_key_refused']));
});

async function choosesGift(customer: Customer): Promise<Heard> {
  await customer.writes(`/redeem ${GIFT}`);
  await customer.hears(({ key }) => key === 'identity.proofNeeded');
  await customer.shares();
  return customer.hears(({ key }) => key === 'redeem.summary');
}

/** Resolves to what the question is answered with: `key`, or that the service is not available. */
async function asks(customer: Customer, question: string, key: Key): Promise<Key | undefined> {
  const from = customer.heard.length;
  await customer.writes(question);
  const isAnswer = (one: Heard) => one.key === 'service.unavailable' || one.key === key;
  const next = await customer.hears((one) => one.key === 'identity.proofNeeded' || isAnswer(one), from);
  if (isAnswer(next)) return next.key;
  await customer.shares();
  return (await customer.hears(isAnswer, from)).key;
}

const textOf = async (url: string): Promise<string> =>
  (await fetch(url, { headers: { authorization: `Bearer ${STAFF_TOKEN}` } })).text();

const keysOf = ({ heard }: Customer, from: number): (Key | undefined)[] =>
  heard.slice(from).map(({ key }) => key);
