import { get } from 'node:http';
import { Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { AppOptions } from '../src/app.ts';
import { gate } from './engine/bot.ts';
import { startBot } from './support/app.ts';
import { startRedis } from './support/redis.ts';
import { startTelegramDouble } from './support/telegram-double.ts';

const TOKEN = 'a-staff-token-of-some-length';
const STAFF = { authorization: `Bearer ${TOKEN}` };
const varsOf = ({ token, url }: { token: string; url: string }) => ({
  TELEGRAM_BOT_TOKEN: token,
  TELEGRAM_API_ROOT: url,
  TELEGRAM_WEBHOOK_SECRET: 'secret-of-telegram',
});

/** What only staff, operators and Prometheus ask for. */
const OF_STAFF = ['/console', '/docs/json', '/webhooks/staff/qa-1/events', '/metrics', '/sandbox/state'];

async function start(env: Record<string, string> = {}, options?: AppOptions) {
  const bot = await startBot(env, options);
  onTestFinished(async () => {
    bot.cut();
    await bot.stop();
  });
  return bot;
}

/** The status alone: an event stream would never end. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { headers });
  await response.body?.cancel();
  return response.status;
}

test('the embedded sandbox answers only the bot, on a port of the two', async () => {
  const listening = vi.spyOn(Server.prototype, 'listen');
  const { url } = await start();
  const ports = listening.mock.contexts.flatMap((server) => {
    const address = server instanceof Server ? server.address() : null;
    return typeof address === 'object' && address ? [address.port] : [];
  });
  listening.mockRestore();
  const [port] = ports.filter((one) => `${one}` !== new URL(url).port);
  for (const path of ['/state', '/history-point?phone=0867123456'])
    expect(await statusOf(`http://127.0.0.1:${port}${path}`, { apikey: 'sandbox' })).toBe(401);
});

/** A bot with Telegram whose staff routes have their own port. */
async function startWithAdminPort(options?: AppOptions) {
  const telegram = await startTelegramDouble();
  onTestFinished(() => telegram.close());
  return start({ ADMIN_PORT: '0', STAFF_TOKEN: TOKEN, ...varsOf(telegram) }, options);
}

test('with ADMIN_PORT staff routes are on that port only', async () => {
  const { url, adminUrl } = await startWithAdminPort();
  for (const path of OF_STAFF) {
    expect([path, await statusOf(url + path, STAFF)]).toEqual([path, 404]);
    expect([path, await statusOf(adminUrl + path, STAFF)]).toEqual([path, 200]);
  }
});

test('metrics need no token on ADMIN_PORT, and one on the main port', async () => {
  const { adminUrl } = await startWithAdminPort();
  expect(await statusOf(`${adminUrl}/metrics`)).toBe(200);
  const { url } = await start({ STAFF_TOKEN: TOKEN });
  expect(await statusOf(`${url}/metrics`)).toBe(401);
  expect(await statusOf(`${url}/metrics`, STAFF)).toBe(200);
});

test('with ADMIN_PORT health and the webhooks of platforms are on the main port only', async () => {
  const { url, adminUrl } = await startWithAdminPort();
  for (const path of ['/health/live', '/health/ready']) {
    expect([path, await statusOf(url + path)]).toEqual([path, 200]);
    expect([path, await statusOf(adminUrl + path)]).toEqual([path, 404]);
  }
  const post = async (address: string) =>
    (await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }))
      .status;
  expect(await post(`${url}/webhooks/telegram`)).toBe(401);
  expect(await post(`${adminUrl}/webhooks/telegram`)).toBe(404);
  expect(await post(`${url}/webhooks/staff`)).toBe(404);
  expect(await post(`${adminUrl}/webhooks/staff`)).toBe(401);
});

test('while a bot stops, both ports refuse new requests, but live and metrics answer to the end', async () => {
  const open = gate();
  const bot = await startWithAdminPort({
    around: { channel: (port) => ({ ...port, stop: () => open.opened }) },
  });
  const { url, adminUrl } = bot;
  const stopped = bot.stop();
  expect(await statusOf(`${adminUrl}/console`)).toBe(503);
  expect(await statusOf(`${url}/health/ready`)).toBe(503);
  expect(await statusOf(`${url}/health/live`)).toBe(200);
  expect(await statusOf(`${adminUrl}/metrics`)).toBe(200);
  open.open();
  await stopped;
  for (const port of [url, adminUrl]) await expect(fetch(port)).rejects.toThrow();
});

/** A bot on a Redis, whose token Telegram refuses; `ask`: its readiness, to a caller with these headers. */
async function startDegraded() {
  const [redis, double] = await Promise.all([startRedis(), startTelegramDouble()]);
  onTestFinished(() => Promise.all([redis.stop(), double.close()]).then(() => {}));
  const bot = await start({
    REDIS_URL: redis.url,
    ...varsOf(double),
    TELEGRAM_BOT_TOKEN: `${double.token}x`,
  });
  const ask = (headers: Readonly<Record<string, string>> = {}) =>
    new Promise<{ status: number | undefined; body: unknown }>((resolve, reject) => {
      get(`${bot.url}/health/ready`, { headers }, async (response) =>
        resolve({ status: response.statusCode, body: JSON.parse(await text(response)) }),
      ).on('error', reject);
    });
  return { bot, redis, ask };
}

test('readiness, metrics and an alarm say that a channel is out of order', async () => {
  const { bot, ask } = await startDegraded();
  const faults = [expect.stringContaining('Telegram refuses the token')];
  const telegram = { status: 'degraded', faults };
  expect(await ask()).toMatchObject({
    status: 200,
    body: { status: 'degraded', dependencies: { telegram } },
  });
  const metrics = await (await fetch(`${bot.url}/metrics`)).text();
  expect(metrics).toContain('bot_channel_out_of_order{channel="telegram"} 1');
  expect(metrics).toContain('bot_alarms_total{alarm="channel_out_of_order"} 1');
});

test('readiness is down without the store; strangers learn no host and no fault', async () => {
  const { redis, ask } = await startDegraded();
  await redis.kill();
  const down = { status: 'down', faults: [expect.stringContaining('127.0.0.1')] };
  await expect.poll(() => ask()).toMatchObject({ status: 503, body: { dependencies: { store: down } } });
  for (const headers of [{ 'x-forwarded-for': '203.0.113.5' }, { host: 'bot.example.vn' }]) {
    const dependencies = {
      store: { status: 'down' },
      antcrm: { status: 'ok' },
      turns: { status: 'ok' },
      telegram: { status: 'degraded' },
    };
    expect(await ask(headers)).toEqual({ status: 503, body: { status: 'down', dependencies } });
  }
});
