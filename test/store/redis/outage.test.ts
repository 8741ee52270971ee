import { Redis } from 'ioredis';
import { expect, test, vi } from 'vitest';
import type { ConversationStore } from '../../../src/store/store.ts';
import { StoreUnavailable } from '../../../src/store/unavailable.ts';
import { change, leased, message, someName } from '../../contract/mailbox/kit.ts';
import { memoryLog, openFeed, openProcess, ownProxy, ownRedis } from './kit.ts';

/** Every way to ask, none of which may hang. */
const everything = (mailbox: ConversationStore): (() => Promise<unknown>)[] => {
  const lease = { conversation: someName(), fence: 1, nonce: 'nonce' };
  return [
    () => mailbox.accept(message(lease.conversation, 'hello')),
    () => mailbox.claim(1),
    () => mailbox.renew(lease),
    () => mailbox.intend(lease, 'op', Buffer.from('x')),
    () => mailbox.recall(lease.conversation, 'op'),
    () => mailbox.release(lease, 0),
    () => mailbox.lock('customer', 'op'),
    () => mailbox.unlock('customer', 'op'),
    () => mailbox.health(),
  ];
};

async function expectUnavailable(mailbox: ConversationStore): Promise<void> {
  const before = performance.now();
  const answers = await Promise.allSettled(everything(mailbox).map((ask) => ask()));
  expect(performance.now() - before).toBeLessThan(2000);
  for (const answer of answers) {
    expect(answer.status === 'rejected' && answer.reason).toBeInstanceOf(StoreUnavailable);
  }
}

const comesBack = (mailbox: ConversationStore): Promise<void> =>
  vi.waitFor(async () => expect(await mailbox.health()).toEqual([]), { timeout: 10_000, interval: 50 });

test('a dead Redis is told within 2 s, and the same process goes on when it is back, with all it had', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  const log = memoryLog();
  const { mailbox } = await openProcess(server.url, {}, log);
  const work = await leased(mailbox, someName(), 'before');

  await server.kill();
  await expectUnavailable(mailbox);
  await server.start();
  await comesBack(mailbox);

  expect(await mailbox.commit(work, change(work, { state: Buffer.from('after') }))).toBeTruthy();
  expect(log.lines).toEqual([
    expect.stringContaining('connection lost'),
    expect.stringContaining('connected again'),
  ]);
});

test('a Redis that is there but does not answer is told within 2 s, too', async () => {
  const { port } = await ownRedis();
  const proxy = await ownProxy(port);
  const { mailbox } = await openProcess(proxy.url);
  proxy.pause();
  await expectUnavailable(mailbox);
  proxy.resume();
  await comesBack(mailbox);
});

test('a start without Redis waits a moment, then the process runs and recovers', async () => {
  const server = await ownRedis();
  await server.kill();
  const { mailbox } = await openProcess(server.url);
  await expect(mailbox.health()).rejects.toBeInstanceOf(StoreUnavailable);
  await server.start();
  await comesBack(mailbox);
}, 20_000);

test('a Redis that forgot the scripts gets them again', async () => {
  const { port, url } = await ownRedis();
  const { mailbox } = await openProcess(url);
  const work = await leased(mailbox, someName());
  expect(await mailbox.renew(work)).toBe(true);
  const admin = new Redis(port);
  await admin.script('FLUSH');
  admin.disconnect();
  expect(await Promise.all([mailbox.renew(work), mailbox.renew(work)])).toEqual([true, true]);
  expect(await mailbox.commit(work, change(work))).toBeTruthy();
});

test('a full memory refuses a commit as a whole', async () => {
  const { port, url } = await ownRedis();
  const { mailbox } = await openProcess(url);
  const work = await leased(mailbox, someName(), 'still there');
  const admin = new Redis(port);
  await admin.config('SET', 'maxmemory', '1mb');
  await expect(mailbox.accept(message(someName(), 'no'))).rejects.toThrow(/OOM/);
  await expect(mailbox.commit(work, change(work))).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(mailbox.release(work, 0)).rejects.toBeInstanceOf(StoreUnavailable);
  await admin.config('SET', 'maxmemory', '0');
  admin.disconnect();
  expect((await mailbox.release(work, 0))?.head?.body.toString()).toBe('still there');
  expect(await mailbox.commit(work, change(work))).toEqual({ firstSeq: 1 });
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
  await vi.waitFor(publish(2), { timeout: 10_000, interval: 5 });
  await publish(3)();
  await vi.waitFor(() => expect(seqs).toEqual([1, 2, 3]), { timeout: 10_000 });
});

test('a password reaches neither the log nor an error', async () => {
  const server = await ownRedis('--requirepass', 'geheim');
  const log = memoryLog();
  const good = server.url.replace('//', '//:geheim@');
  const { mailbox } = await openProcess(good, {}, log);
  expect(await mailbox.health()).toEqual([]);

  const wrong = server.url.replace('//', '//:verraten@');
  const { mailbox: refused } = await openProcess(wrong, {}, log);
  const error: unknown = await refused.health().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreUnavailable);
  await expect(openProcess('http://x:verraten@y')).rejects.toThrow(/^no URL of a Redis$/);
  await expect(openProcess('redis://x:verraten@:y')).rejects.toThrow(/^no URL of a Redis$/);
  expect(`${log.lines.join()} ${JSON.stringify(error)} ${error}`).not.toMatch(/geheim|verraten/);
}, 20_000);

test('wrong settings are named, with what to do', async () => {
  const { url } = await ownRedis('--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru');
  const { mailbox } = await openProcess(url);
  expect(await mailbox.health()).toEqual([
    'redis: appendonly is off: acknowledged messages can be lost, set appendonly yes',
    'redis: maxmemory-policy is allkeys-lru: states can vanish, set maxmemory-policy noeviction',
  ]);
});
