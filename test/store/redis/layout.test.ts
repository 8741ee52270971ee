import { expect, test } from 'vitest';
import { LAYOUT_KEYS } from '../../../src/store/redis/layout.ts';
import { SHARDS, TAGS } from '../../../src/store/redis/tags.ts';
import { adminOf, openProcess, ownRedis, tagOf } from './kit.ts';

const SLOTS = 16_384;

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#appendix-a-crc16-reference-implementation-in-ansi-c */
function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag.slice(1, -1))) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}

/** How many of the tags the busiest of so many equal masters has; masters' borders are rounded as redis-cli does. */
function busiest(tags: readonly string[], masters: number): number {
  const borders = Array.from({ length: masters + 1 }, (_, at) => Math.round((at * SLOTS) / masters));
  const slots = tags.map(slotOf);
  const shares = borders
    .slice(1)
    .map((to, at) => slots.filter((slot) => slot >= (borders[at] ?? 0) && slot < to));
  return Math.max(...shares.map(({ length }) => length));
}

test('the shards are spread evenly over any number of equal masters up to 64', () => {
  expect(slotOf('{123456789}')).toBe(0x31c3 % SLOTS);
  expect(new Set(TAGS[2]).size).toBe(SHARDS);
  for (let masters = 1; masters <= 64; masters++) {
    expect(busiest(TAGS[2], masters)).toBeLessThanOrEqual(Math.ceil(SHARDS / masters) + 1);
  }
  // By which one sees that the check can fail.
  expect(busiest(TAGS[1], 10)).toBeGreaterThan(Math.ceil(SHARDS / 10) + 1);
});

test('the two places where a store says its layout are on two masters of any cluster', () => {
  const [one = 0, other = 0] = LAYOUT_KEYS.map((key) => slotOf(key.replace('layout', '')));
  expect(other - one).toBe(SLOTS / 2);
});

test('tags never change', () => {
  expect([TAGS[1][0], TAGS[1][255]]).toEqual(['{b0}', '{b255}']);
  expect([TAGS[2][0], TAGS[2][128], TAGS[2][255]]).toEqual(['{e8a}', '{bn}', '{qmh}']);
});

test('processes that start together on an empty store agree on the newest layout, and the store says so', async () => {
  const server = await ownRedis();
  const clients = await Promise.all(Array.from({ length: 5 }, () => openProcess(server.url)));
  for (const { client } of clients) expect(tagOf(client)).toBe(TAGS[2][7]);
  expect(await adminOf(server).mget(...LAYOUT_KEYS)).toEqual(['2', '2']);
});

test('a store of before the layouts keeps the first, however little of it is left', async () => {
  const server = await ownRedis();
  const admin = adminOf(server);
  await admin.mset(Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`else:${n}`, ''])));
  await admin.set('{b17}m:4b8k', 'a record at rest');
  expect(tagOf((await openProcess(server.url)).client)).toBe('{b7}');
  expect(await admin.mget(...LAYOUT_KEYS)).toEqual(['1', '1']);
  await admin.del('{b17}m:4b8k');
  expect(tagOf((await openProcess(server.url)).client)).toBe('{b7}');
});

test('a place that lost its word gets it back', async () => {
  const server = await ownRedis();
  const admin = adminOf(server);
  await admin.set(LAYOUT_KEYS[1], '1');
  expect(tagOf((await openProcess(server.url)).client)).toBe('{b7}');
  expect(await admin.mget(...LAYOUT_KEYS)).toEqual(['1', '1']);
});
