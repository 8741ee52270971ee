import { afterAll, expect, onTestFinished, test } from 'vitest';
import { confirmIn, GIFT } from '../support/faults-stories.ts';
import { startFaultsWorld } from '../support/faults-world.ts';
import { startRedis } from '../support/redis.ts';

const OPERATOR = 'an-operator-token-of-some-length';
const WAIT_A_MINUTE = {
  code: 429,
  description: 'Too Many Requests: retry after 60',
  parameters: { retry_after: 60 },
};

const world = await startFaultsWorld();
afterAll(() => world.stop());

test('an operation is looked up and settled while the platform takes no reply, and nothing is sent before its time', {
  timeout: 50_000,
}, async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const bot = await world.bot(redis.url, { OPERATOR_TOKEN: OPERATOR });
  onTestFinished(async () => void (await bot.kill()));
  const customer = await world.customer(() => bot);
  const sends = () =>
    world.double.calls('sendMessage').filter(({ payload }) => payload.chat_id === customer.id);
  const open = async () => {
    const headers = { authorization: `Bearer ${OPERATOR}` };
    return (await fetch(`${bot.url}/operations`, { headers })).json();
  };

  await customer.writes(`/redeem ${GIFT}`);
  await customer.hears(({ key }) => key === 'identity.proofNeeded');
  await customer.shares();
  const summary = await customer.hears(({ key }) => key === 'redeem.summary');
  world.antcrm.troubles.set(customer.phone, { kind: 'lose-answer' });
  world.double.script(`sendMessage ${customer.id}`, WAIT_A_MINUTE);
  const sent = sends().length;
  await customer.presses(confirmIn(summary));
  await expect.poll(() => sends().length, { timeout: 10_000 }).toBe(sent + 1);
  expect(await open()).toMatchObject({ operations: [{ kind: 'redeem' }] });

  await expect.poll(open, { timeout: 25_000 }).toMatchObject({ operations: [] });
  expect(sends()).toHaveLength(sent + 1);
  expect(await world.antcrm.successes('redeem', customer.phone)).toBe(1);
});
