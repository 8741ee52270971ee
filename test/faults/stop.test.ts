import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Around } from '../../src/app.ts';
import { says } from '../e2e/wording.ts';
import { gate } from '../engine/bot.ts';
import { startBot } from '../support/app.ts';
import { startRedis } from '../support/redis.ts';
import { createTeamsCustomer } from '../support/teams-customer.ts';
import { startTeamsDouble } from '../support/teams-double.ts';
import { startTelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

const redis = await startRedis();
const telegram = await startTelegramDouble();
const teams = await startTeamsDouble();
afterAll(async () => {
  await Promise.all([telegram.close(), teams.close()]);
  await redis.stop();
});

const SECRET = 'webhook-secret';
const APP_ID = '00000000-0000-4000-8000-000000004244';
const PATIENCE = { timeout: 20_000 };

/** A process over the one store; its accumulations wait for `open`, and `called` counts them. */
async function createProcess() {
  const open = gate();
  let called = 0;
  const antcrm: Around['antcrm'] = (port) => ({
    ...port,
    async accumulate(...asked) {
      called += 1;
      await open.opened;
      return port.accumulate(...asked);
    },
  });
  const env = {
    REDIS_URL: redis.url,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    TEAMS_AUTH: 'off',
    TEAMS_SERVICE_HOSTS: teams.host,
  };
  const bot = await startBot(env, { around: { antcrm } });
  return { ...bot, open: open.open, called: () => called };
}
type Process = Awaited<ReturnType<typeof createProcess>>;

const earning = (code: string) => `earn ${code} 0912345678 minh@example.vn`;

/** Someone on Telegram who has confirmed an accumulation, which is under way now. */
async function earnsOnTelegram({ url }: Process, id: number, code: string) {
  const person = createPerson(id, { language_code: 'en' });
  const webhook = { url: `${url}/webhooks/telegram`, secret: SECRET };
  await telegram.post(person.writes(earning(code)), webhook);
  const confirm = () =>
    telegram
      .shown(id)
      .flatMap(({ message_id, buttons }) => buttons.flat().map((button) => ({ message_id, ...button })))
      .find(({ callback_data }) => callback_data?.startsWith('confirm:'));
  await expect.poll(confirm, PATIENCE).toBeDefined();
  const { callback_data = '', message_id = 0 } = confirm() ?? {};
  await telegram.post(person.presses(callback_data, message_id), webhook);
  return {
    receipts: () => telegram.shown(id).filter(({ text }) => says(text, 'accumulate.done', 'en')).length,
    writes: (text: string) => telegram.post(person.writes(text), webhook),
  };
}

async function earnsOnTeams({ url }: Process, code: string) {
  const customer = createTeamsCustomer(teams, { url, appId: APP_ID });
  await customer.writes(earning(code));
  await expect.poll(() => customer.said().join('\n'), PATIENCE).toContain(code);
  await customer.presses('confirm');
  return { receipts: () => customer.said().filter((text) => says(text, 'accumulate.done', 'en')).length };
}

const answerSchema = z.object({
  status: z.string(),
  replies: z.array(z.object({ key: z.string(), choices: z.array(z.object({ id: z.string() })).optional() })),
});

async function asStaff({ url }: Process, message: object) {
  const response = await fetch(`${url}/webhooks/staff`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ conversation: 'qa-stop', locale: 'en', ...message }),
  });
  return { status: response.status, body: await response.json() };
}

async function earnsAsStaff(bot: Process, code: string) {
  const summary = answerSchema.parse((await asStaff(bot, { text: earning(code) })).body);
  const choices = summary.replies.flatMap((reply) => reply.choices ?? []);
  const confirm = choices.find(({ id }) => id.startsWith('confirm:'))?.id;
  return asStaff(bot, { choice: confirm });
}

test('a customer who earns points while the process stops is told once, on every channel, by this process or the next', async () => {
  const first = await createProcess();
  const atTelegram = await earnsOnTelegram(first, 4001, 'TIVI000000001');
  const atTeams = await earnsOnTeams(first, 'TIVI000000002');
  const waits = await earnsOnTelegram(first, 4002, 'TIVI000000003');
  const asked = earnsAsStaff(first, 'TIVI000000004');
  await expect.poll(first.called, PATIENCE).toBe(4);
  // What cannot be delivered before the end stays for the next process.
  const tooMany = { code: 429, description: 'Too Many Requests', parameters: { retry_after: 3 } };
  telegram.script('sendMessage 4002', tooMany);

  const startedMs = performance.now();
  const stopped = first.stop();
  expect((await waits.writes('help')).status).toBe(503);
  expect((await asStaff(first, { text: 'help' })).status).toBe(503);
  expect((await fetch(`${first.url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${first.url}/health/live`)).status).toBe(200);
  first.open();
  const { body } = await asked;
  const { status, replies } = answerSchema.parse(body);
  expect([status, replies[0]?.key]).toEqual(['done', 'accumulate.done']);
  await stopped;
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect([atTelegram.receipts(), atTeams.receipts(), waits.receipts()]).toEqual([1, 1, 0]);

  const second = await createProcess();
  await expect.poll(waits.receipts, PATIENCE).toBe(1);
  // Whatever the second would tell anew, it would have told by now: it looks at every shard within 2 s.
  await delay(2500);
  expect([atTelegram.receipts(), atTeams.receipts(), waits.receipts()]).toEqual([1, 1, 1]);
  expect(second.called()).toBe(0);
  await second.stop();
});
