import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/channels/staff/client.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { startBot } from '../support/app.ts';
import { dump, startRedis } from '../support/redis.ts';

/* Proof at the counter, on whole bots. */

const CODE = /[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}/;
const STAFF_TOKEN = 'a-staff-token-of-some-length';
const HEADERS = { authorization: `Bearer ${STAFF_TOKEN}`, 'content-type': 'application/json' };

const giftSchema = z.looseObject({
  status: z.union([z.string(), z.number()]),
  whose: z.string().optional(),
  by: z.string().optional(),
  handedOver: z.object({ by: z.string(), at: z.iso.datetime() }).optional(),
});

/** A bot with its own AntCRM, which can be stopped and made to misbehave. */
async function startShop(
  env: Readonly<Record<string, string>> = {},
  antcrm = Fastify({ forceCloseConnections: true }),
) {
  if (!antcrm.server.listening) {
    await antcrm.register(createSandbox());
    await antcrm.listen({ host: '127.0.0.1', port: 0 });
  }
  const ANTCRM_BASE_URL = antcrm.listeningOrigin;
  const lines: string[] = [];
  const log = { write: (line: string) => void lines.push(line) };
  const real = { ANTCRM_BASE_URL, ANTCRM_API_KEY: 'the-antcrm-key', STAFF_TOKEN };
  const bot = await startBot({ ...real, ...env }, { log });
  onTestFinished(async () => {
    await bot.stop();
    await antcrm.close();
  });
  const { send } = createClient(bot.adminUrl, STAFF_TOKEN);

  async function say(
    conversation: string,
    message: { text?: string; choice?: string; contact?: { phone: string } },
  ) {
    const answer = await send({ conversation, as: 'telegram', locale: 'vi', ...message });
    if (answer.status === 'refused') throw new Error(answer.problem.title);
    return answer.replies;
  }
  /** The replies to the press that confirms a redemption. */
  async function redeem(conversation: string) {
    await say(conversation, { text: 'đổi quà' });
    await say(conversation, { contact: { phone: '0867123456' } });
    const replies = await say(conversation, { text: 'DAUMAY01' });
    const choice = JSON.stringify(replies).match(/confirm:\w+/)?.[0] ?? 'none';
    return say(conversation, { choice });
  }
  async function ask(path: string, body?: object) {
    const sent = body && { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${bot.adminUrl}/staff/gifts/${path}`, { headers: HEADERS, ...sent });
    return { status: response.status, gift: giftSchema.parse(await response.json()) };
  }
  const handOver = (code: string, by: string) => ask(`${code}/hand-over`, { by });
  return { ...bot, antcrm, lines, say, redeem, ask, handOver };
}

const codeIn = (replies: unknown): string => JSON.stringify(replies).match(CODE)?.[0] ?? 'none';

it('a receipt has a code, and staff see what it is for and hand it over once', async () => {
  const { redeem, ask, handOver } = await startShop();
  const replies = await redeem('c');
  expect(replies[0]).toMatchObject({ key: 'redeem.done', qr: expect.stringMatching(CODE) });
  // The reference of the redemption comes first, as before there was a counter.
  expect(replies[0]?.text).toMatch(/Mã tra cứu: .*\nMã nhận quà: .*$/);
  const code = codeIn(replies);
  const shown = await ask(code.toLowerCase().replaceAll('-', '%20'));
  expect(shown).toMatchObject({
    status: 200,
    gift: { code, status: 'confirmed', gift: 'DAUMAY01', whose: '0867 *** 456', what: { vi: 'Đầu máy' } },
  });
  expect(shown.gift.handedOver).toBeUndefined();
  expect(await handOver(code, 'Lan')).toMatchObject({ status: 200, gift: { handedOver: { by: 'Lan' } } });
  expect(await handOver(code, 'Minh')).toMatchObject({
    status: 409,
    gift: { by: 'Lan', at: expect.any(String) },
  });
  expect((await ask(code)).gift.handedOver?.by).toBe('Lan');
});

it('of two staff at once, at two bots, one hands over and the other reads who did', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const env = { REDIS_URL: redis.url };
  const one = await startShop(env);
  const two = await startShop(env, one.antcrm);
  const code = codeIn(await one.redeem('c'));
  const both = await Promise.all([one.handOver(code, 'Lan'), two.handOver(code, 'Minh')]);
  const [done, refused] = both.sort((a, b) => a.status - b.status);
  expect([done?.status, refused?.status]).toEqual([200, 409]);
  expect(refused?.gift.by).toBe(done?.gift.handedOver?.by);
});

it('works while AntCRM is down', async () => {
  const { antcrm, redeem, ask, handOver } = await startShop();
  const code = codeIn(await redeem('c'));
  await antcrm.close();
  expect((await ask(code)).gift.status).toBe('confirmed');
  expect((await handOver(code, 'Lan')).status).toBe(200);
});

it('a redemption without an outcome says that it is checked, until it is known', async () => {
  const { antcrm, redeem, ask, handOver, say } = await startShop({ OPERATION_CHECKS: '3s,6s' });
  const fault = { call: 'redeem', fault: 'lose-answer', times: 1 };
  await antcrm.inject({ method: 'POST', url: '/faults', payload: fault });
  const replies = await redeem('c');
  expect(replies.at(-1)?.key).toBe('operation.checking');
  const code = codeIn(replies);
  expect((await ask(code)).gift.status).toBe('checking');
  expect((await handOver(code, 'Lan')).status).toBe(409);
  await expect.poll(async () => (await ask(code)).gift.status, { timeout: 20_000 }).toBe('confirmed');
  expect(codeIn(await say('c', { text: 'trạng thái giao dịch' }))).toBe(code);
  expect(await handOver(code, 'Lan')).toMatchObject({ status: 200, gift: { whose: '0867 *** 456' } });
});

it('/forget forgets whose it was, and not that it was handed over', async () => {
  const { redeem, ask, handOver, say } = await startShop();
  const code = codeIn(await redeem('c'));
  await handOver(code, 'Lan');
  await say('c', { text: '/forget' });
  await expect.poll(async () => (await ask(code)).gift.whose).toBeUndefined();
  expect((await ask(code)).gift).toMatchObject({ status: 'confirmed', handedOver: { by: 'Lan' } });
  expect((await handOver(code, 'Minh')).status).toBe(409);
});

it('codes that do not exist are 404, and soon 429; a right code always passes, and a colleague has tries of their own', async () => {
  const people = join(mkdtempSync(join(tmpdir(), 'counter-')), 'people.txt');
  writeFileSync(people, 'Lan: lan-0123456789-abcdef\nMinh: minh-0123456789-abcde\n');
  const { redeem, ask, handOver, adminUrl } = await startShop({ STAFF_PEOPLE: people });
  const tryAs = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${adminUrl}/staff/gifts/0000-0000-0000`, { headers })).status;
  };
  const code = codeIn(await redeem('c'));
  const statuses: number[] = [];
  for (let count = 0; count < 40; count++) statuses.push((await ask(`0000-0000-00${10 + count}`)).status);
  expect(statuses.slice(0, 30)).toEqual(Array(30).fill(404));
  expect(statuses.at(-1)).toBe(429);
  expect((await handOver('0000-0000-0000', 'Mai')).status).toBe(429);
  expect((await ask(code)).status).toBe(200);
  expect((await handOver(code, 'Mai')).status).toBe(200);
  const wrong: number[] = [];
  for (let count = 0; count < 40; count++) wrong.push(await tryAs('lan-0123456789-abcdef'));
  expect([wrong[0], wrong.at(-1), await tryAs('minh-0123456789-abcde')]).toEqual([404, 429, 404]);
});

it('codes are guessed no faster by handing over', async () => {
  const { handOver } = await startShop();
  const statuses: number[] = [];
  for (let count = 0; count < 40; count++)
    statuses.push((await handOver(`0000-0000-00${10 + count}`, 'Lan')).status);
  expect(statuses.slice(0, 30)).toEqual(Array(30).fill(404));
  expect(statuses.at(-1)).toBe(429);
});

it('neither the store, nor the log, nor the metrics have the code or whose it is', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const STATE_KEY = randomBytes(32).toString('base64');
  const { redeem, handOver, lines, url } = await startShop({ REDIS_URL: redis.url, STATE_KEY });
  const code = codeIn(await redeem('c'));
  await handOver(code, 'Lan');
  const admin = new Redis(redis.url);
  onTestFinished(() => admin.disconnect());
  const stored = (await dump(admin)).map((bytes) => bytes.toString('latin1'));
  const [key = ''] = (await admin.keys('*')).filter((name) => name.includes('}g:'));
  expect((await admin.pttl(key)) / 86_400_000, 'days').toBeCloseTo(180, 1);
  const metrics = await (await fetch(`${url}/metrics`, { headers: HEADERS })).text();
  const all = [...stored, ...lines, metrics];
  expect(stored.some((text) => text.startsWith('g:') || text.includes('g:'))).toBe(true);
  for (const secret of [code, code.replaceAll('-', ''), '*** 456'])
    expect(all.filter((text) => text.includes(secret))).toEqual([]);
  expect(lines.filter((line) => line.includes('"by":"Lan"'))).toHaveLength(1);
});

it('is only for staff', async () => {
  const { url } = await startShop();
  for (const path of ['0000-0000-0000', 'read']) {
    const response = await fetch(`${url}/staff/gifts/${path}`, { method: path === 'read' ? 'POST' : 'GET' });
    expect(response.status).toBe(401);
  }
});

it('a person of STAFF_PEOPLE hands over under their own name, and guesses by themselves', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'people-')), 'people.txt');
  writeFileSync(file, 'Lan: a-token-of-lan-0123456789ab\nMinh: a-token-of-minh-0123456789a\n');
  const { redeem, url } = await startShop({ STAFF_PEOPLE: file });
  const code = codeIn(await redeem('c'));
  const headers = { ...HEADERS, authorization: 'Bearer a-token-of-lan-0123456789ab' };
  const body = JSON.stringify({ by: 'Minh' });
  const response = await fetch(`${url}/staff/gifts/${code}/hand-over`, { method: 'POST', headers, body });
  expect([response.status, await response.json()]).toMatchObject([200, { handedOver: { by: 'Lan' } }]);
});
