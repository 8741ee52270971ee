import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis, type RedisClient } from '../../../src/store/redis/client.ts';
import { LAYOUT_KEYS, LayoutRefused } from '../../../src/store/redis/layout.ts';
import { SHARDS, TAGS } from '../../../src/store/redis/tags.ts';
import { StoreUnavailable } from '../../../src/store/unavailable.ts';
import { startProcess } from '../../support/processes.ts';
import { addressOf, type RedisServer, startRedisCluster } from '../../support/redis.ts';
import { memoryLog, openProcess, ownRedis, stopAtEnd } from './kit.ts';

const SLOTS = 16_384;
const tagOf = (client: RedisClient): string => client.keys().due(7).replace('due', '');

function adminOf({ port }: RedisServer): Redis {
  // Some of these tests end the server that it is connected to.
  const admin = new Redis(port).on('error', () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}

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

for (const words of [
  ['3', '3'],
  ['1', '2'],
] as const) {
  test(`a store that says ${words.join(' and ')} is refused, by the bot and by the operators' command`, async () => {
    const server = await ownRedis();
    await adminOf(server).mset(LAYOUT_KEYS[0], words[0], LAYOUT_KEYS[1], words[1]);
    await expect(connectRedis(addressOf(server.url), memoryLog())).rejects.toBeInstanceOf(LayoutRefused);
    const programs = await Promise.all([
      startProcess('src/main.ts', { REDIS_URL: server.url }),
      startProcess('src/operators.ts', { REDIS_URL: server.url }, ['list']),
    ]);
    for (const { ended, lines } of programs) {
      expect((await ended).code).toBe(78);
      expect(lines.at(-1)).toMatch(
        /^REDIS_URL: got a store whose keys have layout .*, wants 1 or 2: start the/,
      );
    }
    expect(await adminOf(server).dbsize()).toBe(2);
  });
}

test('a process that started without Redis finds the layout when Redis comes', async () => {
  const server = await ownRedis();
  await adminOf(server).set(LAYOUT_KEYS[0], '1');
  await server.kill();
  const { client, store } = await openProcess(server.url);
  await expect(store.health()).rejects.toBeInstanceOf(StoreUnavailable);
  await server.start();
  await expect.poll(() => store.health()).toEqual([]);
  expect(tagOf(client)).toBe('{b7}');
});

test('what a process finds late and cannot read, it does not touch, and says why', async () => {
  const server = await ownRedis();
  await adminOf(server).mset(LAYOUT_KEYS[0], '3', LAYOUT_KEYS[1], '3');
  await server.kill();
  const log = memoryLog();
  const { store } = await openProcess(server.url, {}, log);
  await server.start();
  await expect.poll(() => store.health().catch(String)).toMatch(/have layout 3/);
  expect(log.lines.filter((line) => line.includes('have layout 3'))).toHaveLength(1);
});

test('a cluster with a dead master lets processes start, whichever it is', async () => {
  const { url, nodes } = stopAtEnd(await startRedisCluster());
  for (const node of nodes) await adminOf(node).config('SET', 'cluster-require-full-coverage', 'no');
  expect(tagOf((await openProcess(url)).client)).toBe(TAGS[2][7]);
  await nodes[0]?.kill();
  expect(tagOf((await openProcess(url)).client)).toBe(TAGS[2][7]);
});
