import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OWN_PHONE } from '../e2e/chat.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { dump } from '../support/redis.ts';

/*
 * A day of a bot with production's settings, before a Redis that is watched: nothing that customers said is readable there.
 * Its log is searched as every bot's is (`test/support/logs.ts`).
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
