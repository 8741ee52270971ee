import { Composer } from 'telegraf';
import { expect, it, vi } from 'vitest';
import { createPerson } from '../../support/telegram-updates.ts';
import { createBot, SECRET } from './harness.ts';

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
