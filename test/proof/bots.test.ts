import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { startCollector } from '../support/otlp.ts';
import { dump, startRedis } from '../support/redis.ts';
import { startGateway, startShop, wrongFor } from './shop.ts';

/* One-time codes on whole bots. */

const PHONE = '0867123456';
const RIGHT = ['points.balance', 'privacy.consent'];

async function startTwoBots() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const gateway = await startGateway();
  const env = { REDIS_URL: redis.url };
  const [one, two] = await Promise.all([startShop(gateway, env), startShop(gateway, env)]);
  return { redis, gateway, one, two };
}

it('a customer of Teams without an e-mail proves a phone by code, sees the history and redeems', async () => {
  const gateway = await startGateway();
  const { send, keys } = await startShop(gateway);
  expect(await keys('c', { text: 'lịch sử điểm tất cả' })).toEqual(['identity.noEmail']);
  expect(await keys('c', { choice: 'code:send' })).toEqual(['identity.codePhone']);
  const { replies, state } = await send('c', { text: '0867 123 456' });
  expect(replies).toMatchObject([{ key: 'identity.codeSent', asks: 'proof' }]);
  expect(state).toEqual({ flow: 'history', asks: 'proof' });
  const [{ code, ...texted } = { code: '' }] = gateway.texted;
  expect(texted).toMatchObject({ phone: '+84867123456', locale: 'vi' });
  expect(texted).toHaveProperty('text', expect.stringMatching(`${code}.*xem lịch sử.*[Đđ]ừng đưa mã cho ai`));
  expect(gateway.tokens).toEqual(['Bearer gateway-token-7f3a9c']);
  expect(await keys('c', { text: code })).toEqual(['history.page']);
  const summary = await send('c', { text: 'đổi quà DAUMAY01' });
  const confirm = summary.replies.at(-1)?.choices?.find(({ id }) => id.startsWith('confirm:'))?.id;
  expect(await keys('c', { choice: confirm ?? '' })).toEqual(['redeem.done', 'privacy.consent']);
  expect(gateway.texted).toHaveLength(1);
});

it('the answer is the same whether AntCRM knows the number or not', async () => {
  const gateway = await startGateway();
  const { send } = await startShop(gateway);
  const say = async (conversation: string, phone: string) => {
    await send(conversation, { text: 'xem điểm' });
    await send(conversation, { choice: 'code:send' });
    const { replies, state } = await send(conversation, { text: phone });
    return JSON.stringify([replies, state]).replaceAll(/"(seq|view)":[^,}]+|0\d{3} \d{3} \d{3}|~\w+/g, '');
  };
  expect(await say('known', PHONE)).toBe(await say('unknown', '0391234567'));
});

it('50 guesses over five conversations and two bots end at the limits, and the owner still gets in', async () => {
  const { gateway, one, two } = await startTwoBots();
  await one.ask('owner', PHONE);
  const owners = gateway.texted[0]?.code ?? '';
  const replies: string[] = [];
  await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map(async (conversation, at) => {
      const bot = at % 2 === 0 ? one : two;
      replies.push(...(await bot.ask(conversation, PHONE)));
      for (let guess = 0; guess < 10; guess++) {
        const code = gateway.texted.some((sent) => sent.code === '777777') ? '777778' : '777777';
        replies.push(...(await bot.keys(conversation, { text: code })));
      }
    }),
  );
  expect(replies.filter((key) => key === 'identity.codeLimit').length).toBeGreaterThanOrEqual(3);
  expect(replies.filter((key) => key === 'identity.codeWrong').length).toBeLessThanOrEqual(6);
  expect(replies).not.toContain('points.balance');
  expect(gateway.texted).toHaveLength(3);
  expect(await two.keys('owner', { text: owners })).toEqual(RIGHT);
});

it('one number gets three codes in ten minutes, however often and from wherever 30 are asked for', async () => {
  const { gateway, one, two } = await startTwoBots();
  await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map(async (conversation, at) => {
      const bot = at % 2 === 0 ? one : two;
      await bot.ask(conversation, PHONE);
      for (let again = 0; again < 5; again++) await bot.send(conversation, { choice: 'code:again' });
      await bot.send(conversation, { choice: 'code:send' });
    }),
  );
  expect(gateway.texted).toHaveLength(3);
  expect(new Set(gateway.texted.map(({ id }) => id)).size).toBe(3);
});

it('if two codes are asked for at once, only the later one counts, once', async () => {
  const { gateway, one, two } = await startTwoBots();
  await one.ask('c', PHONE);
  const [first] = gateway.texted;
  await Promise.all([one.send('c', { choice: 'code:again' }), two.send('c', { choice: 'code:again' })]);
  const last = gateway.texted.at(-1)?.code ?? '';
  expect(gateway.texted.length).toBeGreaterThan(1);
  if (first?.code !== last)
    expect(await one.keys('c', { text: first?.code ?? '' })).toContain('identity.codeWrong');
  const both = await Promise.all([one.keys('c', { text: last }), two.keys('c', { text: last })]);
  expect(both.flat().filter((key) => key === 'points.balance')).toHaveLength(1);
});

it('a code counts in its own conversation alone, and once', async () => {
  const { gateway, one, two } = await startTwoBots();
  await one.ask('a', PHONE);
  await two.ask('b', PHONE);
  const [a, b] = gateway.texted.map(({ code }) => code);
  if (a !== b) expect(await two.keys('b', { text: a ?? '' })).toContain('identity.codeWrong');
  expect(await one.keys('a', { text: a ?? '', id: 'm1' })).toEqual(RIGHT);
  // The platform sends it again: it is the same message.
  expect((await two.send('a', { text: a ?? '', id: 'm1' })).status).toBe('duplicate');
  await one.send('a', { choice: 'consent:decline' });
  await one.ask('a', PHONE);
  const fresh = gateway.texted.at(-1)?.code;
  if (a !== fresh) expect(await one.keys('a', { text: a ?? '' })).toContain('identity.codeWrong');
});

it.each([['cut'], [502]] as const)(
  'a lost answer (%s) is said truthfully, never sent again, and its code counts',
  async (answer) => {
    const gateway = await startGateway();
    gateway.answer = answer;
    const { send, ask, keys } = await startShop(gateway);
    await ask('c', PHONE);
    expect(gateway.texted).toHaveLength(1);
    const { replies } = await send('c', { text: 'mã đâu?' });
    expect(replies.at(-1)?.text).toContain('chưa chắc');
    expect(gateway.texted).toHaveLength(1);
    expect(await keys('c', { text: gateway.texted[0]?.code ?? '' })).toEqual(RIGHT);
  },
);

it('what the gateway refuses is said, and counts as no code that was sent', async () => {
  const gateway = await startGateway();
  const { ask, keys } = await startShop(gateway);
  gateway.answer = 400;
  expect(await ask('c', PHONE)).toEqual(['identity.codeRefused', 'identity.codePhone']);
  gateway.answer = 429;
  expect(await keys('c', { text: PHONE })).toEqual(['identity.codeFailed', 'identity.noEmail']);
  gateway.answer = 200;
  for (let times = 0; times < 3; times++) {
    const sent = await keys('c', { choice: times === 0 ? 'code:send' : 'code:again' });
    expect(sent).toEqual(['identity.codeSent']);
  }
  expect(await keys('c', { choice: 'code:again' })).toEqual(['identity.codeLimit', 'identity.codeSent']);
});

it('nothing of a code is in the store, in logs, traces, metrics, the feed or the inbox', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const gateway = await startGateway();
  const env = { REDIS_URL: redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const { url, ask, send, lines, stop } = await startShop(gateway, env);
  await ask('c', PHONE);
  const { code = '' } = gateway.texted[0] ?? {};
  const wrong = wrongFor(code);
  const traced = await send('c', { text: wrong, trace: true });
  await send('c', { text: 'gặp nhân viên' });
  await send('c', { text: `mã là ${wrong} nhé, ${code} cũng thử` });
  await send('c', { text: code, trace: true });
  const read = async (path: string) => (await fetch(`${url}${path}`)).text();
  const tickets = await read('/staff/tickets');
  const [{ id } = { id: '' }] = JSON.parse(tickets).tickets;
  const ticket = await read(`/staff/tickets/${id}`);
  expect(JSON.parse(ticket)).toMatchObject({ doing: { asks: 'proof' } });
  const metrics = await read('/metrics');
  expect(metrics).toMatch(/bot_codes_total\{result="sent"\} 1/);
  const admin = new Redis(redis.url);
  onTestFinished(() => admin.disconnect());
  const stored = (await dump(admin)).map((bytes) => bytes.toString('latin1'));
  await stop();
  const all = [
    JSON.stringify(traced),
    tickets,
    ticket,
    metrics,
    ...lines,
    ...stored,
    JSON.stringify(collector.spans),
  ];
  for (const secret of [code, wrong]) expect(all.filter((text) => text.includes(secret))).toEqual([]);
});

const shownSchema = z.object({ codes: z.array(z.object({ phone: z.string(), text: z.string() })) });

async function readCodes(url: string) {
  const response = await fetch(`${url}/console/codes`);
  return shownSchema.parse(await response.json()).codes;
}

it('the console shows the codes while the sandbox is the backend, and only then', async () => {
  const gateway = await startGateway();
  const { url, ask } = await startShop(gateway);
  await ask('c', PHONE);
  const codes = await readCodes(url);
  expect(codes).toMatchObject([{ phone: '+84867123456', text: gateway.texted[0]?.text }]);
  const STAFF_TOKEN = 'staff-token-9b1d4e';
  const real = { ANTCRM_BASE_URL: url, ANTCRM_API_KEY: 'key-of-antcrm', STAFF_TOKEN };
  const other = await startShop(gateway, real);
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  expect((await fetch(`${other.url}/console/codes`, { headers })).status).toBe(404);
});

it('the sandbox can play the gateway', async () => {
  const gateway = await startGateway();
  const sandbox = await startShop(gateway);
  const { ask, url, keys } = await startShop({ ...gateway, url: `${sandbox.url}/sandbox/texts` });
  await ask('c', PHONE);
  const codes = await readCodes(url);
  expect(await keys('c', { text: codes[0]?.text.slice(0, 6) ?? '' })).toEqual(RIGHT);
});
