import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { startBot } from './support/app.ts';
import { startRedis } from './support/redis.ts';
import { startTelegramDouble } from './support/telegram-double.ts';

test('a channel out of order is shown as degraded, with what to do', async () => {
  const double = await startTelegramDouble();
  onTestFinished(() => double.close());
  const bot = await startBot({
    TELEGRAM_BOT_TOKEN: `${double.token}x`,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: 'secret',
  });
  onTestFinished(() => bot.stop());
  const response = await fetch(`${bot.url}/health/ready`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    status: 'degraded',
    dependencies: {
      telegram: { status: 'degraded', faults: [expect.stringContaining('Telegram refuses the token')] },
    },
  });
  const metrics = await (await fetch(`${bot.url}/metrics`)).text();
  expect(metrics).toContain('bot_channel_out_of_order{channel="telegram"} 1');
  expect(metrics).toContain('bot_alarms_total{alarm="channel_out_of_order"} 1');
});

test('who asks by way of a proxy or under a name learns that something is wrong, and no host of ours', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const bot = await startBot({ REDIS_URL: redis.url });
  onTestFinished(() => bot.stop());
  await redis.kill();
  const asked = (more: Readonly<Record<string, string>>) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      get(`${bot.url}/health/ready`, { headers: more }, async (response) =>
        resolve({ status: response.statusCode, body: await text(response) }),
      ).on('error', reject);
    });
  await expect
    .poll(() => asked({}))
    .toMatchObject({ status: 503, body: expect.stringContaining('127.0.0.1') });
  for (const headers of [{ 'x-forwarded-for': '203.0.113.5' }, { host: 'bot.example.vn' }]) {
    const { status, body } = await asked(headers);
    expect([status, JSON.parse(body)]).toEqual([
      503,
      { status: 'down', dependencies: { store: { status: 'down' }, antcrm: { status: 'ok' } } },
    ]);
  }
});
