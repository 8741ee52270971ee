import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { leased, someName } from '../../contract/store/kit.ts';
import { openProcess, ownProxy, ownRedis, stopAtEnd } from '../../store/redis/kit.ts';
import { inTime } from '../../support/in-time.ts';
import { startRedisCluster, until } from '../../support/redis.ts';

const intent = Buffer.from('the intent');

/** A Redis with one replica that follows it. */
async function open() {
  const primary = await ownRedis();
  const replica = await ownRedis('--replicaof', '127.0.0.1', `${primary.port}`);
  const admin = new Redis(primary.port);
  await until(async () => /state=online/.test(await admin.info('replication')));
  admin.disconnect();
  const proxy = await ownProxy(primary.port);
  const { store } = await openProcess(proxy.url, { waitReplicas: 1 });
  return { replica, proxy, store };
}

test('an intent that a replica acknowledged may go', async () => {
  const { store } = await open();
  expect(await store.health()).toEqual([]);
  const work = await leased(store, someName());
  expect(await store.intend(work, 'op', intent)).toEqual({ kind: 'go' });
  expect(await store.intend(work, 'op', Buffer.from('other'))).toEqual({ kind: 'stored', body: intent });
  expect(await store.intend({ ...work, fence: 7 }, 'op', intent)).toEqual({ kind: 'stale' });
});

test('without acknowledgement it is unreplicated, and other conversations go on meanwhile', async () => {
  const { replica, store } = await open();
  const work = await leased(store, someName());
  process.kill(replica.pid, 'SIGSTOP');
  const answered: string[] = [];
  const asks = async (what: string, ask: Promise<unknown>) => ask.finally(() => answered.push(what));
  const intended = store.intend(work, 'op', intent);
  await inTime(2000, () =>
    Promise.all([asks('intent', intended), asks('message', leased(store, someName()))]),
  );
  expect(answered).toEqual(['message', 'intent']);
  expect(await intended).toEqual({ kind: 'unreplicated' });

  process.kill(replica.pid, 'SIGCONT');
  expect(await store.intend(work, 'op', intent)).toEqual({ kind: 'go' });
  expect(await store.intend(work, 'op2', intent)).toEqual({ kind: 'go' });
});

test('too few replicas are a fault that the operator sees', async () => {
  const { url } = await ownRedis();
  const { store } = await openProcess(url, { waitReplicas: 1 });
  expect(await store.health()).toEqual([expect.stringContaining('REDIS_WAIT_REPLICAS wants 1')]);
  const work = await leased(store, someName());
  expect(await store.intend(work, 'op', intent)).toEqual({ kind: 'unreplicated' });
});

test('an intent sent again waits for the replica all the same', async () => {
  const { replica, proxy, store } = await open();
  const work = await leased(store, someName());
  await store.intend(work, 'op1', intent);
  proxy.loseNextAnswer();
  expect(await store.intend(work, 'op2', intent)).toEqual({ kind: 'go' });

  process.kill(replica.pid, 'SIGSTOP');
  proxy.loseNextAnswer();
  expect(await store.intend(work, 'op3', intent)).toEqual({ kind: 'unreplicated' });
});

test('in a cluster the node of the conversation waits', async () => {
  const { url } = stopAtEnd(await startRedisCluster());
  const { store } = await openProcess(url, { waitReplicas: 1 });
  for (let n = 0; n < 3; n++) {
    const work = await leased(store, someName());
    expect(await store.intend(work, 'op', intent)).toEqual({ kind: 'unreplicated' });
    expect(await store.recall(work.conversation, 'op')).toEqual(intent);
  }
});
