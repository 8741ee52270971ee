import { afterAll, expect, test } from 'vitest';
import type { Customer } from '../support/faults-customer.ts';
import { confirmIn, earning, GIFT, isSummary } from '../support/faults-stories.ts';
import { leftIn, startFaultsWorld } from '../support/faults-world.ts';
import { startRedis } from '../support/redis.ts';
import type { Fault } from '../support/telegram-double.ts';

const world = await startFaultsWorld();
const redis = await startRedis();
const bot = await world.bot(redis.url);
afterAll(async () => {
  await bot.kill();
  await world.stop();
  await redis.stop();
});

const TOO_MANY = (seconds: number): Fault => ({
  code: 429,
  description: `Too Many Requests: retry after ${seconds}`,
  parameters: { retry_after: seconds },
});
const BAD_GATEWAY: Fault = { code: 502, description: 'Bad Gateway' };
const BLOCKED: Fault = { code: 403, description: 'Forbidden: bot was blocked by the user' };
const DELETED: Fault = { code: 400, description: 'Bad Request: chat not found' };

const customer = (): Promise<Customer> => world.customer(() => bot);

/** The next messages to this customer end so. */
const suffers = ({ id }: Customer, ...faults: Fault[]): void =>
  world.double.script(`sendMessage ${id}`, ...faults);

/** Says codes in a row, and resolves to the newest of each answer in the order in which they came. */
async function talks(who: Customer, codes: readonly string[]): Promise<string[]> {
  for (const code of codes) await who.writes(earning(code, who));
  for (const code of codes) await who.hears(isSummary(code));
  return who.heard.map(({ text }) => codes.findLast((code) => text.includes(code)) ?? text);
}

const CODES = ['TIVI700000001', 'TIVI700000002', 'TIVI700000003'];

test.concurrent.for<[what: string, faults: Fault[]]>([
  ['a storm of 429 that may be waited out', [TOO_MANY(1), TOO_MANY(1)]],
  ['a 429 that asks for longer than a turn waits', [TOO_MANY(3), TOO_MANY(1), TOO_MANY(3)]],
  ['a Telegram that answers 5xx', [BAD_GATEWAY]],
  ['a Telegram that answers pages', ['garbage']],
  ['a message that Telegram never answers', ['hang']],
])('every reply arrives once and in order after %s', async ([, faults], { expect }) => {
  const who = await customer();
  suffers(who, ...faults);
  expect(await talks(who, CODES)).toEqual(CODES);
});

test('a reply that was perhaps delivered comes again, and nothing overtakes it', async () => {
  const who = await customer();
  suffers(who, 'reset');
  expect(await talks(who, CODES)).toEqual([CODES[0], ...CODES]);
});

test('a chat that has to wait holds nobody else up', async () => {
  const [waits, other] = [await customer(), await customer()];
  suffers(waits, TOO_MANY(2), TOO_MANY(10));
  const late = talks(waits, CODES);
  expect(await talks(other, CODES)).toEqual(CODES);
  expect(waits.heard, 'the other one was answered while it waited').toEqual([]);
  expect(await late).toEqual(CODES);
});

test.concurrent.for<[who: string, fault: Fault]>([
  ['blocked the bot', BLOCKED],
  ['deleted the chat', DELETED],
])(
  'what a customer confirmed who then %s is done once, and nothing waits for them',
  async ([, fault], { expect }) => {
    const who = await customer();
    await who.writes(`/redeem ${GIFT}`);
    await who.hears(({ key }) => key === 'identity.proofNeeded');
    await who.shares();
    const summary = await who.hears(({ key }) => key === 'redeem.summary');
    const from = who.heard.length;
    const sent = attempts(who);
    suffers(who, fault, fault);
    await who.presses(confirmIn(summary));
    await expect.poll(() => attempts(who)).toBe(sent + 2);

    // They are back, and get the answer to what they say now.
    await who.writes('help');
    expect((await who.hears(() => true, from)).key).toBe('help');
    expect(await world.antcrm.successes('redeem', who.phone)).toBe(1);
  },
);

/** What was sent, whatever Telegram said to it. */
const attempts = ({ id }: Customer): number =>
  world.double.calls('sendMessage').filter(({ payload }) => payload.chat_id === id).length;

test('nothing is left in the store of chats that cannot be reached', async () => {
  expect(await leftIn(redis.url)).toEqual([]);
});
