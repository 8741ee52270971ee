import { describe, expect, it } from 'vitest';
import { createMemoryRegistrations } from '../../../src/store/memory/registrations.ts';
import { createBot, SECRET, shareNothing } from './harness.ts';

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
    double.report({ url: 'https://other.example/telegram/s3cret' });
    await expect
      .poll(channel.faults ?? (() => []))
      .toEqual([
        expect.stringMatching(/registered at other\.example, not at https:\/\/bot\.example\.com\/webhooks/),
      ]);
    expect(channel.faults?.().join()).not.toContain('s3cret');
    double.report({ url: '' });
    await expect
      .poll(channel.faults ?? (() => []))
      .toEqual([expect.stringContaining('no webhook is registered')]);
    double.report({ allowed_updates: ['message'] });
    await expect
      .poll(channel.faults ?? (() => []))
      .toEqual([expect.stringContaining('does not bring callback_query, my_chat_member')]);
    const error = 'Wrong response from the webhook: 502 Bad Gateway';
    double.report({ last_error_date: seconds() - 300, last_error_message: error, pending_update_count: 2 });
    await expect.poll(channel.faults ?? (() => [])).toEqual([expect.stringContaining(error)]);
    // The updates came through in the end: Telegram shows the error forever.
    double.report({ last_error_date: seconds() - 300, last_error_message: error, pending_update_count: 0 });
    await expect.poll(channel.faults ?? (() => [])).toEqual([]);
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
    await expect.poll(channel.faults ?? (() => [])).toEqual([expect.stringContaining('409: Conflict')]);
  });
});

describe('the registration', () => {
  const registered = (double: { calls(method: string): readonly unknown[] }) =>
    double.calls('setWebhook').length;

  /** Starts a bot of the same store before the same Telegram, until its registration has ended. */
  async function twoStarts(change: Readonly<Record<string, unknown>> = {}) {
    const shared = shareNothing();
    const first = await createBot({ publicUrl: PUBLIC_URL, shared });
    await first.channel.start?.();
    await expect.poll(() => first.said.some((line) => line.includes('registered at Telegram'))).toBe(true);
    const second = await createBot({ publicUrl: PUBLIC_URL, shared, apiRoot: first.double.url, ...change });
    return { double: first.double, second: second.channel };
  }

  it('is made once: a further start finds everything as it should be', async () => {
    const { double, second } = await twoStarts();
    await second.start?.();
    await second.stop?.();
    expect(registered(double)).toBe(1);
    expect(double.calls('setMyCommands')).toHaveLength(3);
  });

  it('is made anew for another secret, which Telegram never shows', async () => {
    const { double, second } = await twoStarts({ secret: `${SECRET}x` });
    await second.start?.();
    await expect.poll(() => registered(double)).toBe(2);
  });

  it.each([
    ['another address', { url: 'https://other.example' }],
    ['other kinds of updates', { allowed_updates: ['message'] }],
  ])('is made anew where Telegram has %s', async (_what, info) => {
    const { double, second } = await twoStarts();
    double.report(info);
    await second.start?.();
    await expect.poll(() => registered(double)).toBe(2);
  });

  it('is left to the process that is at it', async () => {
    const registrations = createMemoryRegistrations();
    await registrations.take('telegram 4242', 'another process');
    const { channel, double } = await createBot({
      publicUrl: PUBLIC_URL,
      shared: { registrations, hash: (text) => text },
      checkEveryMs: 5,
    });
    await channel.start?.();
    await channel.stop?.();
    expect(double.calls('setWebhook')).toEqual([]);
  });
});
