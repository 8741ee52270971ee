import { Redis } from 'ioredis';
import { expect, test, vi } from 'vitest';
import type { ConversationStore } from '../../../src/store/store.ts';
import { StoreUnavailable } from '../../../src/store/unavailable.ts';
import { change, leased, message, someName } from '../../contract/store/kit.ts';
import { memoryLog, openFeed, openProcess, ownProxy, ownRedis } from '../../store/redis/kit.ts';
import { inTime } from '../../support/in-time.ts';

/** Every way to ask, none of which may hang. */
const everything = (store: ConversationStore): (() => Promise<unknown>)[] => {
  const lease = { conversation: someName(), fence: 1, nonce: 'nonce' };
  return [
    () => store.accept(message(lease.conversation, 'hello')),
    () => store.claim(1),
    () => store.renew(lease),
    () => store.intend(lease, 'op', Buffer.from('x')),
    () => store.recall(lease.conversation, 'op'),
    () => store.release(lease, 0),
    () => store.lock('customer', 'op'),
    () => store.unlock('customer', 'op'),
    () => store.health(),
  ];
};

async function expectUnavailable(store: ConversationStore): Promise<void> {
  const answers = await inTime(2000, () => Promise.allSettled(everything(store).map((ask) => ask())));
  for (const answer of answers) {
    expect(answer.status === 'rejected' && answer.reason).toBeInstanceOf(StoreUnavailable);
  }
}

const comesBack = (store: ConversationStore): Promise<void> => expect.poll(() => store.health()).toEqual([]);

test('a dead Redis is told within 2 s, and the same process goes on when it is back, with all it had', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  const log = memoryLog();
  const { store } = await openProcess(server.url, {}, log);
  const work = await leased(store, someName(), 'before');

  await server.kill();
  await expectUnavailable(store);
  await server.start();
  await comesBack(store);

  expect(await store.commit(work, change(work, { state: Buffer.from('after') }))).toBeTruthy();
  await expect
    .poll(() => log.lines)
    .toEqual([expect.stringContaining('connection lost'), expect.stringContaining('connected again')]);
});

test('a Redis that is there but does not answer is reported within 2 s too', async () => {
  const { port } = await ownRedis();
  const proxy = await ownProxy(port);
  const { store } = await openProcess(proxy.url);
  proxy.pause();
  await expectUnavailable(store);
  proxy.resume();
  await comesBack(store);
});

test('a start without Redis waits a moment, then the process runs and recovers', async () => {
  const server = await ownRedis();
  await server.kill();
  const { store } = await openProcess(server.url);
  await expect(store.health()).rejects.toBeInstanceOf(StoreUnavailable);
  await server.start();
  await comesBack(store);
});

test('a Redis that forgot the scripts gets them again', async () => {
  const { port, url } = await ownRedis();
  const { store } = await openProcess(url);
  const work = await leased(store, someName());
  expect(await store.renew(work)).toBe(true);
  const admin = new Redis(port);
  await admin.script('FLUSH');
  admin.disconnect();
  expect(await Promise.all([store.renew(work), store.renew(work)])).toEqual([true, true]);
  expect(await store.commit(work, change(work))).toBeTruthy();
});

test('a full memory refuses a commit as a whole', async () => {
  const { port, url } = await ownRedis();
  const { store } = await openProcess(url);
  const work = await leased(store, someName(), 'still there');
  const admin = new Redis(port);
  await admin.config('SET', 'maxmemory', '1mb');
  await expect(store.accept(message(someName(), 'no'))).rejects.toThrow(/OOM/);
  await expect(store.commit(work, change(work))).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(store.release(work, 0)).rejects.toBeInstanceOf(StoreUnavailable);
  await admin.config('SET', 'maxmemory', '0');
  admin.disconnect();
  expect((await store.release(work, 0))?.head?.body.toString()).toBe('still there');
  expect(await store.commit(work, change(work))).toEqual({ firstSeq: 1 });
});

test('a follower misses nothing while Redis restarts', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  const { client } = await openProcess(server.url);
  const feed = openFeed(client);
  const seqs: number[] = [];
  await feed.follow('conversation', 0, ({ seq }) => seqs.push(seq));
  await feed.publish('conversation', { seq: 1, body: Buffer.from('x') });
  await server.kill();
  await expect(feed.publish('conversation', { seq: 2, body: Buffer.from('x') })).rejects.toThrow();
  await server.start();
  const publish = (seq: number) => () => feed.publish('conversation', { seq, body: Buffer.from('x') });
  await vi.waitFor(publish(2), { timeout: 30_000, interval: 5 });
  await publish(3)();
  await expect.poll(() => seqs).toEqual([1, 2, 3]);
});

test('a password reaches neither the log nor an error', async () => {
  const server = await ownRedis('--requirepass', 'geheim');
  const log = memoryLog();
  const good = server.url.replace('//', '//:geheim@');
  const { store } = await openProcess(good, {}, log);
  expect(await store.health()).toEqual([]);

  const wrong = server.url.replace('//', '//:verraten@');
  const { store: refused } = await openProcess(wrong, {}, log);
  const error: unknown = await refused.health().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreUnavailable);
  await expect(openProcess('http://x:verraten@y')).rejects.toThrow(/^no URL of a Redis$/);
  await expect(openProcess('redis://x:verraten@:y')).rejects.toThrow(/^no URL of a Redis$/);
  expect(`${log.lines.join()} ${JSON.stringify(error)} ${error}`).not.toMatch(/geheim|verraten/);
});

test('wrong settings are named, with what to do', async () => {
  const { url } = await ownRedis('--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru');
  const { store } = await openProcess(url);
  expect(await store.health()).toEqual([
    'redis: appendonly is off: acknowledged messages can be lost, set appendonly yes',
    'redis: maxmemory-policy is allkeys-lru: states can vanish, set maxmemory-policy noeviction',
  ]);
});
