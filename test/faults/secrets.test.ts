import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { type Bot, startBot } from '../support/processes.ts';
import { dump, type RedisServer, startRedis } from '../support/redis.ts';
import { startTelegramDouble, type TelegramDouble } from '../support/telegram-double.ts';
import { createPerson, type Person } from '../support/telegram-updates.ts';

/*
 * A whole day of a bot in production's settings, told in every detail (LOG_LEVEL=trace) before a Redis that is watched:
 * none of what customers said, and no secret, may be readable in either.
 */

const STAFF_TOKEN = 'staff-6fJq2v-9sKx4m';
const SECRET = 'webhook-8hTz4b';
const API_KEY = 'antcrm-2nWx9d';
const [stateKey, hashKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

/** However they may be written. */
const PERSONAL = [
  ...['0912345678', '912345678', '0867123456', '867123456', '0912 345 678', '0867 123 456'],
  ...['minh@example.vn', 'garnacho@gmail.com', 'Garnacho', 'Thong'],
  ...['TIVI000000017', 'TIVI000000018', 'TIVI000000666', 'DAUMAY01'],
  // Who they are on Telegram.
  ...['990011223', '990011224'],
];

let double: TelegramDouble;
/** AntCRM; it refuses the code of this word in words that quote the customer. */
const antcrm = Fastify({ forceCloseConnections: true });
const QUOTED = 'TIVI000000666';
antcrm.addHook('preHandler', async ({ body }, reply) => {
  if (!JSON.stringify(body ?? '').includes(QUOTED)) return;
  const message = `Code ${QUOTED} of Garnacho Thong, 0912345678, minh@example.vn is unknown`;
  return reply.code(400).send({ message });
});
let redis: RedisServer;
let admin: Redis;
let watcher: Redis;
let bot: Bot;
const commands: string[] = [];

beforeAll(async () => {
  await antcrm.register(createSandbox());
  const antcrmUrl = await antcrm.listen({ host: '127.0.0.1', port: 0 });
  [double, redis] = await Promise.all([startTelegramDouble(), startRedis()]);
  admin = new Redis(redis.url);
  watcher = await admin.monitor();
  watcher.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
  bot = await startBot({
    NODE_ENV: 'production',
    REDIS_URL: redis.url,
    STATE_KEY: stateKey,
    HASH_KEY: hashKey,
    STAFF_TOKEN,
    TELEGRAM_BOT_TOKEN: double.token,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    ANTCRM_BASE_URL: antcrmUrl,
    ANTCRM_API_KEY: API_KEY,
    ANTCRM_TIMEOUT_MS: '2000',
    OPERATION_CHECKS: '300ms,1s',
    SUPPORT_CONTACT: '1900 0000',
  });
});
afterAll(async () => {
  await bot.stop();
  watcher.disconnect();
  admin.disconnect();
  await Promise.all([double.close(), antcrm.close()]);
  await redis.stop();
});

const webhook = () => ({ url: `${bot.url}/webhooks/telegram`, secret: SECRET });

/** A customer on Telegram who waits for an answer to whatever they do. */
function customer(id: number) {
  const person = createPerson(id);
  const answers = () =>
    double
      .calls()
      .filter(
        ({ method, payload }) => method !== 'sendChatAction' && JSON.stringify(payload).includes(`${id}`),
      ).length;
  async function does(update: ReturnType<Person['writes']>): Promise<void> {
    const before = answers();
    await double.post(update, webhook());
    await expect.poll(answers).toBeGreaterThan(before);
  }
  return {
    does,
    writes: (text: string) => does(person.writes(text)),
    shares: (phone: string) => does(person.shares(phone)),
    async presses(choice: string) {
      const find = () =>
        double
          .shown(id)
          .flatMap(({ message_id, buttons }) => buttons.flat().map((button) => ({ ...button, message_id })))
          .findLast(({ callback_data: data }) => data.startsWith(choice));
      await expect.poll(find).toBeDefined();
      const button = find();
      await does(person.presses(button?.callback_data ?? '', button?.message_id ?? 0));
    },
  };
}

async function asStaff(body: unknown, token = STAFF_TOKEN): Promise<string> {
  const response = await fetch(`${bot.url}/webhooks/staff`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return response.text();
}

function found(lines: readonly (string | Buffer)[], values: readonly string[]): string[] {
  const text = lines.join('\n').toLowerCase();
  return values.filter((value) => text.includes(value.toLowerCase()));
}

describe('a day in production', () => {
  test('goes through everything that customers and operators can do', async () => {
    const one = customer(990_011_223);
    await one.writes('tích điểm TIVI000000017 0912345678 minh@example.vn');
    await one.presses('confirm');
    await one.presses('consent:accept');
    await one.writes('đổi quà DAUMAY01');
    await one.shares('84867123456');
    await one.presses('confirm');
    await one.writes('lịch sử tích điểm 30 ngày');
    await one.writes('xem điểm');
    await one.writes('/privacy');

    // What goes wrong is logged: an answer that quotes the customer, a lost one, a 5xx, an outage of Telegram.
    const two = customer(990_011_224);
    await two.writes(`tích điểm ${QUOTED} 0912345678 minh@example.vn`);
    await two.presses('confirm');
    await antcrm.inject({
      method: 'POST',
      url: '/faults',
      payload: { call: 'redeem', fault: 'lose-answer' },
    });
    await two.writes('đổi quà DAUMAY01');
    await two.shares('84867123456');
    await two.presses('confirm');
    double.script('sendMessage', { code: 500, description: 'Internal error for 0912345678' });
    await two.writes('trợ giúp');

    const staff = {
      conversation: 'qa-0912345678',
      text: 'tích điểm TIVI000000018 0912345678 minh@example.vn',
    };
    await asStaff({ ...staff, name: 'Garnacho Thong' });
    await asStaff({ conversation: staff.conversation, text: 'ok' });
    await asStaff({ ...staff, oops: 'minh@example.vn' });
    await asStaff(`{"text": "0912345678`);
    await asStaff(staff, 'wrong-token');
    await double.post(createPerson(990_011_223).writes('0912345678'), { ...webhook(), secret: 'wrong' });
    for (const path of ['/nowhere', '/webhooks/staff/qa-0912345678/events', '/sandbox/history-point']) {
      await fetch(`${bot.url}${path}?phone=0912345678&email=minh@example.vn`);
    }
    // An answer may arrive before the line that was written ahead of it: they come by two pipes.
    await expect.poll(() => bot.lines.join()).toContain('AntCRM did not do as asked');
    await expect.poll(() => bot.lines.join()).toContain('"alarm":"staff_operation"');
  });

  test('is searched by a search that finds what is there', async () => {
    await admin.set('control', 'Minh@example.vn');
    expect(found(await dump(admin), PERSONAL)).toEqual(['minh@example.vn']);
    await expect.poll(() => found(commands, PERSONAL)).toEqual(['minh@example.vn']);
    await admin.del('control');
    commands.splice(
      commands.findIndex((line) => line.startsWith('set control')),
      1,
    );
    expect(commands.length).toBeGreaterThan(100);
  });

  test('leaves nothing personal and no secret in the log', () => {
    const secrets = [
      STAFF_TOKEN,
      SECRET,
      API_KEY,
      double.token,
      double.token.split(':')[1] ?? '',
      stateKey,
      hashKey,
    ];
    expect(found(bot.lines, [...PERSONAL, ...secrets])).toEqual([]);
  });

  test('leaves nothing personal readable in Redis, nor in what was ever sent to it', async () => {
    const lines = await dump(admin);
    expect(lines.length).toBeGreaterThan(5);
    expect(found(lines, [...PERSONAL, stateKey, hashKey])).toEqual([]);
    expect(found(commands, [...PERSONAL, stateKey, hashKey])).toEqual([]);
  });
});

describe('an attacker who can write to Redis', () => {
  test('cannot give one customer the state of another', async () => {
    const [rich, thief] = [customer(990_011_225), customer(990_011_226)];
    await rich.writes('xem điểm');
    await rich.shares('84867123456');
    await rich.presses('consent:accept');
    const before = new Set(await admin.keys('*c:*'));
    await thief.writes('chào');
    const [victim] = (await admin.keys('*c:*')).filter((key) => !before.has(key));
    for (const other of before) {
      await admin.set(victim ?? '', (await admin.getBuffer(other)) ?? '');
      const asked = double.calls('sendMessage').length;
      await thief.writes('xem điểm');
      const said = double
        .calls('sendMessage')
        .slice(asked)
        .map(({ payload }) => String(payload.text));
      expect(said.join()).toContain('nút chia sẻ số');
    }
    await expect.poll(() => bot.lines.join()).toContain('"alarm":"seal_broken"');
  });
});
