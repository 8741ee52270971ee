import { randomBytes } from 'node:crypto';
import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { type Canary, createCanary, type Keys } from '../../../src/store/encryption.ts';
import { StoreRefused, StoreUnavailable } from '../../../src/store/port.ts';
import { CANARY_KEYS } from '../../../src/store/redis/connection.ts';
import { storedName } from '../../../src/store/redis/records.ts';
import { someKey } from '../../contract/records.ts';
import { startRedisCluster } from '../../support/redis.ts';
import { adminOf, create, memoryLog, openRecords, ownRedis, stopAtEnd } from './kit.ts';

/* What a store says of itself, and that nobody touches one that is not ours. */

/** The canary of a process that wants this value alone. */
const onlyThis =
  (wanted: string): Canary =>
  (stored) => {
    if (stored.every((value) => value === wanted)) return wanted;
    throw new StoreRefused(`KEY: got ${stored.join()}, wants ${wanted}`);
  };

test('an empty store is begun once, however many processes start together, and keeps its word', async () => {
  const server = await ownRedis();
  const opening = Array.from({ length: 5 }, () => openRecords(server.url, { canary: onlyThis('a') }));
  const stores = (await Promise.all(opening)).map(({ store }) => store);
  await expect(openRecords(server.url, { canary: onlyThis('b') })).rejects.toBeInstanceOf(StoreRefused);
  const admin = adminOf(server);
  expect(await admin.mget(...CANARY_KEYS)).toEqual(['a', 'a']);
  // Emptied beneath the processes, it is begun anew by their readiness.
  await admin.flushall();
  for (const store of stores) expect(await store.health()).toEqual([]);
  await expect.poll(() => admin.mget(...CANARY_KEYS)).toEqual(['a', 'a']);
});

test('a Redis that refuses the login, or has no such database, is refused', async () => {
  const { port } = await ownRedis('--requirepass', 'right');
  for (const [login, db, refusal] of [
    [':wrong@', '', 'WRONGPASS'],
    ['nobody:right@', '', 'WRONGPASS'],
    ['', '', 'NOAUTH'],
    [':right@', '/99', 'ERR DB index is out of range'],
  ]) {
    const opened = openRecords(`redis://${login}127.0.0.1:${port}${db}`);
    await expect(opened).rejects.toThrow(new RegExp(`^REDIS_URL: got a .* 127.0.0.1:${port} .*${refusal}`));
    const nodes = openRecords(`redis://${login}127.0.0.1:${port},127.0.0.1:${port}`);
    if (login !== ':right@') await expect(nodes).rejects.toBeInstanceOf(StoreRefused);
  }
});

test('a canary that is replaced is replaced in both places, also after a process died in between', async () => {
  const server = await ownRedis();
  const [hashKey, key, previous] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const open = async (keys: Partial<Keys>) => {
    await openRecords(server.url, { canary: createCanary({ hashKey, ...keys }) });
    const [one, two] = await adminOf(server).mget(...CANARY_KEYS);
    expect(one).toBe(two);
    return one ?? '';
  };
  const before = await open({ key: previous });
  const after = await open({ key, previous });
  expect(after).not.toBe(before);
  for (const place of CANARY_KEYS) {
    await adminOf(server).set(place, before);
    await open({ key });
  }
  const others = open({ key: randomBytes(32), previous: randomBytes(32) });
  await expect(others).rejects.toBeInstanceOf(StoreRefused);
});

test('processes that started without Redis look at the store when it comes, and leave it if it is not theirs', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  await adminOf(server).mset(CANARY_KEYS[0], 'b', CANARY_KEYS[1], 'b');
  await server.kill();
  const log = memoryLog();
  const { store } = await openRecords(server.url, { log, canary: onlyThis('a') });
  const { store: theirs } = await openRecords(server.url, { canary: onlyThis('b') });
  await expect(theirs.health()).rejects.toBeInstanceOf(StoreUnavailable);
  await server.start();
  await expect.poll(() => store.health().catch(String)).toMatch(/^StoreUnavailable: KEY: got b/);
  await expect(store.read(someKey())).rejects.toBeInstanceOf(StoreUnavailable);
  expect(log.lines.filter((line) => line.includes('KEY: got b'))).toHaveLength(1);
  expect(await adminOf(server).dbsize()).toBe(2);
  await expect.poll(() => create(theirs)).toMatchObject({ swapped: true });
});

test('a cluster with a dead master lets processes start, whichever it is', async () => {
  const { url, nodes } = stopAtEnd(await startRedisCluster());
  await openRecords(url, { canary: onlyThis('a') });
  await nodes[0]?.kill();
  await expect(openRecords(url, { canary: onlyThis('b') })).rejects.toBeInstanceOf(StoreRefused);
  const { store } = await openRecords(url, { canary: onlyThis('a') });
  const living = (await Promise.allSettled(Array.from({ length: 20 }, () => store.read(someKey())))).filter(
    ({ status }) => status === 'fulfilled',
  );
  expect(living.length).toBeGreaterThan(5);
});

test('no master of a cluster has both keys of the check value', () => {
  const [one = 0, other = 0] = CANARY_KEYS.map((key) => new Command('exists', [key]).getSlot() ?? -1);
  expect(Math.abs(other - one)).toBe(16_384 / 2);
});

test('what a record is called in Redis never changes', () => {
  const names = ['c:', 'c:a', 'c:conversation', 'h:Q2hhdCA3'] as const;
  expect(names.map(storedName)).toEqual([
    '{@-@0}c:',
    '{D-C0}c:a',
    '{N-I0}c:conversation',
    '{F-N0}h:Q2hhdCA3',
  ]);
});
