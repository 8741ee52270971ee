import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Accept } from '../../../src/channels/channel.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { understand } from '../../support/conversation.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { CHAT, createBot, SECRET } from './harness.ts';

const minh = createPerson(CHAT);
const menuSchema = z.object({
  commands: z.array(z.object({ command: z.string(), description: z.string() })),
});

describe('at start', () => {
  it('the webhook, the commands and the descriptions are registered, in both languages and a default', async () => {
    const { channel, double } = await createBot({ publicUrl: 'https://bot.example.com' });
    await channel.start?.();
    await double.called('setMyShortDescription', ({ language_code }) => language_code === 'en');
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
      expect(languages).toEqual([undefined, 'vi', 'en']);
    }
    const menus = double.calls('setMyCommands').map(({ payload }) => menuSchema.parse(payload).commands);
    expect(menus[0]).toEqual(menus[1]);
    expect(menus[1]?.[0]).toEqual({ command: 'tichdiem', description: 'vi:telegram.command.accumulate' });
    expect(menus[2]?.[0]).toEqual({ command: 'accumulate', description: 'en:telegram.command.accumulate' });
  });

  it('every command of the menu is one that the conversation understands', async () => {
    const { channel, double } = await createBot({ publicUrl: 'https://bot.example.com' });
    await channel.start?.();
    await double.called('setMyCommands', ({ language_code }) => language_code === 'en');
    for (const { payload } of double.calls('setMyCommands')) {
      for (const { command, description } of menuSchema.parse(payload).commands) {
        const name = description.split('.').at(-1);
        expect(understand(`/${command}`).act).toMatch(new RegExp(`^(?:start |show )?${name}s?$`));
      }
    }
  });

  it('without a public URL nothing is registered', async () => {
    const { channel, double } = await createBot();
    await channel.start?.();
    await double.called('getMe');
    await channel.stop?.();
    expect(double.calls().map(({ method }) => method)).toEqual(['getMe', 'getWebhookInfo']);
  });

  it('does not wait for Telegram, and goes on trying until it is registered', async () => {
    const { channel, double } = await createBot({
      publicUrl: 'https://bot.example.com',
      timeoutMs: 1000,
      checkEveryMs: 5,
    });
    double.script('setWebhook', 'hang', { code: 502, description: 'Bad Gateway' }, 'garbage', {
      code: 401,
      description: 'Unauthorized',
    });
    double.script('setMyCommands', {
      code: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 0 },
    });
    await channel.start?.();
    await double.called('setMyShortDescription', ({ language_code }) => language_code === 'en');
    await expect.poll(() => double.calls('setWebhook').length).toBe(5);
    expect(double.calls('setMyCommands')).toHaveLength(4);
  });

  it('tells the operator what Telegram refuses, and registers the rest', async () => {
    const { channel, double, said } = await createBot({ publicUrl: 'https://bot.example.com' });
    double.script('setWebhook', { code: 400, description: 'Bad Request: bad webhook: wrong port' });
    await channel.start?.();
    await double.called('setMyShortDescription', ({ language_code }) => language_code === 'en');
    expect(double.calls('setWebhook')).toHaveLength(1);
    expect(said.join('\n')).toContain('bad webhook: wrong port');
  });
});

describe('polling', () => {
  /** Resolves `until(n)` when n messages were accepted. */
  function createInbox(refuse: () => boolean = () => false) {
    const ids: string[] = [];
    const waiting: { count: number; done: () => void }[] = [];
    const accept: Accept = async ({ id }) => {
      if (refuse()) throw new StoreUnavailable('away');
      ids.push(id);
      for (const { count, done } of waiting) if (ids.length >= count) done();
      return 'accepted';
    };
    const until = (count: number) =>
      ids.length >= count
        ? Promise.resolve()
        : new Promise<void>((done) => {
            waiting.push({ count, done });
          });
    return { accept, ids, until };
  }

  it('removes the webhook, then takes messages in order and confirms them', async () => {
    const inbox = createInbox();
    const { channel, double } = await createBot({ mode: 'polling', secret: undefined, accept: inbox.accept });
    const updates = [minh.writes('a'), minh.presses('next~v1', 7), minh.writes('b')];
    for (const update of updates) double.push(update);
    await channel.start?.();
    await inbox.until(3);
    expect(inbox.ids).toEqual(updates.map(({ update_id }) => `u${update_id}`));
    const next = (updates[2]?.update_id ?? 0) + 1;
    await double.called('getUpdates', ({ offset }) => offset === next);
    double.push(minh.writes('c'));
    await inbox.until(4);
    expect(double.calls('deleteWebhook')).toHaveLength(1);
    expect(double.calls('getUpdates')[0]?.payload).toMatchObject({
      allowed_updates: ['message', 'callback_query', 'my_chat_member'],
    });
    expect(double.calls('setWebhook')).toEqual([]);
  });

  it('fetches again what could not be stored', async () => {
    let refusals = 2;
    const inbox = createInbox(() => refusals-- > 0);
    const { channel, double } = await createBot({ mode: 'polling', accept: inbox.accept });
    const update = minh.writes('a');
    double.push(update);
    await channel.start?.();
    await inbox.until(1);
    expect(inbox.ids).toEqual([`u${update.update_id}`]);
  });

  it('stops in the middle of a long poll, and confirms what was taken', async () => {
    const inbox = createInbox();
    const { channel, double } = await createBot({ mode: 'polling', accept: inbox.accept });
    const update = minh.writes('a');
    double.push(update);
    await channel.start?.();
    await inbox.until(1);
    await double.called('getUpdates', ({ offset }) => offset === update.update_id + 1);
    await channel.stop?.();
    expect(double.calls('getUpdates').at(-1)?.payload).toMatchObject({
      offset: update.update_id + 1,
      timeout: 0,
    });
  });
});
