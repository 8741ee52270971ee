import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Chat, OWN_PHONE } from '../e2e/chat.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { dueSoon, dump, until } from '../support/redis.ts';

/*
 * A day of a bot with production's settings, before a Redis that is watched: what it keeps of a customer who uses all that the
 * bot can do, and that nothing of it is readable. The log is searched as every bot's is (`test/support/logs.ts`).
 */

const [stateKey, hashKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

/** However they may be written. */
const PERSONAL = [
  ...['0912345678', '912345678', '0867123456', '867123456', '0912 345 678', '0867 123 456'],
  ...['minh@example.vn', 'garnacho@gmail.com', 'Garnacho', 'Thong'],
  ...['TIVI000000017', 'TIVI000000018', 'DAUMAY01', stateKey, hashKey],
];

let world: World;
let admin: Redis;
let watcher: Redis;
const commands: string[] = [];

beforeAll(async () => {
  const keys = { STATE_KEY: stateKey, HASH_KEY: hashKey };
  world = await startWorld({
    redis: true,
    env: { NODE_ENV: 'production', SUPPORT_CONTACT: '1900 0000', ...keys },
  });
  admin = new Redis(world.redis?.url ?? '');
  watcher = await admin.monitor();
  watcher.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
});
afterAll(async () => {
  watcher.disconnect();
  admin.disconnect();
  await world.stop();
});

function found(lines: readonly (string | Buffer)[]): string[] {
  const text = lines.join('\n').toLowerCase();
  return PERSONAL.filter((value) => text.includes(value.toLowerCase()));
}

const [bot, token] = [() => world.bots[0] ?? expect.fail('there is no bot'), 'e2e-staff-token-1'];
const asStaff = (body: unknown, authorization = `Bearer ${token}`) =>
  fetch(`${bot().url}/webhooks/staff`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const earning = (code: string) => `tích điểm ${code} 0867123456 minh@example.vn`;

async function earns(chat: Chat, code: string): Promise<void> {
  await chat.writes(earning(code));
  await chat.hears('accumulate.summary');
  await chat.presses('confirm');
  await chat.hears('accumulate.done', 'receipt.accumulate');
}

async function spends(chat: Chat): Promise<void> {
  await chat.writes('/redeem DAUMAY01');
  await chat.hearsOneOf(['redeem.summary']);
  await chat.presses('confirm');
  await chat.hears('redeem.done', 'receipt.redeem');
}

/** The bytes of every key of these kinds, in all shards, once all that was to be said is said. */
async function bytesOf(kinds: RegExp): Promise<number> {
  await until(async () => (await dueSoon(admin)) === 0);
  const keys = (await admin.keys('*')).filter((key) => kinds.test(key));
  const sizes = await Promise.all(keys.map((key) => admin.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')));
  return sizes.reduce((sum: number, size) => sum + Number(size ?? 0), 0);
}

/** But for what the store says of itself, which is no conversation's. */
const EVERYTHING = /\}(?!layout|keys)/;
/** As after a day: the records of the last redemptions have lapsed. */
const AT_REST = /\}c:/;

test('after five operations of each kind a conversation costs under 6 KB when just used, half of it at rest', async () => {
  const chat = world.chat('vi');
  await earns(chat, 'TIVI000000101');
  await chat.hears('privacy.consent');
  await chat.presses('consent:accept');
  await chat.hears('privacy.remembered');
  for (const code of [2, 3, 4, 5].map((n) => `TIVI00000010${n}`)) await earns(chat, code);
  expect(await bytesOf(AT_REST)).toBeLessThan(2816);

  await chat.writes('điểm của tôi');
  await chat.hears('identity.proofNeeded');
  await chat.shares(OWN_PHONE);
  await chat.hearsOneOf(['points.balance', 'points.balance_behind']);
  for (let n = 0; n < 5; n++) await spends(chat);
  expect(await bytesOf(AT_REST)).toBeLessThan(2816);

  await chat.writes(earning('TIVI000000109'));
  await chat.hears('accumulate.summary');
  expect(await bytesOf(EVERYTHING)).toBeLessThan(6144);

  // More messages than are remembered.
  await chat.writes('huỷ');
  for (let n = 0; n < 100; n += 10) {
    await Promise.all(Array.from({ length: 10 }, () => chat.writes('trợ giúp')));
    for (let heard = 0; heard < 10; heard++) await chat.hearsOneOf(['help']);
  }
  expect(await bytesOf(EVERYTHING)).toBeLessThan(6144);
});

test('nothing personal is readable in Redis, nor in what was ever sent to it', async () => {
  const one = world.chat('vi');
  await one.writes('tích điểm TIVI000000017 0912345678 minh@example.vn');
  await one.hears('accumulate.summary');
  await one.presses('confirm');
  await one.hearsOneOf(['privacy.consent']);
  await one.presses('consent:accept');
  await one.writes('đổi quà DAUMAY01');
  await one.hearsOneOf(['identity.proofNeeded']);
  // What goes wrong is logged: a lost answer, an outage of Telegram that quotes the customer, requests that are refused.
  await world.sandbox.fault({ call: 'redeem', fault: 'lose-answer' });
  await one.shares(OWN_PHONE);
  await one.hearsOneOf(['redeem.summary']);
  world.double.script('sendMessage', { code: 500, description: 'Internal error for 0912345678' });
  await one.presses('confirm');
  await one.hearsOneOf(['operation.resolved.done']);
  await one.writes('lịch sử tích điểm 30 ngày');
  await one.hearsOneOf(['history.page_point', 'history.empty_point']);
  const staff = { conversation: 'qa-0912345678', text: 'tích điểm TIVI000000018 0912345678 minh@example.vn' };
  await asStaff({ ...staff, name: 'Garnacho Thong' });
  for (const [body, authorization] of [
    [{ ...staff, oops: 'minh@example.vn' }],
    ['{"text": "0912345678'],
    [staff, 'wrong-token'],
  ] as const)
    expect((await asStaff(body, authorization)).ok).toBe(false);
  for (const path of ['/nowhere', '/webhooks/staff/qa-0912345678/events', '/sandbox/history-point'])
    await fetch(`${bot().url}${path}?phone=0912345678&email=minh@example.vn`);

  expect(commands.length).toBeGreaterThan(50);
  expect(found([...(await dump(admin)), ...commands])).toEqual([]);
  // The search finds what is there.
  await admin.set('control', 'Minh@example.vn');
  expect(found(await dump(admin))).toEqual(['minh@example.vn']);
  await expect.poll(() => found(commands)).toEqual(['minh@example.vn']);
});

test('who can write to Redis cannot give one customer the state of another', async () => {
  const [rich, thief] = [world.chat('vi'), world.chat('vi')];
  await rich.writes('xem điểm');
  await rich.hearsOneOf(['identity.proofNeeded']);
  await rich.shares(OWN_PHONE);
  await rich.hearsOneOf(['privacy.consent_phone']);
  const others = new Set(await admin.keys('*c:*'));
  await thief.writes('chào');
  await thief.hearsOneOf(['welcome']);
  const [victim = ''] = (await admin.keys('*c:*')).filter((key) => !others.has(key));
  for (const other of others) {
    await admin.set(victim, (await admin.getBuffer(other)) ?? '');
    await thief.writes('xem điểm');
    await thief.hearsOneOf(['identity.proofNeeded']);
  }
  await expect.poll(() => bot().lines.join()).toContain('"alarm":"seal_broken"');
});
