import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { systemRuntime } from '../../../src/runtime.ts';
import { type Canary, createCanary, type Keys } from '../../../src/store/encryption.ts';
import { StoreRefused, StoreUnavailable } from '../../../src/store/port.ts';
import { CANARY_KEY } from '../../../src/store/redis/connection.ts';
import { storedName } from '../../../src/store/redis/records.ts';
import { someKey } from '../../contract/records.ts';
import { serveTcp } from '../../support/server.ts';
import { adminOf, create, memoryLog, openRecords, ownRedis } from './kit.ts';

/* What a store says of itself, and that a process leaves a store of others alone. */

/** The canary of a process that wants this value alone. */
const onlyThis =
  (wanted: string): Canary =>
  (stored) => {
    if (stored === null || stored === wanted) return wanted;
    throw new StoreRefused(`KEY: got ${stored}, wants ${wanted}`);
  };

test('five processes that open an empty store at once agree on its key; another key is refused', async () => {
  const server = await ownRedis();
  await Promise.all(Array.from({ length: 5 }, () => openRecords(server.url, { canary: onlyThis('a') })));
  await expect(openRecords(server.url, { canary: onlyThis('b') })).rejects.toBeInstanceOf(StoreRefused);
  expect(await adminOf(server).get(CANARY_KEY)).toBe('a');
});

test('a store that is emptied while processes use it gets its key again, and one process raises the alarm', async () => {
  const server = await ownRedis();
  const emptied: string[] = [];
  const onEmptied = () => void emptied.push('emptied');
  const opening = Array.from({ length: 5 }, () =>
    openRecords(server.url, { canary: onlyThis('a'), onEmptied }),
  );
  const stores = (await Promise.all(opening)).map(({ store }) => store);
  const admin = adminOf(server);
  await admin.flushall();
  const faults: string[] = [];
  for (const store of stores) faults.push(...(await store.health()));
  expect(faults).toEqual([expect.stringMatching(/^redis: .* emptied .*store_emptied/)]);
  expect(emptied).toEqual(['emptied']);
  await expect.poll(() => admin.get(CANARY_KEY)).toBe('a');
});

test('a process notices by itself that its store was emptied, once each time', async () => {
  const server = await ownRedis();
  const emptied: string[] = [];
  const timers: (() => void)[] = [];
  const runtime = {
    ...systemRuntime,
    timer(ms: number, run: () => void) {
      if (ms !== 10_000) return systemRuntime.timer(ms, run);
      timers.push(run);
      return { cancel() {} };
    },
  };
  const { connection } = await openRecords(server.url, {
    runtime,
    onEmptied: () => void emptied.push('emptied'),
  });
  const admin = adminOf(server);
  for (const expected of [1, 2]) {
    await admin.flushall();
    await expect.poll(() => timers.length).toBe(1);
    timers.shift()?.();
    await expect.poll(() => admin.get(CANARY_KEY)).toBe('test');
    // Ends the look, which reads the value once more: what is emptied before that counts with this time.
    await connection.verify();
    expect(emptied).toHaveLength(expected);
  }
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

test('a process with a new state key replaces the check value; one that knows neither key is refused', async () => {
  const server = await ownRedis();
  const hashKey = randomBytes(32);
  const key = randomBytes(32);
  const previous = randomBytes(32);
  const open = async (keys: Partial<Keys>) => {
    await openRecords(server.url, { canary: createCanary({ hashKey, ...keys }) });
    return adminOf(server).get(CANARY_KEY);
  };
  const before = await open({ key: previous });
  const after = await open({ key, previous });
  expect(after).not.toBe(before);
  expect(await open({ key })).toBe(after);
  const others = open({ key: randomBytes(32), previous: randomBytes(32) });
  await expect(others).rejects.toBeInstanceOf(StoreRefused);
});

test('processes that started without Redis look at the store when it comes, and leave it if it is not theirs', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  await adminOf(server).set(CANARY_KEY, 'b');
  await server.kill();
  const log = memoryLog();
  const { store } = await openRecords(server.url, { log, canary: onlyThis('a') });
  const { store: theirs } = await openRecords(server.url, { canary: onlyThis('b') });
  await expect(theirs.health()).rejects.toBeInstanceOf(StoreUnavailable);
  await server.start();
  await expect.poll(() => store.health().catch(String)).toMatch(/^StoreUnavailable: KEY: got b/);
  await expect(store.read(someKey())).rejects.toBeInstanceOf(StoreUnavailable);
  expect(log.lines.filter((line) => line.includes('KEY: got b'))).toHaveLength(1);
  expect(await adminOf(server).dbsize()).toBe(1);
  await expect.poll(() => create(theirs)).toMatchObject({ swapped: true });
});

test('the key of a record in Redis never changes', () => {
  const names = ['c:', 'c:a', 'c:conversation', 'h:Q2hhdCA3'] as const;
  expect(names.map(storedName)).toEqual([
    '{@-@0}c:',
    '{D-C0}c:a',
    '{N-I0}c:conversation',
    '{F-N0}h:Q2hhdCA3',
  ]);
});

test('a Redis that refuses every connection is quoted with its own sentence', async () => {
  const sentence = 'DENIED Redis is running in protected mode because no password is set';
  await using server = await serveTcp((socket) => socket.end(`-${sentence}\r\n`));
  const { store } = await openRecords(server.url.replace('http', 'redis'));
  await expect(store.health()).rejects.toThrow(sentence);
});
