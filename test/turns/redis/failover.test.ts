import { expect, test, vi } from 'vitest';
import type { Feed } from '../../../src/turns/feed.ts';
import { StoreUnavailable } from '../../../src/turns/mailbox.ts';
import { change, leased, message, someName } from '../../contract/mailbox/kit.ts';
import { asAdmin, startRedisPair, startRedisSentinels } from '../../support/failover.ts';
import { memoryLog, openFeed, openProcess, stopAtEnd } from './kit.ts';

/** How long a failover may keep a process from working, once the first write was refused. */
const SOON = { timeout: 5000, interval: 20 };
const PATIENT = { timeout: 30_000 };
const body = Buffer.from('x');

test(
  'a process leaves a master that became a replica, with every connection, and has all that was there',
  PATIENT,
  async () => {
    const pair = stopAtEnd(await startRedisPair());
    const log = memoryLog();
    const { client, mailbox } = await openProcess(pair.url, { waitReplicas: 1 }, log);
    const { seqs, publishes } = await followed(openFeed(client));
    const work = await leased(mailbox, someName(), 'before');
    expect(await mailbox.intend(work, 'first', body)).toEqual({ kind: 'go' });

    await pair.failOver();
    await expect(mailbox.accept(message(someName(), 'refused'))).rejects.toThrow(/READONLY/);
    await vi.waitFor(async () => expect(await mailbox.health()).toEqual([]), SOON);
    expect(await mailbox.recall(work.conversation, 'first')).toEqual(body);
    expect(await mailbox.intend(work, 'second', body)).toEqual({ kind: 'go' });
    expect(await mailbox.commit(work, change(work, { settled: ['first', 'second'] }))).toBeTruthy();
    expect(await mailbox.release(work, 0)).toBeNull();
    await publishes(1);
    expect(seqs).toEqual([1]);
    // Nobody of ours stays behind.
    const left = await asAdmin(pair.replica, async (admin) => [
      await admin.call('CLIENT', 'LIST', 'TYPE', 'NORMAL'),
      await admin.call('CLIENT', 'LIST', 'TYPE', 'PUBSUB'),
    ]);
    expect(left.join('').match(/^id=/gm)).toHaveLength(1);
  },
);

test('a failover that an operator asks the sentinels for takes every connection along', PATIENT, async () => {
  const sentinels = stopAtEnd(await startRedisSentinels());
  const { client, mailbox } = await openProcess(sentinels.url);
  const { seqs, publishes } = await followed(openFeed(client));
  const work = await leased(mailbox, someName(), 'before');

  await sentinels.failOver();
  const promoted = await sentinels.master();
  await vi.waitFor(async () => expect(await mailbox.renew(work)).toBe(true), SOON);
  const later = someName();
  await leased(mailbox, later);
  const keys = await asAdmin(promoted, (admin) => admin.keys(`*${later}*`));
  expect(keys).not.toEqual([]);
  await publishes(1);
  expect(seqs).toEqual([1]);
});

test('a master that dies is left for the one that its sentinels promote', PATIENT, async () => {
  const sentinels = stopAtEnd(await startRedisSentinels());
  const { mailbox } = await openProcess(sentinels.url, { waitReplicas: 1 });
  const work = await leased(mailbox, someName(), 'before');
  expect(await mailbox.intend(work, 'op', body)).toEqual({ kind: 'go' });

  const [first] = sentinels.servers;
  await first.kill();
  await sentinels.promotedOver(first);
  await vi.waitFor(async () => expect(await mailbox.recall(work.conversation, 'op')).toEqual(body), SOON);
  expect(await mailbox.intend(work, 'other', body)).toEqual({ kind: 'unreplicated' });
  expect(await mailbox.commit(work, change(work, { settled: ['op', 'other'] }))).toBeTruthy();
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
    const { mailbox } = await openProcess(`${url}?sentinelPassword=theirs`, {}, log);
    expect((await leased(mailbox, someName())).version).toBe(0);
    const { mailbox: refused } = await openProcess(url, {}, log);
    await expect(refused.accept(message(someName(), 'no'))).rejects.toBeInstanceOf(StoreUnavailable);
    expect(log.lines.join()).toMatch(/Redis cannot be reached at .*sentinels/);
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
