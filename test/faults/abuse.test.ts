import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { type Platforms, startPlatforms, WEBHOOK_SECRET } from '../support/platforms.ts';
import { TENANT, textActivity } from '../support/teams-activities.ts';
import { createPerson } from '../support/telegram-updates.ts';

const APP_ID = randomUUID();
/** A caller behind a proxy counts as a stranger, on this machine, too. */
const STRANGER = { 'x-forwarded-for': '203.0.113.5' };
/** What an address may ask for in a minute without a secret (`RATES` of http/guard.ts). */
const PER_MINUTE = 300;

let platforms: Platforms;
let bot: Running;
const lines: string[] = [];
beforeAll(async () => {
  platforms = await startPlatforms();
  const { teams, telegramEnv } = platforms;
  const env = {
    ...telegramEnv,
    STAFF_TOKEN: 'a-token-of-the-staff',
    ADMIN_PORT: '0',
    MICROSOFT_APP_ID: APP_ID,
    MICROSOFT_APP_TYPE: 'UserAssignedMSI',
    MICROSOFT_APP_TENANT_ID: TENANT,
    TEAMS_SERVICE_HOSTS: teams.host,
    ...teams.endpoints,
  };
  bot = await startBot(env, { log: { write: (line) => lines.push(line) } });
});
afterAll(async () => {
  await bot.stop();
  await platforms.close();
});

async function answered(path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const { port } = new URL(/metrics|staff/.test(path) ? bot.adminUrl : bot.url);
  const socket = net.connect(Number(port), '127.0.0.1');
  const sent = Object.entries({ ...STRANGER, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const method = Object.keys(headers).length > 0 ? 'POST' : 'GET';
  socket.write(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${sent.join('')}content-length: 260000\r\n\r\n{`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return String(answer);
}
const times = <T>(count: number, ask: (at: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, at) => ask(at)));
const junk = (claims = {}) => `Bearer ${platforms.teams.mint(APP_ID, { claims, sign: 'other' })}`;

test.each<[what: string, path: string, usual: number, headers?: () => Record<string, string>]>([
  ['metrics', '/metrics', 200],
  ['what is not there', '/nowhere', 404],
  ['Telegram’s webhook', '/webhooks/telegram', 401, () => ({ 'x-telegram-bot-api-secret-token': 'wrong' })],
  ['Teams’', '/webhooks/teams', 401, () => ({ authorization: junk() })],
  ['the staff’s', '/webhooks/staff', 401, () => ({ authorization: 'Bearer wrong' })],
])('%s: answered before a body is there, and after too many told to wait', async (_, path, usual, secret) => {
  const headers = secret?.() ?? {};
  expect(await answered(path, headers)).toMatch(`HTTP/1.1 ${usual}`);
  await times(PER_MINUTE, () => answered(path, headers));
  expect(await answered(path, headers)).toMatch(/^HTTP\/1.1 429 [^{]*\nretry-after: [1-9]/i);
});

test('Telegram and Teams are still accepted after junk tokens that name many directories', async () => {
  const person = createPerson(810_003);
  const headers = { ...STRANGER, 'x-telegram-bot-api-secret-token': WEBHOOK_SECRET };
  const update = () => ({ method: 'POST', headers, body: JSON.stringify(person.writes('chào')) });
  const answers = await times(PER_MINUTE + 1, () => fetch(`${bot.url}/webhooks/telegram`, update()));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const post = (authorization: string) =>
    platforms.teams.post(textActivity('xin chào'), {
      url: `${bot.url}/webhooks/teams`,
      appId: APP_ID,
      authorization,
    });
  await times(101, (tid) => post(junk({ tid: `junk-${tid}` })));
  const token = platforms.teams.mint(APP_ID, { claims: { tid: 'a new directory' } });
  expect((await post(`Bearer ${token}`)).status).toBe(200);
});

test('a body that breaks HTTP puts no error into the log', async () => {
  const socket = net
    .connect(Number(new URL(bot.url).port), '127.0.0.1')
    .on('error', () => {})
    .resume();
  const head = 'POST /webhooks/telegram HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
  socket.write(`${head}no size\r\n`);
  await once(socket, 'close');
  expect((await fetch(`${bot.url}/health/live`)).status).toBe(200);
  expect(lines.filter((line) => line.includes('a request failed'))).toEqual([]);
});

test.each([
  ['are told apart where TRUST_PROXY names the proxy by a range', '10.0.0.0/8, 127.0.0.0/8', 404],
  ['are told apart where it is a number of hops', '1', 404],
  ['are one address where no proxy is trusted', '', 429],
])('strangers behind proxies %s', async (_what, TRUST_PROXY, another) => {
  const { url, stop } = await startBot({ TRUST_PROXY });
  onTestFinished(stop);
  const asks = async (forwardedFor: string, path = '/nowhere') =>
    (await fetch(url + path, { headers: { 'x-forwarded-for': forwardedFor } })).status;
  await times(PER_MINUTE, () => asks('203.0.113.5'));
  expect(await asks('203.0.113.5')).toBe(429);
  expect(await asks('203.0.113.6')).toBe(another);
  // What a stranger writes before the proxy's own entry is believed by nobody.
  expect(await asks('203.0.113.7, 203.0.113.5')).toBe(429);
  expect(await asks('127.0.0.1', '/console')).not.toBe(200);
});
