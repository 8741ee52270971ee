import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Accept } from '../../../src/channels/channel.ts';
import { LOCALES } from '../../../src/conversation/message.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { understand } from '../../support/conversation.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { CHAT, createBot, SECRET } from './harness.ts';

const minh = createPerson(CHAT);
const PUBLIC_URL = 'https://bot.example.com';
const menuSchema = z.object({
  commands: z.array(z.object({ command: z.string(), description: z.string() })),
});

describe('at start', () => {
  it('the webhook, the commands and the descriptions are registered, in each language and a default', async () => {
    const { channel, double } = await createBot({ publicUrl: PUBLIC_URL });
    await channel.start?.();
    await double.called('setMyShortDescription', ({ language_code }) => language_code === LOCALES.at(-1));
    expect(double.calls('setWebhook').map(({ payload }) => payload)).toEqual([
      {
        url: `${PUBLIC_URL}/webhooks/telegram`,
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
      publicUrl: PUBLIC_URL,
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

describe('a channel out of order', () => {
  it.each([
    ['a wrong token', { token: '4242:wrong' }, 'Telegram refuses the token (401: Unauthorized)'],
    ['a host out of reach', { apiRoot: 'http://127.0.0.1:1' }, 'Telegram does not answer at 127.0.0.1:1'],
  ])('is seen at the start: %s', async (_what, options, fault) => {
    const { channel, said } = await createBot(options);
    await channel.start?.();
    expect(channel.faults?.()).toEqual([expect.stringContaining(fault)]);
    expect(said.filter((line) => line.includes('"alarm"'))).toEqual([
      expect.stringMatching(/channel_out_of_order.*telegram/),
    ]);
  });

  it('is seen while it works, and no more once it is cured', async () => {
    const { channel, double } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    await channel.start?.();
    expect(channel.faults?.()).toEqual([]);
    const faults = () => channel.faults?.() ?? [];
    const error = { last_error_date: Math.floor(Date.now() / 1000) - 300, pending_update_count: 2 };
    for (const [says, fault] of [
      ['502 Bad Gateway', /502 Bad Gateway.*PUBLIC_URL/],
      ['401 Unauthorized', /^(?!.*PUBLIC_URL).*TELEGRAM_WEBHOOK_SECRET/],
    ] as const) {
      double.report({ ...error, last_error_message: `Wrong response from the webhook: ${says}` });
      await expect.poll(faults).toEqual([expect.stringMatching(fault)]);
    }
    // The updates came through in the end: Telegram shows the error forever.
    double.report({ ...error, pending_update_count: 0 });
    await expect.poll(faults).toEqual([]);
  });

  it('is not what one lost call shows, nor being asked to wait', async () => {
    const { channel, double } = await createBot({ publicUrl: PUBLIC_URL });
    double.script('getMe', 'reset');
    double.script('getWebhookInfo', { code: 429, description: 'Too Many Requests' });
    await channel.start?.();
    expect(channel.faults?.()).toEqual([]);
  });

  it('is, while polling, another bot that polls', async () => {
    const { channel, double } = await createBot({ mode: 'polling', checkEveryMs: 5, pauseMs: 60_000 });
    double.script('getUpdates', {
      code: 409,
      description: 'Conflict: terminated by other getUpdates request',
    });
    await channel.start?.();
    await expect.poll(() => channel.faults?.()).toEqual([expect.stringContaining('409: Conflict')]);
  });

  it('is another bot that took the webhook: it is registered anew, and an alarm names its host', async () => {
    const { channel, double, said } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    await channel.start?.();
    double.report({ url: 'https://other.example/telegram/s3cret' });
    const alarms = () => said.filter((line) => line.includes('channel_out_of_order'));
    const says = expect.stringMatching(/at other\.example, not at https:\/\/bot\.exam/);
    await expect.poll(alarms).toEqual([says]);
    expect(double.calls('setWebhook').length).toBeGreaterThan(1);
    expect(double.calls('setWebhook').at(-1)?.payload).toMatchObject({ secret_token: SECRET });
    expect(alarms().join()).not.toContain('s3cret');
  });
});
