import Fastify from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { type Running, startBot } from '../support/app.ts';

const TEN_MINUTES_MS = 10 * 60_000;
const STAFF_TOKEN = 'staff-6fJq2v-token';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A bot, and an AntCRM whose records and answers are all of a clock `aheadMs` ahead of everybody else's. */
async function start(aheadMs: number): Promise<{ bot: Running; antcrm: string }> {
  const now = () => Date.now() + aheadMs;
  const server = Fastify();
  server.addHook('onSend', async (_, reply) => void reply.header('date', new Date(now()).toUTCString()));
  await server.register(createSandbox({ now }));
  const antcrm = await server.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => server.close());
  const bot = await startBot({
    ...{ ANTCRM_BASE_URL: antcrm, ANTCRM_API_KEY: 'k3y-of-the-test', ANTCRM_TIMEOUT_MS: '1500' },
    ...{ OPERATION_CHECKS: '300ms,1s,3s', STAFF_TOKEN },
  });
  closers.push(() => bot.stop());
  return { bot, antcrm };
}

/** Redeems while AntCRM misbehaves; what is told in the end. */
async function redeem({ bot, antcrm }: Awaited<ReturnType<typeof start>>, fault: string): Promise<string> {
  const body = JSON.stringify({ call: 'redeem', fault });
  await fetch(`${antcrm}/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const client = createClient(bot.url, STAFF_TOKEN);
  const conversation = fault;
  await client.send({ conversation, text: 'đổi quà DAUMAY01' });
  const asked = await client.send({ conversation, contact: { phone: '0867123456' } });
  const replies = asked.status === 'refused' ? [] : asked.replies;
  const choice = replies.at(-1)?.choices?.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
  await client.send({ conversation, choice });
  const over = AbortSignal.timeout(30_000);
  for await (const { key } of client.events(conversation, 0, over)) {
    if (key.startsWith('operation.') && key !== 'operation.checking') return key;
  }
  return 'nothing';
}

test.each([-TEN_MINUTES_MS, TEN_MINUTES_MS])(
  'with AntCRM’s clock %i ms ahead, a lost answer is found, a lost request is with staff, and it is an alarm',
  async (aheadMs) => {
    const world = await start(aheadMs);
    expect(await redeem(world, 'lose-answer')).toBe('operation.resolved.done');
    expect(await redeem(world, 'error-500')).toBe('operation.escalated');
    const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
    const metrics = await (await fetch(`${world.bot.url}/metrics`, { headers })).text();
    expect(metrics).toMatch(/bot_alarms_total\{alarm="antcrm_clock_skew"\} 1\n/);
    const seconds = Number(/^antcrm_clock_skew_seconds (\S+)$/m.exec(metrics)?.[1]);
    expect(Math.abs(seconds - aheadMs / 1000)).toBeLessThan(2);
  },
);

test('with AntCRM’s clock right, a lost request is told as not applied', async () => {
  const world = await start(0);
  expect(await redeem(world, 'lose-answer')).toBe('operation.resolved.done');
  expect(await redeem(world, 'error-500')).toBe('operation.resolved.notApplied');
});
