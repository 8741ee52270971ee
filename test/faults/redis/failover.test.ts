import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Feed } from '../../../src/store/feed.ts';
import { leaveNoMaster } from '../../../src/store/redis/failover.ts';
import { StoreUnavailable } from '../../../src/store/unavailable.ts';
import { change, leased, message, someName } from '../../contract/store/kit.ts';
import { memoryLog, openFeed, openProcess, ownProxy, ownRedis, stopAtEnd } from '../../store/redis/kit.ts';
import { asAdmin, startRedisPair, startRedisSentinels } from '../../support/failover.ts';

/** How long a failover may keep a process from working, once the first write was refused. */
const SOON = { timeout: 30_000, interval: 20 };
const PATIENT = { timeout: 30_000 };
const body = Buffer.from('x');

test(
  'a process leaves a master that became a replica, with every connection, and has all that was there',
  PATIENT,
  async () => {
    const pair = stopAtEnd(await startRedisPair());
    const log = memoryLog();
    const { client, store } = await openProcess(pair.url, { waitReplicas: 1 }, log);
    const { seqs, publishes } = await followed(openFeed(client));
    const work = await leased(store, someName(), 'before');
    expect(await store.intend(work, 'first', body)).toEqual({ kind: 'go' });

    await pair.failOver();
    await expect(store.accept(message(someName(), 'refused'))).rejects.toThrow(/READONLY/);
    await expect.poll(() => store.health()).toEqual([]);
    expect(await store.recall(work.conversation, 'first')).toEqual(body);
    expect(await store.intend(work, 'second', body)).toEqual({ kind: 'go' });
    expect(await store.commit(work, change(work, { settled: ['first', 'second'] }))).toBeTruthy();
    expect(await store.release(work, 0)).toBeNull();
    await publishes(1);
    expect(seqs).toEqual([1]);
    // Nobody of ours stays behind.
    const left = () =>
      asAdmin(pair.replica, async (admin) => {
        const normal = await admin.call('CLIENT', 'LIST', 'TYPE', 'NORMAL');
        return `${normal}${await admin.call('CLIENT', 'LIST', 'TYPE', 'PUBSUB')}`.match(/^id=/gm);
      });
    await expect.poll(left).toHaveLength(1);
  },
);

test('a node that loads its data is left for the one where the address leads now', PATIENT, async () => {
  const redis = await ownRedis();
  const proxy = await ownProxy(await loadingFor(onTestFinished));
  const { store } = await openProcess(proxy.url);
  await expect(store.health()).rejects.toThrow(/^redis: node .* cannot be reached: not connected yet/);
  proxy.switchTo(redis.port);
  await vi.waitFor(() => leased(store, someName()), SOON);
});

/** What a Redis says that has gigabytes to load, as far as a client asks before it is ready. */
const LOADING: Readonly<Record<string, string>> = {
  HELLO: '-NOPROTO unsupported protocol version\r\n',
  CLIENT: '+OK\r\n',
  INFO: '$31\r\nloading:1\r\nrole:master\r\nx:12345\r\n',
};

/** A port where nothing but that is said. */
async function loadingFor(finish: (stop: () => void) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('data', (data) => {
      for (const [, name = ''] of data.toString().matchAll(/\r\n(HELLO|CLIENT|INFO)\r\n/gi)) {
        socket.write(LOADING[name.toUpperCase()] ?? '');
      }
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  finish(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test.for([
  ["READONLY You can't write against a read only replica. script: 1f, on @user_script:1.", true],
  [
    "ERR Error running script (call to f_1f): @user_script:7: @user_script: 7: -READONLY You can't write",
    true,
  ],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", true],
  ['LOADING Redis is loading the dataset in memory', true],
  ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', true],
  ["OOM command not allowed when used memory > 'maxmemory'.", false],
  ['NOREPLICAS Not enough good replicas to write.', false],
  ['MISCONF Errors writing to the AOF file: No space left on device', false],
  ['ERR unknown command, with args beginning with: READONLY', false],
] as const)('whether the connection is left that answers %s: %s', ([message, leaves]) => {
  const left: string[] = [];
  const isLeft = leaveNoMaster((why) => left.push(why));
  expect(isLeft(new Error(message))).toBe(leaves);
  expect(left).toHaveLength(leaves ? 1 : 0);
  // What was under way beside it is refused, too, and must not end the next connection.
  expect(isLeft(new Error(message))).toBe(false);
});

test('a failover that an operator asks the sentinels for takes every connection along', PATIENT, async () => {
  const sentinels = stopAtEnd(await startRedisSentinels());
  const { client, store } = await openProcess(sentinels.url);
  const { seqs, publishes } = await followed(openFeed(client));
  const work = await leased(store, someName(), 'before');

  await sentinels.failOver();
  const promoted = await sentinels.master();
  await expect.poll(() => store.renew(work)).toBe(true);
  const later = someName();
  await leased(store, later);
  const keys = await asAdmin(promoted, (admin) => admin.keys(`*${later}*`));
  expect(keys).not.toEqual([]);
  await publishes(1);
  expect(seqs).toEqual([1]);
});

test('a master that dies is left for the one that its sentinels promote', PATIENT, async () => {
  const sentinels = stopAtEnd(await startRedisSentinels());
  const { store } = await openProcess(sentinels.url, { waitReplicas: 1 });
  const work = await leased(store, someName(), 'before');
  expect(await store.intend(work, 'op', body)).toEqual({ kind: 'go' });

  const [first] = sentinels.servers;
  await first.kill();
  await sentinels.promotedOver(first);
  await expect.poll(() => store.recall(work.conversation, 'op')).toEqual(body);
  // The connection that waits for replicas takes its time to follow: each try is an operation of its own.
  await expect.poll(() => store.intend(work, someName(), body)).toEqual({ kind: 'unreplicated' });
  expect(await store.commit(work, change(work, { settled: ['op'] }))).toBeTruthy();
});

test(
  'the login of a URL with sentinels is for Redis, not for them; theirs is in the query',
  PATIENT,
  async () => {
    const sentinels = stopAtEnd(await startRedisSentinels());
    for (const port of sentinels.sentinelPorts) {
      await asAdmin({ port }, (admin) => admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>theirs'));
    }
    for (const server of sentinels.servers) {
      await asAdmin(server, (admin) => admin.config('SET', 'requirepass', 'ours'));
    }
    const log = memoryLog();
    const url = sentinels.url.replace('//', '//:ours@');
    const { store } = await openProcess(`${url}?sentinelPassword=theirs`, {}, log);
    expect((await leased(store, someName())).version).toBe(0);
    const { store: refused } = await openProcess(url, {}, log);
    await expect(refused.accept(message(someName(), 'no'))).rejects.toBeInstanceOf(StoreUnavailable);
    await expect.poll(() => log.lines.join()).toMatch(/Redis cannot be reached at .*sentinels/);
    expect(log.lines.join()).not.toMatch(/ours|theirs/);
  },
);

/** A follower of a conversation, and how its events are published until it has them. */
async function followed(feed: Feed) {
  const seqs: number[] = [];
  await feed.follow('conversation', 0, ({ seq }) => seqs.push(seq));
  const publishes = (seq: number): Promise<void> =>
    vi.waitFor(async () => {
      await feed.publish('conversation', { seq, body });
      expect(seqs).toContain(seq);
    }, SOON);
  return { seqs, publishes };
}
