import { expect, it } from 'vitest';
import { TelegramApi } from '../../../src/channels/telegram/api.ts';
import { runCli } from '../../../src/channels/telegram/cli.ts';
import { commands } from '../../support/conversation.ts';
import { words } from '../harness.ts';
import { createBot, SECRET } from './harness.ts';

async function createCli(publicUrl?: string) {
  const { double } = await createBot();
  const api = new TelegramApi({ token: double.token, apiRoot: double.url });
  const lines: string[] = [];
  const options = { api, publicUrl, secret: SECRET, defaultLocale: 'vi', words, commands } as const;
  const run = (command: 'info' | 'set' | 'delete') =>
    runCli(command, options, (line) => void lines.push(line));
  return { double, lines, run };
}

it('info says who the bot is and where its updates go', async () => {
  const { run, lines } = await createCli();
  expect(await run('info')).toBe(0);
  expect(lines).toEqual(['bot: @LoyaltyTestBot (4242)', 'webhook: none', 'pending_update_count: 0']);
});

it('set registers everything, delete removes the webhook', async () => {
  const { run, lines, double } = await createCli('https://bot.example.com/');
  expect(await run('set')).toBe(0);
  expect(await run('info')).toBe(0);
  expect(lines).toContain('webhook: https://bot.example.com/webhooks/telegram');
  expect(await run('delete')).toBe(0);
  expect(double.calls('deleteWebhook')).toHaveLength(1);
});

it('a refusal is shown and is the exit code', async () => {
  const { run, lines, double } = await createCli();
  double.script('deleteWebhook', { code: 401, description: 'Unauthorized' });
  expect(await run('delete')).toBe(1);
  expect(lines).toEqual(['deleteWebhook: unauthorized (401: Unauthorized)']);
});
