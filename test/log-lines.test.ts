import { expect, test } from 'vitest';
import { z } from 'zod';
import { createClient } from '../src/channels/staff/client.ts';
import { startBot } from './support/app.ts';

const lineSchema = z.looseObject({ level: z.number(), msg: z.string() });
const INFO = 30;
const WARN = 40;

/** A bot over the sandbox, and what it logged so far. */
async function setUp(env: Readonly<Record<string, string>> = {}) {
  const written: string[] = [];
  const bot = await startBot(env, { log: { write: (line) => written.push(line) } });
  return { bot, lines: () => written.map((line) => lineSchema.parse(JSON.parse(line))) };
}

test('a lost answer says that the outcome is unknown, and of which operation; so does what became of it', async () => {
  const { bot, lines } = await setUp({ ANTCRM_TIMEOUT_MS: '2000', OPERATION_CHECKS: '100ms,3s,9s' });
  await fetch(`${bot.url}/sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ call: 'redeem', fault: 'lose-answer' }),
  });
  const client = createClient(bot.url);
  const conversation = 'qa';
  const asked = await client.send({ conversation, text: 'đổi DAUMAY01 0867123456' });
  if (asked.status === 'refused') throw new Error(asked.problem.title);
  const confirm = asked.replies
    .flatMap(({ choices = [] }) => choices)
    .find(({ id }) => id.startsWith('confirm:'));
  await client.send({ conversation, choice: confirm?.id ?? '' });
  await expect.poll(() => lines().some(({ msg }) => msg === 'an unknown outcome was resolved')).toBe(true);
  const [, operation] = confirm?.id.split(':') ?? [];
  const about = { operation, conversation: expect.stringMatching(/^[\w-]{22}$/) };
  expect(lines().find(({ call, outcome }) => call === 'redeem' && outcome === 'unknown')).toMatchObject({
    level: WARN,
    msg: 'Outcome unknown: AntCRM may have done it',
    ...about,
  });
  expect(lines().find(({ msg }) => msg === 'an unknown outcome was resolved')).toMatchObject({
    level: INFO,
    was: 'checking',
    outcome: 'done',
    ...about,
  });
  await bot.stop();
});

test('the start and the stop of each channel are told', async () => {
  const { bot, lines } = await setUp();
  await bot.stop();
  const told = lines().filter(({ channel }) => channel !== undefined);
  expect(told).toMatchObject([
    { level: INFO, channel: 'staff', msg: 'channel started' },
    { level: INFO, channel: 'staff', msg: 'channel stopped' },
  ]);
});
