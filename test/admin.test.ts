import { Server } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { AppOptions } from '../src/app.ts';
import { gate } from './engine/bot.ts';
import { startBot } from './support/app.ts';
import { startTelegramDouble } from './support/telegram-double.ts';

const TOKEN = 'a-staff-token-of-some-length';
const STAFF = { authorization: `Bearer ${TOKEN}` };

/** What only staff, operators and Prometheus ask for. */
const OF_STAFF = ['/console', '/docs/json', '/webhooks/staff/qa-1/events', '/metrics', '/sandbox/state'];

async function start(env: Record<string, string>, options?: AppOptions) {
  const telegram = await startTelegramDouble();
  const telegramEnv = {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: 'secret-of-telegram',
  };
  const bot = await startBot({ ...telegramEnv, ...env }, options);
  onTestFinished(async () => {
    bot.cut();
    await bot.stop();
    await telegram.close();
  });
  return bot;
}

/** The status alone: an event stream would never end. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { headers });
  await response.body?.cancel();
  return response.status;
}

test('the embedded sandbox answers nobody but the bot on the port between them', async () => {
  const listening = vi.spyOn(Server.prototype, 'listen');
  const { url, stop } = await startBot();
  onTestFinished(stop);
  const ports = listening.mock.contexts.flatMap((server) => {
    const address = server instanceof Server ? server.address() : null;
    return typeof address === 'object' && address ? [address.port] : [];
  });
  listening.mockRestore();
  const [port] = ports.filter((one) => `${one}` !== new URL(url).port);
  for (const path of ['/state', '/history-point?phone=0867123456'])
    expect([path, await statusOf(`http://127.0.0.1:${port}${path}`, { apikey: 'sandbox' })]).toEqual([
      path,
      401,
    ]);
});

test('with ADMIN_PORT what is for staff is on that port alone, and what is for platforms is not there', async () => {
  const { url, adminUrl } = await start({ ADMIN_PORT: '0', STAFF_TOKEN: TOKEN });
  expect(adminUrl).not.toBe(url);
  for (const path of OF_STAFF) {
    expect([path, await statusOf(url + path, STAFF)]).toEqual([path, 404]);
    expect([path, await statusOf(adminUrl + path, STAFF)]).toEqual([path, 200]);
  }
  for (const path of ['/health/live', '/health/ready']) {
    expect([path, await statusOf(url + path)]).toEqual([path, 200]);
    expect([path, await statusOf(adminUrl + path)]).toEqual([path, 404]);
  }
  const webhook = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  expect((await fetch(`${url}/webhooks/telegram`, webhook)).status).toBe(401);
  expect((await fetch(`${adminUrl}/webhooks/telegram`, webhook)).status).toBe(404);
  expect((await fetch(`${url}/webhooks/staff`, webhook)).status).toBe(404);
  expect((await fetch(`${adminUrl}/webhooks/staff`, webhook)).status).toBe(401);
});

test('metrics need a token on the main port, and none on the admin port', async () => {
  const apart = await start({ ADMIN_PORT: '0', STAFF_TOKEN: TOKEN });
  expect(await statusOf(`${apart.adminUrl}/metrics`)).toBe(200);
  const together = await start({ STAFF_TOKEN: TOKEN });
  expect(together.adminUrl).toBe(together.url);
  expect(await statusOf(`${together.url}/metrics`)).toBe(401);
  expect(await statusOf(`${together.url}/metrics`, STAFF)).toBe(200);
});

test('both ports turn new requests away while the bot stops, but live and metrics answer to the end', async () => {
  const open = gate();
  const bot = await start(
    { ADMIN_PORT: '0' },
    { around: { channel: (port) => ({ ...port, stop: () => open.opened }) } },
  );
  const stopped = bot.stop();
  expect(await statusOf(`${bot.adminUrl}/console`)).toBe(503);
  expect(await statusOf(`${bot.url}/health/ready`)).toBe(503);
  expect(await statusOf(`${bot.url}/health/live`)).toBe(200);
  expect(await statusOf(`${bot.adminUrl}/metrics`)).toBe(200);
  open.open();
  await stopped;
  for (const url of [bot.url, bot.adminUrl]) await expect(fetch(url)).rejects.toThrow();
});
