import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AppOptions } from '../../src/app.ts';
import { type Running, startBot } from '../support/app.ts';
import { pngOf } from '../support/pictures.ts';
import { TENANT, textActivity } from '../support/teams-activities.ts';
import { startTeamsDouble, type TeamsDouble } from '../support/teams-double.ts';
import { startTelegramDouble, type TelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

/*
 * Who sends too much, too slowly, or without the secret.
 */

const SECRET = 'abuse-secret';
/** How long a request may take to arrive, here. */
const REQUEST_MS = 400;
/** A caller behind a proxy counts as a stranger, on this machine, too. */
const STRANGER = { 'x-forwarded-for': '203.0.113.5' };
/** Enough of a picture to be decoded. */
const PIXEL = pngOf(9, 9, Buffer.alloc(0));
/** What an address may ask for in a minute without a secret (`RATES` of http/guard.ts). */
const PER_MINUTE = 300;

let double: TelegramDouble;
let bot: Running;
let url: string;
/** Metrics are open there. */
let adminUrl: string;

beforeAll(async () => {
  double = await startTelegramDouble();
});
afterAll(() => double.close());
async function start(overrides: AppOptions = {}, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const env = {
    ...more,
    TELEGRAM_BOT_TOKEN: double.token,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
  };
  bot = await startBot(env, overrides);
  url = bot.url;
  adminUrl = bot.adminUrl;
}
afterEach(() => bot.stop());

describe('a slow sender', () => {
  beforeEach(() => start({ requestMs: REQUEST_MS }));

  /** Sends these parts, one each 50 ms, and then no more; resolves to what came until the connection ended, and when. */
  async function drips(parts: readonly string[]): Promise<{ answer: string; ms: number }> {
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    const start = performance.now();
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    const rest = [...parts];
    const timer = setInterval(() => {
      const part = rest.shift();
      if (part !== undefined && socket.writable) socket.write(part);
    }, 50);
    await closed;
    clearInterval(timer);
    return { answer, ms: performance.now() - start };
  }

  const head = `POST /webhooks/telegram HTTP/1.1\r\nhost: x\r\nx-telegram-bot-api-secret-token: ${SECRET}\r\n`;

  test.each([
    ['of headers', [...head]],
    ['that stops in the middle', [`${head}content-length: 1000\r\n\r\n`, '{']],
  ])('%s is cut off', async (_what, parts) => {
    const { answer, ms } = await drips(parts);
    expect(answer).toMatch(/^(HTTP\/1\.1 408|$)/);
    expect(ms).toBeGreaterThan(REQUEST_MS / 2);
    expect(ms).toBeLessThan(20 * REQUEST_MS);
  });
});

describe('a caller without a secret', () => {
  const lines: string[] = [];
  beforeEach(() => start({ log: { write: (line) => lines.push(line) } }, { ADMIN_PORT: '0' }));

  test('whose body breaks HTTP puts no error into the log', async () => {
    const socket = net
      .connect(Number(new URL(url).port), '127.0.0.1')
      .on('error', () => {})
      .resume();
    socket.write(
      'POST /webhooks/telegram HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n',
    );
    await once(socket, 'close');
    expect(await statusOf('/health/live')).toBe(200);
    expect(lines.filter((line) => line.includes('a request failed'))).toEqual([]);
  });

  const times = <T>(count: number, ask: () => Promise<T>) => Promise.all(Array.from({ length: count }, ask));
  const statusOf = async (path: string, init?: RequestInit, at = url) => {
    const response = await fetch(`${at}${path}`, { headers: STRANGER, ...init });
    await response.arrayBuffer();
    return response.status;
  };

  test.each([
    ['/metrics', 200, () => adminUrl],
    ['/nowhere', 404, () => url],
  ])('may ask for %s so often a minute, and is then told to wait', async (path, usual, at) => {
    const statuses = await times(PER_MINUTE, () => statusOf(path, {}, at()));
    expect(new Set(statuses)).toEqual(new Set([usual]));
    const refused = await fetch(`${at()}${path}`, { headers: STRANGER });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ title: 'Too Many Requests' });
  });

  test('may guess the webhook’s secret so often; Telegram, with it, is heard all the same', async () => {
    const guess = { method: 'POST', body: '{"update_id":1}' };
    await times(PER_MINUTE, () => statusOf('/webhooks/telegram', guess));
    expect(await statusOf('/webhooks/telegram', guess)).toBe(429);
    const person = createPerson(810_003);
    const statuses = await times(PER_MINUTE + 1, async () => {
      const headers = { ...STRANGER, 'x-telegram-bot-api-secret-token': SECRET };
      return statusOf('/webhooks/telegram', {
        method: 'POST',
        headers,
        body: JSON.stringify(person.writes('chào')),
      });
    });
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

describe('a request whose secret is wrong', () => {
  let service: TeamsDouble;
  const appId = randomUUID();
  beforeEach(async () => {
    service = await startTeamsDouble();
    const directory = { MICROSOFT_APP_TENANT_ID: TENANT, TEAMS_SERVICE_HOSTS: service.host };
    const app = { MICROSOFT_APP_ID: appId, MICROSOFT_APP_TYPE: 'UserAssignedMSI', ...directory };
    await start({}, { ...app, ...service.endpoints, STAFF_TOKEN: 'a-token-of-the-staff' });
  });
  afterEach(() => service.close());

  /** The answer to a request whose body never comes. */
  async function answered(path: string, header: string): Promise<string> {
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    const from = 'x-forwarded-for: 203.0.113.5';
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\n${from}\r\n${header}\r\ncontent-length: 260000\r\n\r\n{`,
    );
    const [answer] = await once(socket, 'data');
    socket.destroy();
    return String(answer).slice(0, 'HTTP/1.1 401'.length);
  }
  const junk = (claims = {}) => `Bearer ${service.mint(appId, { claims, sign: 'other' })}`;

  test.each([
    ['Telegram’s secret', '/webhooks/telegram', () => 'x-telegram-bot-api-secret-token: wrong'],
    ['no token of Teams', '/webhooks/teams', () => 'x-none: 1'],
    ['a token that nobody signed', '/webhooks/teams', () => `authorization: ${junk()}`],
    ['the staff’s token', '/webhooks/staff', () => 'authorization: Bearer wrong'],
  ])('(%s) is refused before its body is there, and after too many told to wait', async (_, path, header) => {
    const secret = header();
    expect(await answered(path, secret)).toBe('HTTP/1.1 401');
    await Promise.all(Array.from({ length: PER_MINUTE }, () => answered(path, secret)));
    expect(await answered(path, secret)).toBe('HTTP/1.1 429');
  });

  test('shuts nobody out, whatever directories it names: a genuine token of a new one is heard', async () => {
    const post = (authorization?: string) => {
      const target = { url: `${url}/webhooks/teams`, appId, ...(authorization && { authorization }) };
      return service.post(textActivity('xin chào'), target).then(({ status }) => status);
    };
    const wrong = Array.from({ length: 101 }, (_, tid) => post(junk({ tid: `junk-${tid}` })));
    expect(new Set(await Promise.all(wrong))).toEqual(new Set([401]));
    const token = service.mint(appId, { claims: { tid: 'a new directory' } });
    expect(await post(`Bearer ${token}`)).toBe(200);
  });
});

test('groups where the bot may not write get one try a message, and raise no alarm', async () => {
  await start();
  const description = 'Bad Request: not enough rights to send text messages to the chat';
  double.script('sendMessage', ...Array.from({ length: 3 }, () => ({ code: 400, description })));
  const before = double.calls('sendMessage').length;
  for (const id of [-81, -82, -83]) {
    const chat = { id, type: 'supergroup', title: 'Hội' };
    const said = { chat, text: '/start', entities: [{ type: 'bot_command', offset: 0, length: 6 }] };
    await double.post(createPerson(830_001).sends(said), { url: `${url}/webhooks/telegram`, secret: SECRET });
  }
  const metrics = async () => (await fetch(`${adminUrl}/metrics`)).text();
  await expect.poll(metrics).toMatch(/bot_deliveries_total\{[^}]*"unreachable"\} 3/);
  expect(double.calls('sendMessage')).toHaveLength(before + 3);
  expect(await metrics()).not.toMatch(/alarm="delivery_rejected"\} [1-9]/);
});

test('nine accounts with slow pictures each hold up another’s picture once', async () => {
  const opened = Promise.withResolvers<void>();
  const read: string[] = [];
  const decode = async (bytes: Uint8Array) => {
    await opened.promise;
    const name = Buffer.from(bytes).toString('latin1').slice(PIXEL.length);
    read.push(name);
    if (name !== 'honest') await delay(60);
    return { kind: 'noCode' } as const;
  };
  await start({ photos: { decode }, limits: { placeMs: 1 } });
  async function sendsPhoto(id: number, name: string): Promise<void> {
    double.keep(name, Buffer.concat([PIXEL, Buffer.from(name)]));
    const { status } = await double.post(createPerson(id).sends({ photo: [{ file_id: name }] }), {
      url: `${url}/webhooks/telegram`,
      secret: SECRET,
    });
    expect(status).toBe(200);
  }
  const accounts = Array.from({ length: 9 }, (_, n) => 820_000 + n);
  for (const n of [1, 2, 3, 4])
    await Promise.all(accounts.map((account) => sendsPhoto(account, `${account}-${n}`)));
  await sendsPhoto(820_100, 'honest');
  opened.resolve();
  await expect.poll(() => read, { timeout: 20_000 }).toContain('honest');
  expect(read.slice(0, read.indexOf('honest')).every((name) => name.endsWith('-1'))).toBe(true);
});

describe('strangers behind proxies', () => {
  const asks = async (forwardedFor: string) => {
    const response = await fetch(`${url}/nowhere`, { headers: { 'x-forwarded-for': forwardedFor } });
    await response.arrayBuffer();
    return response.status;
  };
  const many = (forwardedFor: string) =>
    Promise.all(Array.from({ length: PER_MINUTE + 1 }, () => asks(forwardedFor)));

  test.each([
    ['a range', '10.0.0.0/8, 127.0.0.0/8'],
    ['a number of hops', '1'],
  ])('are told apart where TRUST_PROXY names the proxy by %s', async (_what, trusted) => {
    await start({}, { TRUST_PROXY: trusted });
    expect(await many('203.0.113.5')).toContain(429);
    expect(await asks('203.0.113.5')).toBe(429);
    expect(await asks('203.0.113.6')).toBe(404);
    // What a stranger writes before the proxy's own entry is believed by nobody.
    expect(await asks('203.0.113.7, 203.0.113.5')).toBe(429);
  });

  test('are one address where no proxy is trusted', async () => {
    await start();
    expect(await many('203.0.113.5')).toContain(429);
    expect(await asks('203.0.113.6')).toBe(429);
  });

  test('who say that they are this machine are not, whatever is trusted', async () => {
    await start({}, { TRUST_PROXY: '1' });
    const response = await fetch(`${url}/console`, { headers: { 'x-forwarded-for': '127.0.0.1' } });
    expect(response.status).toBe(404);
    expect((await fetch(`${url}/console`)).status).toBe(200);
  });
});
