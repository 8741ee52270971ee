import { expect, test } from 'vitest';
import { connectRedis } from '../../../src/store/redis/client.ts';
import { LAYOUT_KEYS, LayoutRefused } from '../../../src/store/redis/layout.ts';
import { TAGS } from '../../../src/store/redis/tags.ts';
import { StoreUnavailable } from '../../../src/store/unavailable.ts';
import { adminOf, memoryLog, openProcess, ownRedis, stopAtEnd, tagOf } from '../../store/redis/kit.ts';
import { startProcess } from '../../support/processes.ts';
import { addressOf, startRedisCluster } from '../../support/redis.ts';

for (const words of [
  ['3', '3'],
  ['1', '2'],
] as const) {
  test(`a store that says ${words.join(' and ')} is refused`, async () => {
    const server = await ownRedis();
    await adminOf(server).mset(LAYOUT_KEYS[0], words[0], LAYOUT_KEYS[1], words[1]);
    await expect(connectRedis(addressOf(server.url), memoryLog())).rejects.toBeInstanceOf(LayoutRefused);
    const { ended, lines } = await startProcess('src/main.ts', { REDIS_URL: server.url });
    expect((await ended).code).toBe(78);
    expect(lines.at(-1)).toMatch(
      /^REDIS_URL: got a store whose keys have layout .*, wants 1 or 2: start the/,
    );
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
