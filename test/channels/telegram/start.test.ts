import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Accept } from '../../../src/channels/channel.ts';
import { LOCALES } from '../../../src/conversation/message.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { understand } from '../../support/conversation.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { CHAT, createBot, SECRET } from './harness.ts';

const minh = createPerson(CHAT);
const menuSchema = z.object({
  commands: z.array(z.object({ command: z.string(), description: z.string() })),
});

describe('at start', () => {
  it('the webhook, the commands and the descriptions are registered, in each language and a default', async () => {
    const { channel, double } = await createBot({ publicUrl: 'https://bot.example.com' });
    await channel.start?.();
    await double.called('setMyShortDescription', ({ language_code }) => language_code === LOCALES.at(-1));
    expect(double.calls('setWebhook').map(({ payload }) => payload)).toEqual([
      {
        url: 'https://bot.example.com/webhooks/telegram',
        secret_token: SECRET,
        allowed_updates: ['message', 'callback_query', 'my_chat_member'],
        max_connections: 100,
      },
    ]);
    for (const method of ['setMyCommands', 'setMyDescription', 'setMyShortDescription']) {
      const languages = double.calls(method).map(({ payload }) => payload.language_code);
      expect(languages).toEqual([undefined, ...LOCALES]);
    }
    const menus = double.calls('setMyCommands').map(({ payload }) => menuSchema.parse(payload).commands);
    expect(menus[0]).toEqual(menus[1]);
    expect(menus[1]?.[0]).toEqual({ command: 'tichdiem', description: 'vi:telegram.command.accumulate' });
    expect(menus[2]?.[0]).toEqual({ command: 'accumulate', description: 'en:telegram.command.accumulate' });
    for (const { command } of menus.flat()) expect(understand(`/${command}`).act).toMatch(/./);
  });

  it('does not wait for Telegram, and goes on trying until it is registered', async () => {
    const { channel, double, said } = await createBot({
      publicUrl: 'https://bot.example.com',
      timeoutMs: 1000,
      checkEveryMs: 5,
    });
    const [gone, away] = [401, 502].map((code) => ({ code, description: 'x' }));
    if (gone && away) double.script('setWebhook', 'hang', away, 'garbage', gone);
    double.script('setMyCommands', { code: 429, description: 'x' });
    double.script('setMyDescription', { code: 400, description: 'Bad Request: too long' });
    await channel.start?.();
    await double.called('setMyShortDescription', ({ language_code }) => language_code === 'en');
    await expect.poll(() => double.calls('setWebhook').length).toBe(5);
    // Put off, the first is tried again; refused, it is not, and the operator is told.
    expect([double.calls('setMyCommands').length, double.calls('setMyDescription').length]).toEqual([4, 3]);
    expect(said.join()).toContain('Bad Request: too long');
  });
});

describe('polling', () => {
  it('removes the webhook, takes messages in order and confirms them', async () => {
    const { channel, double, accepted } = await createBot({ mode: 'polling', secret: undefined });
    const updates = [minh.writes('a'), minh.presses('next~v1', 7), minh.writes('b')];
    for (const update of updates) double.push(update);
    await channel.start?.();
    const ids = updates.map(({ update_id }) => `u${update_id}`);
    await expect.poll(() => accepted.map(({ id }) => id)).toEqual(ids);
    const offset = (updates[2]?.update_id ?? 0) + 1;
    await double.called('getUpdates', (payload) => payload.offset === offset);
    await channel.stop?.();
    const polls = double.calls('getUpdates').map(({ payload }) => payload);
    expect(polls[0]).toMatchObject({ allowed_updates: ['message', 'callback_query', 'my_chat_member'] });
    expect([double.calls('deleteWebhook').length, double.calls('setWebhook')]).toEqual([1, []]);
  });

  it('fetches again what could not be stored', async () => {
    const ids: string[] = [];
    let refusals = 2;
    const accept: Accept = async ({ id }) => {
      if (refusals-- > 0) throw new StoreUnavailable('away');
      ids.push(id);
      return 'accepted';
    };
    const { channel, double } = await createBot({ mode: 'polling', accept });
    const update = minh.writes('a');
    double.push(update);
    await channel.start?.();
    await expect.poll(() => ids).toEqual([`u${update.update_id}`]);
  });
});
