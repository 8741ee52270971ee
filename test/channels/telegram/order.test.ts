import { describe, expect, it } from 'vitest';
import { createBot, SECRET } from './harness.ts';

const PUBLIC_URL = 'https://bot.example.com';
const seconds = (): number => Math.floor(Date.now() / 1000);

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
    const error = 'Wrong response from the webhook: 502 Bad Gateway';
    const passed = { last_error_date: seconds() - 300, last_error_message: error };
    for (const [info, fault] of [
      [{ allowed_updates: ['message', 'callback_query'] }, /does not bring my_chat_member/],
      [{ ...passed, pending_update_count: 2 }, new RegExp(error)],
    ] as const) {
      double.report(info);
      await expect.poll(faults).toEqual([expect.stringMatching(fault)]);
    }
    // The updates came through in the end: Telegram shows the error forever.
    double.report({ ...passed, pending_update_count: 0 });
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
});

describe('the registration', () => {
  it('is made anew by a running process where another bot took the webhook, and an alarm names its host', async () => {
    const { channel, double, said } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    const registered = () => double.calls('setWebhook').length;
    await channel.start?.();
    await expect.poll(registered).toBe(1);
    double.report({ url: 'https://other.example/telegram/s3cret' });
    await expect.poll(registered).toBeGreaterThan(1);
    expect(double.calls('setWebhook').at(-1)?.payload).toMatchObject({ secret_token: SECRET });
    const alarms = () => said.filter((line) => line.includes('channel_out_of_order'));
    await expect
      .poll(alarms)
      .toEqual([expect.stringMatching(/at other\.example, not at https:\/\/bot\.exam/)]);
    expect(alarms().join()).not.toContain('s3cret');
  });

  it('says that Telegram’s updates carry another secret', async () => {
    const { channel, double } = await createBot({ publicUrl: PUBLIC_URL, checkEveryMs: 5 });
    await channel.start?.();
    const last_error_message = 'Wrong response from the webhook: 401 Unauthorized';
    double.report({ last_error_date: seconds(), last_error_message, pending_update_count: 1 });
    const secret = [expect.stringMatching(/^(?!.*PUBLIC_URL).*TELEGRAM_WEBHOOK_SECRET/)];
    await expect.poll(() => channel.faults?.()).toEqual(secret);
  });
});
