import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import {
  ASIDE_MS,
  type RecordStore,
  StoreRefused,
  StoreUnavailable,
  shardOf,
  versionOf,
} from '../../../src/store/port.ts';
import { bytesOf, due, record, replacing, someKey, swapOf } from '../../contract/records.ts';
import { inTime } from '../../support/in-time.ts';
import { startRedisProxy } from '../../support/proxy.ts';
import { adminOf, create, memoryLog, openRecords, ownRedis, stopAtEnd, stored } from './kit.ts';

/** Every way to ask, none of which may hang. */
const everything = (store: RecordStore): Promise<unknown>[] => [
  store.read(someKey()),
  create(store),
  create(store, { durable: true }),
  store.list('due', { shard: 7, upTo: 'now', limit: 10 }),
  store.health(),
];

test('a Redis that hangs or is dead is reported within 2 s, and the process goes on when it is back, with all records', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  const log = memoryLog();
  const { store } = await openRecords(server.url, { log });
  const { key, before } = await stored(store);

  for (const end of [server.pause, server.kill]) {
    await end();
    // Others wait already.
    const before = Promise.allSettled([create(store), create(store)]);
    await delay(300);
    const answers = await inTime(2200, () => Promise.allSettled(everything(store)));
    for (const answer of answers)
      expect(answer.status === 'rejected' && answer.reason).toBeInstanceOf(StoreUnavailable);
    await before;
  }
  await server.start();
  await expect.poll(() => store.health()).toEqual([]);

  const swap = replacing(before, { bytes: record('after') });
  expect(await store.compareAndSwap(key, swap)).toMatchObject({ swapped: true });
  await expect
    .poll(() => log.lines)
    .toEqual([expect.stringContaining('cannot be reached'), expect.stringContaining('connected again')]);
});

test('the store’s time is the clock of the node, whatever the clock of the process says', async () => {
  const { url } = await ownRedis();
  const { store } = await openRecords(url);
  const key = someKey();
  const nowMs = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(0);
  await store.compareAndSwap(key, swapOf({ bytes: record('a'), indexes: due(key, nowMs - 1000) }));
  expect((await store.read(key)).nowMs).toBeGreaterThan(nowMs - 10_000);
  expect(await store.list('due', { shard: shardOf(key), upTo: 'now', limit: 9 })).toMatchObject({ count: 1 });
});

test('a Redis that forgot the scripts gets them again, and is asked for its readiness once a second', async () => {
  const server = await ownRedis();
  const { store } = await openRecords(server.url);
  const admin = adminOf(server);
  await store.read(someKey());
  await create(store);
  await admin.script('FLUSH');
  for (const swapped of await Promise.all([create(store), create(store)]))
    expect(swapped).toMatchObject({ swapped: true });
  const asked = async () => Number(/cmdstat_info:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1]);
  const before = await asked();
  for (let n = 0; n < 10; n++) await store.health();
  // One of them is this test's own.
  expect((await asked()) - before).toBeLessThanOrEqual(3);
});

test('a swap whose answer is lost is reported as done, and its record is stored once', async () => {
  const { port, url } = await ownRedis();
  const proxy = stopAtEnd(await startRedisProxy(port));
  const { store } = await openRecords(proxy.url);
  const { store: direct } = await openRecords(url);
  const key = someKey();
  let before: Buffer | null = null;
  for (let n = 0; n <= 5; n++) {
    const bytes = record(`${n}`);
    if (n > 0) proxy.loseNextAnswer();
    const swap = swapOf({ expected: before && versionOf(before), bytes, indexes: due(key, n) });
    expect(await store.compareAndSwap(key, swap)).toMatchObject({ swapped: true });
    expect(bytesOf(await direct.read(key))).toEqual(bytes);
    before = bytes;
  }
});

test('a full memory refuses a swap as a whole', async () => {
  const server = await ownRedis();
  const { store } = await openRecords(server.url);
  const key = someKey();
  const { before } = await stored(store, { indexes: due(key, 1) }, key);
  const admin = adminOf(server);
  await admin.config('SET', 'maxmemory', '100kb');
  const swap = replacing(before, { bytes: record('next'), indexes: due(key, null) });
  await expect(store.compareAndSwap(key, swap)).rejects.toThrow(/OOM/);
  await expect(create(store)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(store.health()).rejects.toThrow(
    /stores nothing: OOM [^:@]*: its memory is full, raise maxmemory /,
  );
  expect(bytesOf(await store.read(key))).toEqual(before);
  await admin.config('SET', 'maxmemory', '0');
  expect(await store.compareAndSwap(key, swap)).toMatchObject({ swapped: true });
});

test('a password reaches neither the log nor an error', async () => {
  const server = await ownRedis('--requirepass', 'geheim');
  const log = memoryLog();
  const good = server.url.replace('//', '//:geheim@');
  const { store } = await openRecords(good, { log });
  expect(await store.health()).toEqual([]);

  const wrong = server.url.replace('//', '//:verraten@');
  const error: unknown = await openRecords(wrong, { log }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreRefused);
  await expect(openRecords('http://x:verraten@y')).rejects.toThrow(/^no URL of a Redis$/);
  await expect(openRecords('redis://x:verraten@:y')).rejects.toThrow(/^no URL of a Redis$/);
  expect(`${log.lines.join()} ${JSON.stringify(error)} ${error}`).not.toMatch(/geheim|verraten/);
});

test('wrong settings are named, with what to do', async () => {
  const { url } = await ownRedis('--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru');
  const { store } = await openRecords(url);
  expect(await store.health()).toEqual([
    'redis: appendonly is off: acknowledged messages can be lost, set appendonly yes',
    'redis: maxmemory-policy is allkeys-lru: states can vanish, set maxmemory-policy noeviction',
  ]);
});

test('records expire, and nothing is left of an index without entries', async () => {
  const server = await ownRedis();
  const { store } = await openRecords(server.url);
  const key = someKey();
  const { before } = await stored(store, { indexes: due(key, 1) }, key);
  const swap = replacing(before, { bytes: record('a'), aside: true, indexes: due(key, null) });
  await store.compareAndSwap(key, swap);
  await store.health();
  const admin = adminOf(server);
  const lasting: string[] = [];
  for (const key of await admin.keys('*')) {
    const endsMs = await admin.pttl(key);
    if (endsMs < 0 || endsMs > ASIDE_MS) lasting.push(key.replace(/^\{.*?\}/, ''));
  }
  expect(lasting.sort()).toEqual(['broken', 'layout']);
});
