import { afterAll, expect, test } from 'vitest';
import type { Key } from '../e2e/wording.ts';
import type { Trouble } from '../support/faults-antcrm.ts';
import type { Customer, Heard } from '../support/faults-customer.ts';
import { confirmIn, GIFT } from '../support/faults-stories.ts';
import { leftIn, startFaultsWorld } from '../support/faults-world.ts';
import { startRedis } from '../support/redis.ts';

const world = await startFaultsWorld();
const redis = await startRedis('--databases', '2');
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

const CHECKED = ['operation.checking_redeem', 'operation.resolved.notApplied'] as const;
const FOUND = ['operation.checking_redeem', 'operation.resolved.done'] as const;

/** How AntCRM answers a redemption, what the customer reads after confirming it, and what the operator's log says. */
const ANSWERS: readonly [what: string, trouble: Trouble, told: readonly Key[], log: RegExp | null][] = [
  ['late, but in time', { kind: 'slow', ms: 600 }, ['redeem.done'], null],
  ['after the deadline', { kind: 'slow', ms: 2500 }, FOUND, /"outcome":"unknown","reason":"timeout"/],
  ['never', { kind: 'hang' }, CHECKED, /"outcome":"unknown","reason":"timeout"/],
  ['with a cut connection', { kind: 'lose-answer' }, FOUND, /"outcome":"unknown","reason":"\w+"/],
  ['that we ask too often (429)', answer(429, '{}'), CHECKED, /"outcome":"unknown","status":429/],
  ['with an error page (503)', answer(503, PAGE, HTML), CHECKED, /"outcome":"unknown","status":503/],
  ['with a page that says 200', answer(200, PAGE, HTML), CHECKED, /"outcome":"unknown","status":200/],
  ['with JSON that breaks off', answer(200, '{"success": 1'), CHECKED, /"outcome":"unknown","status":200/],
  ['with ten megabytes', answer(200, HUGE), CHECKED, /"outcome":"unknown","status":200/],
  ['with a redirection', answer(307, '{}', ELSEWHERE), CHECKED, /"outcome":"unknown","status":307/],
  ['with wrong types', answer(200, '{"success": {}}'), CHECKED, /"outcome":"unknown","status":200/],
  ['with nothing', answer(200, 'null'), CHECKED, /"outcome":"unknown","status":200/],
  [
    'with another word than 1',
    answer(200, '{"success": "no"}'),
    ['redeem.refused'],
    /"outcome":"refused","status":200/,
  ],
  [
    'that the request is wrong (400)',
    answer(400, '{}'),
    ['redeem.refused'],
    /"outcome":"refused","status":400/,
  ],
  ['that our key is wrong (401)', answer(401, '{}'), ['service.unavailable'], /"alarm":"antcrm_key_refused"/],
];

test.concurrent.for(ANSWERS)(
  'the customer reads what is true, and points are spent once at most, if AntCRM answers %s',
  { timeout: 60_000 },
  async ([, trouble, told, log], { expect }) => {
    const customer = await world.customer(() => bot);
    const summary = await choosesGift(customer);
    const from = customer.heard.length;
    world.antcrm.troubles.set(customer.phone, trouble);
    await customer.presses(confirmIn(summary));
    await customer.hears(({ key }) => key === told.at(-1), from);
    expect(keysOf(customer, from).slice(0, told.length)).toEqual(told);
    if (log !== null) await bot.line(log);

    expect(world.antcrm.posts.filter(({ phone }) => phone === customer.phone)).toHaveLength(1);
    const done = told.some((key) => key.endsWith('.done'));
    expect(await world.antcrm.successes('redeem', customer.phone)).toBe(done ? 1 : 0);
  },
);

/** How AntCRM answers when it is asked for a customer's points. */
const READINGS: readonly [what: string, trouble: Trouble, log: RegExp][] = [
  ['a page', answer(200, PAGE, HTML), /"call":"contact","outcome":"unreadable","status":200/],
  ['ten megabytes', answer(200, HUGE), /"call":"contact","outcome":"unreadable","status":200/],
  ['a redirection', answer(302, '{}', ELSEWHERE), /"call":"contact","outcome":"unreadable","status":302/],
  ['a text', answer(200, '"points"'), /"call":"contact","outcome":"unreadable","status":200/],
  ['that we ask too often', answer(429, '{}'), /"call":"contact","outcome":"unavailable","status":429/],
];

test('a question is not answered with a guess, whatever AntCRM answers, and the next one is', async () => {
  const customer = await world.customer(() => bot);
  for (const [what, trouble, log] of READINGS) {
    world.antcrm.trouble = (route) => (route === 'contacts' ? trouble : null);
    expect(await asksForPoints(customer), what).toBe('service.unavailable');
    await bot.line(log);
    world.antcrm.trouble = () => null;
    expect(await asksForPoints(customer), what).toBe('points.balance');
  }
}, 60_000);

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

async function asksForPoints(customer: Customer): Promise<Key | undefined> {
  const from = customer.heard.length;
  await customer.writes('my points');
  const isAnswer = ({ key }: Heard) => key === 'service.unavailable' || key === 'points.balance';
  const next = await customer.hears((one) => one.key === 'identity.proofNeeded' || isAnswer(one), from);
  if (isAnswer(next)) return next.key;
  await customer.shares();
  return (await customer.hears(isAnswer, from)).key;
}

const keysOf = ({ heard }: Customer, from: number): (Key | undefined)[] =>
  heard.slice(from).map(({ key }) => key);
