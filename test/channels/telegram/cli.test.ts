import { expect, it } from 'vitest';
import { TelegramApi } from '../../../src/channels/telegram/api.ts';
import { runCli } from '../../../src/channels/telegram/cli.ts';
import { LOCALES } from '../../../src/conversation/message.ts';
import { commands } from '../../support/conversation.ts';
import { words } from '../harness.ts';
import { createBot, SECRET } from './harness.ts';

it('sets and deletes the webhook, and says who the bot is, where its updates go, and what was refused', async () => {
  const { double } = await createBot();
  const api = new TelegramApi({ token: double.token, apiRoot: double.url });
  const publicUrl = 'https://bot.example.com';
  const options = { api, publicUrl, secret: SECRET, defaultLocale: 'vi', words, commands } as const;
  async function run(command: 'info' | 'set' | 'delete') {
    const lines: string[] = [];
    return [await runCli(command, options, (line) => void lines.push(line)), ...lines];
  }
  const about = (url: string) => [
    0,
    'bot: @LoyaltyTestBot (4242)',
    `webhook: ${url}`,
    'pending_update_count: 0',
  ];
  expect(await run('set')).toEqual(about('https://bot.example.com/webhooks/telegram'));
  expect(double.calls('setMyCommands')).toHaveLength(LOCALES.length + 1);
  expect(await run('delete')).toEqual(about('none'));
  double.script('getMe', { code: 401, description: 'Unauthorized' });
  expect(await run('info')).toEqual([1, 'getMe 401 Unauthorized']);
});
