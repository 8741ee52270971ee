import { Composer, Telegram } from 'telegraf';
import { expect, it, vi } from 'vitest';
import { answerOf, BotApi } from '../../../src/channels/telegram/api.ts';
import { createClient } from '../../../src/channels/telegram/client.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { createBot, outgoing, SECRET } from './harness.ts';

it('telegraf writes each call that is sent', async () => {
  const sending = vi.spyOn(Telegram.prototype, 'sendMessage');
  const { channel, double } = await createBot();
  await channel.deliver(outgoing({ key: 'k' }), 1);
  expect(sending).toHaveBeenCalledOnce();
  expect(double.calls('sendMessage')).toHaveLength(1);
  sending.mockRestore();
});

it('telegraf routes each update', async () => {
  const { app, accepted } = await createBot();
  const routing = vi.spyOn(Composer.prototype, 'middleware');
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET };
  const payload = createPerson(42).writes('hi');
  await app.inject({ method: 'POST', url: '/webhooks/telegram', headers, payload });
  expect(routing).toHaveBeenCalledOnce();
  expect(accepted.map(({ message }) => message)).toEqual([{ kind: 'text', text: 'hi' }]);
  routing.mockRestore();
});

it('a refusal is told without the token and without what was sent', async () => {
  const { double } = await createBot();
  const api = new BotApi(createClient({ token: double.token, apiRoot: double.url }));
  double.script('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
  const refusal = await api.sendMessage(42, '0867123456').catch((error: unknown) => error);
  const told = JSON.stringify(refusal) + String(refusal) + JSON.stringify({ ...api });
  expect(told).toContain('403: Forbidden');
  expect(told).not.toContain(double.token);
  expect(told).not.toContain('0867123456');
  expect(await answerOf(api.getMe())).toMatchObject({ ok: true });
});
