import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
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
} from '../../contract/store/kit.ts';
import { createWorld, incoming } from '../../turns/kit.ts';
import { openProcess, ownRedis } from './kit.ts';

/*
 * Keys that vanish one by one (an eviction, a DEL), and writes that a failover loses.
 */

async function open() {
  const { port, url } = await ownRedis();
  const admin = new Redis(port);
  onTestFinished(() => admin.disconnect());
  const { store } = await openProcess(url);
  const { store: brief } = await openProcess(url, { leaseMs: 50 });
  return { admin, store, brief };
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
async function drainAll(store: ConversationStore, first: Work): Promise<{ heads: string[]; told: string[] }> {
  const [heads, told]: [string[], string[]] = [[], []];
  let next: Pick<Work, 'head'> | null = first;
  let sentSeq = 0;
  for (const { seq, body } of first.outbox) {
    told.push(body.toString());
    sentSeq = seq;
  }
  if (first.outbox.length > 0) next = await store.release(first, sentSeq);
  for (let { version } = first; next !== null && version < 100; version++) {
    const { head }: Pick<Work, 'head'> = next;
    if (head === null) throw new Error('handed over nothing');
    heads.push(head.body.toString());
    const outbox = bodies(`answer to ${head.body}`);
    const committed = await store.commit(first, change(first, { version, consumed: head.seq, outbox }));
    if (!committed) throw new Error('stale');
    told.push(`answer to ${head.body}`);
    next = await store.release(first, committed.firstSeq);
  }
  return { heads, told };
}

test('a lost record with a queue that survives: all is answered, in order, and the loss is told once', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  await turn(store, conversation, { state: Buffer.from('old') });
  for (const text of ['one', 'two', 'three']) await queue(store, conversation, text);
  await lose(admin, 'm');
  const work = await claimed(store, conversation);
  expect(work).toMatchObject({ lost: true, state: null, head: { attempts: 1 } });
  expect((await drainAll(store, work)).heads).toEqual(['one', 'two', 'three']);
  expect(await sweep(store)).toEqual([]);
  expect(await leased(store, conversation)).toMatchObject({ lost: false, version: 3 });
});

test('a lost record with an outbox that survives: it is told first, and no number comes again', async () => {
  const { admin, store, brief } = await open();
  const conversation = someName();
  const before = await leased(brief, conversation);
  await store.commit(before, change(before, { outbox: bodies('a', 'b') }));
  await queue(store, conversation, 'one');
  await lose(admin, 'm');
  const work = await claimed(store, conversation);
  expect(work.lost).toBe(true);
  expect(work.outbox[0]?.seq).toBeGreaterThan(2);
  expect(await drainAll(store, work)).toEqual({ heads: ['one'], told: ['a', 'b', 'answer to one'] });
  expect(await sweep(store)).toEqual([]);
});

test('a record lost under a lease: its holder changes nothing more, and the next message finds all', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  const old = await leased(store, conversation, 'one');
  await lose(admin, 'm');
  expect(await store.renew(old)).toBe(false);
  const work = await leased(store, conversation, 'two');
  expect(work).toMatchObject({ lost: true });
  expect(work.fence).toBeGreaterThan(old.fence);
  expect(await store.commit(old, change(old))).toBe(false);
  expect((await drainAll(store, work)).heads).toEqual(['one', 'two']);
});

test('a lost record of a conversation at rest is told with the next message, also where nobody had room', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  await turn(store, conversation, { outbox: bodies('a') });
  await lose(admin, 'm');
  await queue(store, conversation, 'again');
  const work = await claimed(store, conversation);
  expect(work).toMatchObject({ lost: true, head: { attempts: 1 } });
  const { firstSeq } = (await store.commit(work, change(work, { outbox: bodies('b') }))) || { firstSeq: 0 };
  // Followers of the feed drop what is numbered as something before.
  expect(firstSeq).toBeGreaterThan(1);
});

test('a lost record of which a wake-up alone is left: the loss is told, then nothing is due', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  await turn(store, conversation, { wakeAtMs: 1 });
  await lose(admin, 'm', 'd');
  const work = await claimed(store, conversation);
  expect(work).toMatchObject({ lost: true, head: null, wake: null, outbox: [] });
  expect(await store.release(work, 0)).toBeNull();
  expect(await sweep(store)).toEqual([]);
});

test('a lost queue or outbox leaves nothing due, and the numbers go on', async () => {
  const { admin, store, brief } = await open();
  const conversation = someName();
  const first = await leased(brief, conversation);
  await store.commit(first, change(first, { outbox: bodies('a', 'b'), state: Buffer.from('kept') }));
  await queue(store, conversation, 'two');
  await lose(admin, 'q', 'o');
  const due = async () => {
    expect(await sweep(store)).toEqual([]);
    return admin.keys('*due');
  };
  await expect.poll(due).toEqual([]);
  const work = await leased(store, conversation, 'three');
  expect(seen(work)).toEqual({ state: 'kept', outbox: [], head: 'three' });
  expect(work).toMatchObject({ lost: false, head: { seq: 3 } });
  expect(await store.commit(work, change(work, { outbox: bodies('c') }))).toEqual({ firstSeq: 3 });
});

test('a head that vanishes during its turn: the turn commits, and what comes after it stays', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  const work = await leased(store, conversation, 'one');
  await lose(admin, 'q');
  await queue(store, conversation, 'two');
  expect(await store.commit(work, change(work))).toBeTruthy();
  expect((await store.release(work, 0))?.head?.body.toString()).toBe('two');
});

test('a lost index: the next message brings the conversation back, with what waited', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  await queue(store, conversation, 'one');
  await admin.del(await admin.keys('*due'));
  await queue(store, conversation, 'two');
  expect((await drainAll(store, await claimed(store, conversation))).heads).toEqual(['one', 'two']);
});

test('a lost memory of ids costs no more than a message counted twice', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  const one = message(conversation, 'one', { take: false });
  await store.accept(one);
  await lose(admin, 'd');
  await store.accept({ ...one, nonce: 'delivered again' });
  const { heads } = await drainAll(store, await claimed(store, conversation));
  expect(heads).toEqual(['one', 'one']);
});

test('a lost record is an alarm, and its customer is answered', async () => {
  const { admin, store } = await open();
  const world = createWorld();
  const engine = world.engine({ store });
  onTestFinished(() => engine.stop());
  await engine.accept(incoming('one'));
  await expect.poll(() => world.heard()).toEqual(['one']);
  await expect.poll(() => admin.keys('*due')).toEqual([]);
  await lose(admin, 'm');
  await engine.accept(incoming('two'));
  await expect.poll(() => world.heard()).toEqual(['one', 'two']);
  expect(world.alarms.map(({ name }) => name)).toEqual(['record_lost']);
});

test('the same fence twice, after a failover that lost a write: one of the two commits, and only one', async () => {
  const { admin, store } = await open();
  const conversation = someName();
  await turn(store, conversation, { state: Buffer.from('before') });
  const record = (await keysOf(admin)).m ?? '';
  const replicated = await admin.dumpBuffer(record);
  const lostLease = await leased(store, conversation, 'one');

  await admin.restore(record, 0, replicated, 'REPLACE');
  const lease = await leased(store, conversation, 'two');
  expect(lease.fence).toBe(lostLease.fence);
  expect(await store.renew(lostLease)).toBe(false);
  expect(await store.intend(lostLease, 'op', Buffer.from('x'))).toEqual({ kind: 'stale' });
  expect(await store.commit(lostLease, change(lostLease, { outbox: bodies('no') }))).toBe(false);
  expect(await store.release(lostLease, 0)).toBeNull();
  expect(await store.intend(lease, 'op', Buffer.from('x'))).toEqual({ kind: 'go' });
  expect(await store.commit(lease, change(lease, { outbox: bodies('yes') }))).toBeTruthy();
  expect(await store.commit(lostLease, change(lostLease, { outbox: bodies('no') }))).toBe(false);
});
