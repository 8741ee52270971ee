import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Accept } from '../../../src/channels/channel.ts';
import { TelegramApi } from '../../../src/channels/telegram/api.ts';
import { runCli } from '../../../src/channels/telegram/cli.ts';
import { LOCALES } from '../../../src/conversation/message.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { commands, understand } from '../../support/conversation.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { words } from '../harness.ts';
import { CHAT, createBot, SECRET } from './harness.ts';

const minh = createPerson(CHAT);
const PUBLIC_URL = 'https://bot.example.com';
const WANTED = ['message', 'edited_message', 'callback_query'];
const menuSchema = z.object({ commands: z.array(z.looseObject({ command: z.string() })) });

describe('registration', () => {
  it('sets the webhook, the commands and the descriptions, in each language and a default', async () => {
    const { channel, double } = await createBot({ publicUrl: PUBLIC_URL });
    const shared = expect.stringMatching(/by webhook; several processes share its limit/);
    expect(channel.greeting?.({ url: PUBLIC_URL, adminUrl: PUBLIC_URL })).toEqual([shared]);
    await channel.start?.();
    await double.called('setMyShortDescription', ({ language_code }) => language_code === LOCALES.at(-1));
    expect(double.calls('setWebhook').map(({ payload }) => payload)).toEqual([
      {
        url: `${PUBLIC_URL}/webhooks/telegram`,
        secret_token: SECRET,
        allowed_updates: WANTED,
        max_connections: 100,
      },
    ]);
    for (const method of ['setMyCommands', 'setMyDescription', 'setMyShortDescription']) {
      const languages = double.calls(method).map(({ payload }) => payload.language_code);
      expect(languages).toEqual([undefined, ...LOCALES]);
    }
    const menus = double.calls('setMyCommands').map(({ payload }) => menuSchema.parse(payload).commands);
    const description = 'vi:telegram.command.accumulate';
    expect([menus[0], menus[1]?.[0]]).toEqual([menus[1], { command: 'tichdiem', description }]);
    for (const { command } of menus.flat()) expect(understand(`/${command}`).act).toMatch(/./);
  });

  it('goes on until everything is registered, and names what Telegram refuses', async () => {
    const { channel, double, observed } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    double.script('setWebhook', 'garbage');
    double.script('setMyCommands', { code: 429, description: 'x' });
    double.script('setMyDescription', { code: 400, description: 'Bad Request: too long' });
    await channel.start?.();
    expect(channel.faults?.()).toEqual([expect.stringMatching(/registration \(setWebhook .*PUBLIC_URL/)]);
    await double.called('setMyShortDescription', ({ language_code }) => language_code === 'en');
    await expect.poll(() => channel.faults?.()).toEqual([]);
    expect(double.calls('setWebhook')).toHaveLength(4);
    expect(observed.join()).not.toContain('setMyCommands');
  });
});

it('polling waits as asked, removes the webhook, takes messages in order, again if one was not stored', async () => {
  const ids: string[] = [];
  let refusals = 2;
  const accept: Accept = async ({ id }) => {
    if (refusals-- > 0) throw new StoreUnavailable('away');
    ids.push(id);
    return 'accepted';
  };
  const { channel, double } = await createBot({ secret: undefined, publicUrl: PUBLIC_URL, accept });
  const updates = [minh.writes('a'), minh.presses('next~v1', 7), minh.writes('b')];
  for (const update of updates) double.push(update);
  const description = 'Too Many Requests';
  double.script('deleteWebhook', { code: 429, description, parameters: { retry_after: 1 } });
  const started = channel.start?.();
  await double.called('deleteWebhook', () => true);
  const refusedMs = performance.now();
  await started;
  await expect.poll(() => ids).toEqual(updates.map(({ update_id }) => `u${update_id}`));
  expect(performance.now() - refusedMs).toBeGreaterThan(990);
  const offset = (updates[2]?.update_id ?? 0) + 1;
  await double.called('getUpdates', (payload) => payload.offset === offset);
  await channel.stop?.();
  expect(double.calls('getUpdates')[0]?.payload).toMatchObject({ allowed_updates: WANTED });
  expect([double.calls('deleteWebhook').length, double.calls('setWebhook')]).toEqual([4, []]);
});

describe('a channel out of order', () => {
  it.each([
    ['a wrong token', { token: '4242:wrong' }, 'Telegram refuses the token (getMe 401 Unauthorized)'],
    ['a host out of reach', { apiRoot: 'http://127.0.0.1:1' }, 'Telegram does not answer at 127.0.0.1:1'],
  ])('is seen at the start: %s', async (_what, options, fault) => {
    const { channel, observed } = await createBot(options);
    await channel.start?.();
    expect(channel.faults?.()).toEqual([expect.stringContaining(fault)]);
    expect(observed.filter((line) => line.includes('"alarm"'))).toEqual([
      expect.stringMatching(/channel_out_of_order.*telegram/),
    ]);
  });

  it('is seen while the bot runs, with one alarm a minute, until it is mended', async () => {
    const { channel, double, observed } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    const lines = (word: string) => observed.filter((line) => line.includes(word));
    await channel.start?.();
    expect(channel.faults?.()).toEqual([]);
    const faults = () => channel.faults?.() ?? [];
    // A date of no calendar does not end the looks.
    double.report({ last_error_date: 1e15, pending_update_count: 1 });
    const looks = () => double.calls('getWebhookInfo').length;
    await expect.poll(looks).toBeGreaterThan(looks() + 1);
    const error = { last_error_date: Math.floor(Date.now() / 1000) - 300, pending_update_count: 2 };
    double.report({ ...error, last_error_message: 'Wrong response from the webhook: 401 Unauthorized' });
    const says = expect.stringMatching(/401 Unauthorized.*PUBLIC_URL.*TELEGRAM_WEBHOOK_SECRET/);
    await expect.poll(faults).toEqual([says]);
    await expect.poll(() => lines('["channel","telegram",false]').length).toBeGreaterThan(3);
    // The updates came through in the end: Telegram shows the error forever.
    double.report({ ...error, pending_update_count: 0 });
    await expect.poll(faults).toEqual([]);
    expect(observed.findLast((line) => line.startsWith('["channel"'))).toBe('["channel","telegram",true]');
    expect([lines('in order again').length, lines('channel_out_of_order').length]).toEqual([1, 1]);
  });

  it('does not delay the start if Telegram does not answer, and is not reported after the stop', async () => {
    const { channel, double, observed } = await createBot({ publicUrl: PUBLIC_URL, timeoutMs: 1500 });
    double.script('getMe', 'hang', 'hang');
    await channel.start?.();
    await channel.stop?.();
    await channel.close?.();
    expect([channel.faults?.(), observed.filter((line) => line.includes('"alarm"'))]).toEqual([[], []]);
  });

  it('is not reported after one lost call, nor after a request to wait', async () => {
    const { channel, double } = await createBot({ publicUrl: PUBLIC_URL });
    double.script('getMe', 'reset');
    double.script('getWebhookInfo', { code: 429, description: 'Too Many Requests' });
    await channel.start?.();
    expect(channel.faults?.()).toEqual([]);
  });

  it('stays reported while Telegram does not say that it is mended', async () => {
    const { channel, double, observed } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    await channel.start?.();
    const error = { last_error_date: Math.floor(Date.now() / 1000), last_error_message: '502 Bad Gateway' };
    double.report({ ...error, pending_update_count: 2 });
    await expect.poll(() => channel.faults?.()).toHaveLength(1);
    const busy = { code: 429, description: 'Too Many Requests' };
    double.script('getWebhookInfo', 'reset', busy, 'garbage');
    double.script('getMe', busy, busy);
    const looks = double.calls('getWebhookInfo').length + 6;
    await expect.poll(() => double.calls('getWebhookInfo').length).toBeGreaterThan(looks);
    expect(observed.join()).not.toContain('in order again');
    double.report({ ...error, pending_update_count: 0 });
    await expect.poll(() => channel.faults?.()).toEqual([]);
  });

  it('is reported if another process changed the secret, and the bot registers its own again, once for each error', async () => {
    const { channel, double } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    await channel.start?.();
    const registered = () => double.calls('setWebhook').length;
    const looks = () => double.calls('getWebhookInfo').length;
    const refusedAgo = (seconds: number) =>
      double.report({
        last_error_date: Math.floor(Date.now() / 1000) - seconds,
        last_error_message: 'Wrong response from the webhook: 401 Unauthorized',
        pending_update_count: 2,
      });
    for (const [seconds, times] of [
      [60, 2],
      [30, 3],
    ] as const) {
      refusedAgo(seconds);
      await expect.poll(registered).toBe(times);
      await expect.poll(looks).toBeGreaterThan(looks() + 2);
      expect(registered()).toBe(times);
      expect(channel.faults?.()).toEqual([expect.stringContaining('401 Unauthorized')]);
    }
    expect(double.calls('setWebhook').at(-1)?.payload).toMatchObject({ secret_token: SECRET });
    expect(double.calls('setMyCommands')).toHaveLength(LOCALES.length + 1);
  });

  it('is reported while another program polls with the same token', async () => {
    const { channel, double, observed } = await createBot({ secret: undefined, checkEveryMs: 5, pauseMs: 5 });
    const description = 'Conflict: terminated by other getUpdates request';
    const conflict = { code: 409, description };
    double.script('getUpdates', ...Array.from({ length: 60 }, () => conflict));
    await channel.start?.();
    await expect
      .poll(() => observed.filter((line) => line.includes('channel_out_of_order')))
      .toEqual([expect.stringMatching(/getUpdates 409 Conflict.*one process/)]);
    double.push(minh.writes('a'));
    await expect.poll(() => channel.faults?.()).toEqual([]);
  });

  it('is reported if another bot took the webhook: ours is registered again, and an alarm names its host', async () => {
    const { channel, double, observed } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    await channel.start?.();
    double.report({ url: 'https://other.example/telegram/s3cret' });
    const alarms = () => observed.filter((line) => line.includes('channel_out_of_order'));
    const says = expect.stringMatching(/at other\.example, not at https:\/\/bot\.exam/);
    await expect.poll(alarms).toEqual([says]);
    expect(double.calls('setWebhook').length).toBeGreaterThan(1);
    expect(double.calls('setWebhook').at(-1)?.payload).toMatchObject({ secret_token: SECRET });
    expect(alarms().join()).not.toContain('s3cret');
  });
});

it('sets and deletes the webhook, and says who the bot is, where its updates go, and what was refused', async () => {
  const { double } = await createBot();
  const api = new TelegramApi({ token: double.token, apiRoot: double.url });
  const options = {
    api,
    publicUrl: PUBLIC_URL,
    secret: SECRET,
    defaultLocale: 'vi',
    words,
    commands,
  } as const;
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
  expect(await run('set')).toEqual(about(`${PUBLIC_URL}/webhooks/telegram`));
  expect(double.calls('setMyCommands')).toHaveLength(LOCALES.length + 1);
  expect(await run('delete')).toEqual(about('none'));
  double.script('getMe', { code: 401, description: 'Unauthorized' });
  expect(await run('info')).toEqual([1, 'getMe 401 Unauthorized']);
});
