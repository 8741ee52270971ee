import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { LAYOUT_KEYS } from '../../../src/store/redis/layout.ts';
import { bodies, change, leased, message, someName } from '../../contract/store/kit.ts';
import { openFeed, openProcess, ownProxy, ownRedis } from './kit.ts';

/** As the engine seals it: the state of a customer who agreed to be remembered. */
const sealedState = randomBytes(350);

async function open() {
  const { port, url } = await ownRedis();
  const admin = new Redis(port);
  onTestFinished(() => admin.disconnect());
  return { admin, port, ...(await openProcess(url)) };
}

/** So many turns of a conversation, one after the other. */
async function talk(store: Awaited<ReturnType<typeof open>>['store'], turns: number): Promise<string> {
  const conversation = someName();
  for (let version = 0; version < turns; version++) {
    const work = await leased(store, conversation);
    await store.commit(work, change(work, { state: sealedState, outbox: bodies('a', 'b') }));
    await store.release(work, version * 2 + 2);
  }
  return conversation;
}

test('everything expires but the index of what is due', async () => {
  const { admin, client, store } = await open();
  const conversation = await talk(store, 1);
  const work = await leased(store, conversation);
  await store.accept(message(conversation, 'waits'));
  await store.intend(work, 'op', Buffer.from('x'));
  const dead = [{ reason: 'test', body: Buffer.from('x') }];
  await store.commit(work, change(work, { outbox: bodies('x'), dead }));
  await store.lock('customer', 'op');
  await store.unlock('customer', 'op0', 'record');
  await openFeed(client).publish(conversation, { seq: 1, body: Buffer.from('x') });

  const keys = await admin.keys('*');
  const lasting: string[] = [];
  for (const key of keys) if ((await admin.ttl(key)) < 0) lasting.push(key);
  expect(keys).toHaveLength(10 + LAYOUT_KEYS.length);
  expect(lasting.sort()).toEqual([client.keys().conversation(conversation).own[3], ...LAYOUT_KEYS].sort());
});

test('nothing is left of an empty queue, an empty outbox or an index of nothing', async () => {
  const { admin, client, store } = await open();
  const conversation = await talk(store, 3);
  const { own, memory } = client.keys().conversation(conversation);
  expect((await admin.keys('*')).sort()).toEqual([memory, own[0], ...LAYOUT_KEYS].sort());
});

test('whatever a turn asks of the store is one command each', async () => {
  const { port } = await open();
  const proxy = await ownProxy(port);
  const { store } = await openProcess(proxy.url);
  await talk(store, 1);
  const sent = (): number => proxy.commands.splice(0).length;
  const counted: Record<string, number> = {};
  sent();

  const work = await leased(store, someName());
  counted.accept = sent();
  await store.lock('customer', 'op');
  counted.hold = sent();
  await store.intend(work, 'op', Buffer.from('x'));
  counted.intend = sent();
  await store.commit(work, change(work, { outbox: bodies('done') }));
  counted.commit = sent();
  await store.release(work, 1);
  counted.release = sent();
  expect(counted).toEqual({ accept: 1, hold: 1, intend: 1, commit: 1, release: 1 });
});

test('a claim costs cheap reads alone while nothing is due', async () => {
  const { port } = await open();
  const proxy = await ownProxy(port);
  const { store } = await openProcess(proxy.url);
  const work = await leased(store, someName());
  await store.commit(work, change(work, { wakeAtMs: work.nowMs + 60_000 }));
  await store.release(work, 0);
  proxy.commands.splice(0);
  for (let n = 0; n < 4; n++) expect(await store.claim(10)).toEqual([]);
  expect(proxy.commands.filter((name) => name === 'zrange')).toHaveLength(256);
  expect(new Set(proxy.commands)).toEqual(new Set(['time', 'zrange']));
});

test('what this process has accepted without room is found first', async () => {
  const { port } = await open();
  const proxy = await ownProxy(port);
  const { store } = await openProcess(proxy.url);
  await store.claim(1);
  const names = Array.from({ length: 3 }, someName);
  for (const name of names) await store.accept(message(name, 'hello', { take: false }));
  proxy.commands.splice(0);
  const works = await store.claim(3);
  expect(works.map((work) => work.conversation).sort()).toEqual(names.sort());
  expect(proxy.commands.length).toBeLessThanOrEqual(7);
});
