import { inspect } from 'node:util';
import { TelegramError } from 'telegraf';
import { expect, it } from 'vitest';
import { TelegramApi } from '../../../src/channels/telegram/api.ts';
import { createBot } from './harness.ts';

it('a call that is given up before it is connected is never sent', async () => {
  const { double } = await createBot();
  const api = new TelegramApi({ token: double.token, apiRoot: double.url });
  const aborted = api.callApi('sendMessage', { chat_id: 1, text: 'never' }, { signal: AbortSignal.abort() });
  await expect(aborted).rejects.toMatchObject({ meaning: { kind: 'undelivered' } });
  await api.sendMessage(1, 'sent');
  expect(double.calls().map(({ payload }) => payload.text)).toEqual(['sent']);
});

it('a refusal is telegraf’s error, without the token and without what was sent', async () => {
  const { double } = await createBot();
  const api = new TelegramApi({ token: double.token, apiRoot: double.url });
  double.script('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
  const error: unknown = await api.sendMessage(42, '0867123456').catch((error: unknown) => error);
  expect(error).toBeInstanceOf(TelegramError);
  const shown = inspect(error);
  expect(shown).toContain('403: Forbidden');
  expect(shown).not.toContain(double.token);
  expect(shown).not.toContain('0867123456');
});
