import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { leased, someName } from '../../contract/mailbox/kit.ts';
import { startRedisCluster, until } from '../../support/redis.ts';
import { openProcess, ownProxy, ownRedis, stopAtEnd } from './kit.ts';

const intent = Buffer.from('the intent');

/** A Redis with one replica that follows it. */
async function open() {
  const primary = await ownRedis();
  const replica = await ownRedis('--replicaof', '127.0.0.1', `${primary.port}`);
  const admin = new Redis(primary.port);
  await until(async () => /state=online/.test(await admin.info('replication')));
  admin.disconnect();
  const proxy = await ownProxy(primary.port);
  const { mailbox } = await openProcess(proxy.url, { waitReplicas: 1 });
  return { replica, proxy, mailbox };
}

test('an intent that a replica acknowledged may go', async () => {
  const { mailbox } = await open();
  expect(await mailbox.health()).toEqual([]);
  const work = await leased(mailbox, someName());
  expect(await mailbox.intend(work, 'op', intent)).toEqual({ kind: 'go' });
  expect(await mailbox.intend(work, 'op', Buffer.from('other'))).toEqual({ kind: 'stored', body: intent });
  expect(await mailbox.intend({ ...work, fence: 7 }, 'op', intent)).toEqual({ kind: 'stale' });
});

test('without acknowledgement it is unreplicated, and other conversations go on meanwhile', async () => {
  const { replica, mailbox } = await open();
  const work = await leased(mailbox, someName());
  process.kill(replica.pid, 'SIGSTOP');
  const before = performance.now();
  const intended = mailbox.intend(work, 'op', intent);
  await leased(mailbox, someName());
  expect(performance.now() - before).toBeLessThan(500);
  expect(await intended).toEqual({ kind: 'unreplicated' });
  expect(performance.now() - before).toBeLessThan(2000);

  process.kill(replica.pid, 'SIGCONT');
  expect(await mailbox.intend(work, 'op', intent)).toEqual({ kind: 'go' });
  expect(await mailbox.intend(work, 'op2', intent)).toEqual({ kind: 'go' });
});

test('too few replicas are a fault that the operator sees', async () => {
  const { url } = await ownRedis();
  const { mailbox } = await openProcess(url, { waitReplicas: 1 });
  expect(await mailbox.health()).toEqual([expect.stringContaining('REDIS_WAIT_REPLICAS wants 1')]);
  const work = await leased(mailbox, someName());
  expect(await mailbox.intend(work, 'op', intent)).toEqual({ kind: 'unreplicated' });
});

test('an intent sent again waits for the replica all the same', async () => {
  const { replica, proxy, mailbox } = await open();
  const work = await leased(mailbox, someName());
  await mailbox.intend(work, 'op1', intent);
  proxy.loseNextAnswer();
  expect(await mailbox.intend(work, 'op2', intent)).toEqual({ kind: 'go' });

  process.kill(replica.pid, 'SIGSTOP');
  proxy.loseNextAnswer();
  expect(await mailbox.intend(work, 'op3', intent)).toEqual({ kind: 'unreplicated' });
});

test('in a cluster the node of the conversation waits', async () => {
  const { url } = stopAtEnd(await startRedisCluster());
  const { mailbox } = await openProcess(url, { waitReplicas: 1 });
  for (let n = 0; n < 3; n++) {
    const work = await leased(mailbox, someName());
    expect(await mailbox.intend(work, 'op', intent)).toEqual({ kind: 'unreplicated' });
    expect(await mailbox.recall(work.conversation, 'op')).toEqual(intent);
  }
}, 20_000);
