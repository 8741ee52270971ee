import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Work } from '../../../src/store/mailbox.ts';
import type { ConversationStore } from '../../../src/store/store.ts';
import {
  bodies,
  change,
  claimed,
  leased,
  message,
  queue,
  seen,
  someName,
  sweep,
  turn,
} from '../../contract/mailbox/kit.ts';
import { createWorld, incoming } from '../../turns/kit.ts';
import { openProcess, ownRedis } from './kit.ts';

/*
 * Keys that vanish one by one (an eviction, a DEL), and writes that a failover loses.
 */

async function open() {
  const { port, url } = await ownRedis();
  const admin = new Redis(port);
  onTestFinished(() => admin.disconnect());
  const { mailbox } = await openProcess(url, { leaseMs: 300 });
  return { admin, mailbox };
}

/** The keys of the only conversation, by kind: `m`, `q`, `o`, `d`. */
async function keysOf(admin: Redis): Promise<Record<string, string>> {
  const keys = await admin.keys('*:*');
  return Object.fromEntries(keys.map((key) => [key.replace(/^\{\w+\}(\w):.*$/, '$1'), key]));
}

const lose = async (admin: Redis, ...kinds: string[]): Promise<void> => {
  const keys = await keysOf(admin);
  for (const kind of kinds) expect(await admin.del(keys[kind] ?? '')).toBe(1);
};

/** Answers whatever is due until nothing is; the order of what it saw. */
async function drainAll(
  mailbox: ConversationStore,
  first: Work,
): Promise<{ heads: string[]; told: string[] }> {
  const [heads, told]: [string[], string[]] = [[], []];
  let next: Pick<Work, 'head'> | null = first;
  let sentSeq = 0;
  for (const { seq, body } of first.outbox) {
    told.push(body.toString());
    sentSeq = seq;
  }
  if (first.outbox.length > 0) next = await mailbox.release(first, sentSeq);
  for (let { version } = first; next !== null && version < 100; version++) {
    const { head }: Pick<Work, 'head'> = next;
    if (head === null) throw new Error('handed over nothing');
    heads.push(head.body.toString());
    const outbox = bodies(`answer to ${head.body}`);
    const committed = await mailbox.commit(first, change(first, { version, consumed: head.seq, outbox }));
    if (!committed) throw new Error('stale');
    told.push(`answer to ${head.body}`);
    next = await mailbox.release(first, committed.firstSeq);
  }
  return { heads, told };
}

test('a lost record with a queue that survives: all is answered, in order, and the loss is told once', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  await turn(mailbox, conversation, { state: Buffer.from('old') });
  for (const text of ['one', 'two', 'three']) await queue(mailbox, conversation, text);
  await lose(admin, 'm');
  const work = await claimed(mailbox, conversation);
  expect(work).toMatchObject({ lost: true, state: null, head: { attempts: 1 } });
  expect((await drainAll(mailbox, work)).heads).toEqual(['one', 'two', 'three']);
  expect(await sweep(mailbox)).toEqual([]);
  expect(await leased(mailbox, conversation)).toMatchObject({ lost: false, version: 3 });
});

test('a lost record with an outbox that survives: it is told first, and no number comes again', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  const before = await leased(mailbox, conversation);
  await mailbox.commit(before, change(before, { outbox: bodies('a', 'b') }));
  await queue(mailbox, conversation, 'one');
  await lose(admin, 'm');
  const work = await claimed(mailbox, conversation);
  expect(work.lost).toBe(true);
  expect(work.outbox[0]?.seq).toBeGreaterThan(2);
  expect(await drainAll(mailbox, work)).toEqual({ heads: ['one'], told: ['a', 'b', 'answer to one'] });
  expect(await sweep(mailbox)).toEqual([]);
});

test('a record lost under a lease: its holder changes nothing more, and the next message finds all', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  const old = await leased(mailbox, conversation, 'one');
  await lose(admin, 'm');
  expect(await mailbox.renew(old)).toBe(false);
  const work = await leased(mailbox, conversation, 'two');
  expect(work).toMatchObject({ lost: true });
  expect(work.fence).toBeGreaterThan(old.fence);
  expect(await mailbox.commit(old, change(old))).toBe(false);
  expect((await drainAll(mailbox, work)).heads).toEqual(['one', 'two']);
});

test('a lost record of a conversation at rest is told with the next message, also where nobody had room', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  await turn(mailbox, conversation, { outbox: bodies('a') });
  await lose(admin, 'm');
  await queue(mailbox, conversation, 'again');
  const work = await claimed(mailbox, conversation);
  expect(work).toMatchObject({ lost: true, head: { attempts: 1 } });
  const { firstSeq } = (await mailbox.commit(work, change(work, { outbox: bodies('b') }))) || { firstSeq: 0 };
  // Followers of the feed drop what is numbered as something before.
  expect(firstSeq).toBeGreaterThan(1);
});

test('a lost record of which a wake-up alone is left: the loss is told, then nothing is due', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  await turn(mailbox, conversation, { wakeAtMs: 1 });
  await lose(admin, 'm', 'd');
  const work = await claimed(mailbox, conversation);
  expect(work).toMatchObject({ lost: true, head: null, wake: null, outbox: [] });
  expect(await mailbox.release(work, 0)).toBeNull();
  expect(await sweep(mailbox)).toEqual([]);
});

test('a lost queue or outbox leaves nothing due, and the numbers go on', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  const first = await leased(mailbox, conversation);
  await mailbox.commit(first, change(first, { outbox: bodies('a', 'b'), state: Buffer.from('kept') }));
  await queue(mailbox, conversation, 'two');
  await lose(admin, 'q', 'o');
  await vi.waitFor(async () => {
    expect(await sweep(mailbox)).toEqual([]);
    expect(await admin.keys('*due')).toEqual([]);
  }, 5000);
  const work = await leased(mailbox, conversation, 'three');
  expect(seen(work)).toEqual({ state: 'kept', outbox: [], head: 'three' });
  expect(work).toMatchObject({ lost: false, head: { seq: 3 } });
  expect(await mailbox.commit(work, change(work, { outbox: bodies('c') }))).toEqual({ firstSeq: 3 });
});

test('a head that vanishes during its turn: the turn commits, and what comes after it stays', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  const work = await leased(mailbox, conversation, 'one');
  await lose(admin, 'q');
  await queue(mailbox, conversation, 'two');
  expect(await mailbox.commit(work, change(work))).toBeTruthy();
  expect((await mailbox.release(work, 0))?.head?.body.toString()).toBe('two');
});

test('a lost index: the next message brings the conversation back, with what waited', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  await queue(mailbox, conversation, 'one');
  await admin.del(await admin.keys('*due'));
  await queue(mailbox, conversation, 'two');
  expect((await drainAll(mailbox, await claimed(mailbox, conversation))).heads).toEqual(['one', 'two']);
});

test('a lost memory of ids costs no more than a message counted twice', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  const one = message(conversation, 'one', { take: false });
  await mailbox.accept(one);
  await lose(admin, 'd');
  await mailbox.accept({ ...one, nonce: 'delivered again' });
  const { heads } = await drainAll(mailbox, await claimed(mailbox, conversation));
  expect(heads).toEqual(['one', 'one']);
});

test('a lost record is an alarm, and its customer is answered', async () => {
  const { admin, mailbox } = await open();
  const world = createWorld();
  const engine = world.engine({ mailbox });
  onTestFinished(() => engine.stop());
  await engine.accept(incoming('one'));
  await vi.waitFor(() => expect(world.heard()).toEqual(['one']));
  await vi.waitFor(async () => expect(await admin.keys('*due')).toEqual([]));
  await lose(admin, 'm');
  await engine.accept(incoming('two'));
  await vi.waitFor(() => expect(world.heard()).toEqual(['one', 'two']));
  expect(world.alarms.map(({ name }) => name)).toEqual(['record_lost']);
});

test('the same fence twice, after a failover that lost a write: one of the two commits, and only one', async () => {
  const { admin, mailbox } = await open();
  const conversation = someName();
  await turn(mailbox, conversation, { state: Buffer.from('before') });
  const record = (await keysOf(admin)).m ?? '';
  const replicated = await admin.dumpBuffer(record);
  const lostLease = await leased(mailbox, conversation, 'one');

  await admin.restore(record, 0, replicated, 'REPLACE');
  const lease = await leased(mailbox, conversation, 'two');
  expect(lease.fence).toBe(lostLease.fence);
  expect(await mailbox.renew(lostLease)).toBe(false);
  expect(await mailbox.intend(lostLease, 'op', Buffer.from('x'))).toEqual({ kind: 'stale' });
  expect(await mailbox.commit(lostLease, change(lostLease, { outbox: bodies('no') }))).toBe(false);
  expect(await mailbox.release(lostLease, 0)).toBeNull();
  expect(await mailbox.intend(lease, 'op', Buffer.from('x'))).toEqual({ kind: 'go' });
  expect(await mailbox.commit(lease, change(lease, { outbox: bodies('yes') }))).toBeTruthy();
  expect(await mailbox.commit(lostLease, change(lostLease, { outbox: bodies('no') }))).toBe(false);
});
