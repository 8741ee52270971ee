import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Chat } from '../../e2e/chat.ts';
import { OWN_PHONE } from '../../e2e/chat.ts';
import { startWorld, type World } from '../../e2e/world.ts';
import { dueSoon, until } from '../../support/redis.ts';

/*
 * What Redis keeps of a customer who uses all that the bot can do, measured on a whole bot that seals.
 */

let world: World;
let admin: Redis;
beforeAll(async () => {
  world = await startWorld({ redis: true });
  admin = new Redis(world.redis?.url ?? '');
});
afterAll(async () => {
  admin.disconnect();
  await world.stop();
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

test('after five operations of each kind a conversation costs under 5.5 KB when just used, under 2.5 KB at rest', async () => {
  const chat = world.chat('vi');
  await earns(chat, 'TIVI000000101');
  await chat.hears('privacy.consent');
  await chat.presses('consent:accept');
  await chat.hears('privacy.remembered');
  for (const code of [2, 3, 4, 5].map((n) => `TIVI00000010${n}`)) await earns(chat, code);
  expect(await bytesOf(AT_REST)).toBeLessThan(2560);

  await chat.writes('điểm của tôi');
  await chat.hears('identity.proofNeeded');
  await chat.shares(OWN_PHONE);
  await chat.hearsOneOf(['points.balance', 'points.balance_behind']);
  for (let n = 0; n < 5; n++) await spends(chat);
  expect(await bytesOf(AT_REST)).toBeLessThan(2560);

  await chat.writes(earning('TIVI000000109'));
  await chat.hears('accumulate.summary');
  expect(await bytesOf(EVERYTHING)).toBeLessThan(5632);

  // More messages than are remembered.
  await chat.writes('huỷ');
  for (let n = 0; n < 100; n += 10) {
    await Promise.all(Array.from({ length: 10 }, () => chat.writes('trợ giúp')));
    for (let heard = 0; heard < 10; heard++) await chat.hearsOneOf(['help']);
  }
  expect(await bytesOf(EVERYTHING)).toBeLessThan(5632);
});
