import { expect, test } from 'vitest';
import { all, bodies, change, claimed, leased, message, queue, someName } from '../../contract/store/kit.ts';
import { openProcess, ownProxy, ownRedis } from './kit.ts';

/** A store behind a proxy, and one that looks straight at the same Redis. */
async function open() {
  const { port, url } = await ownRedis();
  const proxy = await ownProxy(port);
  const { store } = await openProcess(proxy.url);
  const { store: direct } = await openProcess(url);
  return { proxy, store, direct };
}

test('accept: executed, its answer lost, sent again: one message, and the lease is ours', async () => {
  const { proxy, store } = await open();
  const conversation = someName();
  proxy.loseNextAnswer();
  const work = await leased(store, conversation, 'once');
  expect(work).toMatchObject({ fence: 1, head: { seq: 1, attempts: 1 } });
  await store.commit(work, change(work));
  expect(await store.release(work, 0)).toBeNull();
});

test('claim: the lease that was taken in vain is ours', async () => {
  const { proxy, store } = await open();
  const conversation = someName();
  await queue(store, conversation, 'hello');
  const look = store.claim(1);
  while (!proxy.commands.includes('zrange')) await new Promise(setImmediate);
  proxy.loseNextAnswer();
  const works = [...(await look), ...(await store.claim(1))];
  expect(works).toMatchObject([{ conversation, fence: 1, head: { attempts: 1 } }]);
});

test('intend, commit and release: done once, answered as at first', async () => {
  const { proxy, store, direct } = await open();
  const conversation = someName();
  const work = await leased(store, conversation, 'one');
  await queue(direct, conversation, 'two');
  proxy.loseNextAnswer();
  expect(await store.intend(work, 'op', Buffer.from('intent'))).toEqual({ kind: 'go' });
  proxy.loseNextAnswer();
  const dead = [{ reason: 'test', body: Buffer.from('x') }];
  expect(await store.commit(work, change(work, { outbox: bodies('a'), dead }))).toEqual({ firstSeq: 1 });
  proxy.loseNextAnswer();
  const next = await store.release(work, 1);
  expect(next?.head?.body.toString()).toBe('two');
  expect(await all(direct.deadLetters())).toHaveLength(1);
  expect(await store.commit(work, change(work, { version: 1, consumed: 2 }))).toEqual({ firstSeq: 2 });
  proxy.loseNextAnswer();
  expect(await store.release(work, 1)).toBeNull();
});

test('release: a head handed over by a command sent twice is no attempt more', async () => {
  const { proxy, store } = await open();
  const work = await leased(store, someName());
  await store.release(work, 0);
  proxy.loseNextAnswer();
  expect((await store.release(work, 0))?.head?.attempts).toBe(2);
  expect((await store.release(work, 0))?.head?.attempts).toBe(3);
});

test('hold and unlock: held and given back once', async () => {
  const { proxy, store, direct } = await open();
  const customer = someName();
  proxy.loseNextAnswer();
  expect(await store.lock(customer, 'op')).toEqual({ locked: true, settled: [], awaited: [] });
  proxy.loseNextAnswer();
  await store.unlock(customer, 'op', 'record', 'another');
  const told = { locked: true, settled: ['record'], awaited: ['another'] };
  expect(await direct.lock(customer, 'op2')).toEqual(told);
});

test('takeDeadLetter: the letter is not lost with the connection', async () => {
  const { proxy, store, direct } = await open();
  const work = await leased(store, someName());
  await store.commit(work, change(work, { dead: [{ reason: 'test', body: Buffer.from('x') }] }));
  const [letter] = await all(direct.deadLetters());
  proxy.loseNextAnswer();
  expect(await store.takeDeadLetter(letter?.id ?? '')).toEqual(letter);
  expect(await direct.takeDeadLetter(letter?.id ?? '')).toBeNull();
});

test('with answers lost at random every message was answered once and in order', async () => {
  const { proxy, store, direct } = await open();
  const conversation = someName();
  const sent = Array.from({ length: 20 }, (_, n) => `message ${n}`);
  for (const text of sent) {
    if (Math.random() < 0.3) proxy.loseNextAnswer();
    await store.accept(message(conversation, text, { take: false }));
  }
  const work = await claimed(direct, conversation);
  const answered: string[] = [];
  let head = work.head;
  for (let version = 0; head !== null; version++) {
    answered.push(head.body.toString());
    if (version % 3 === 0) proxy.loseNextAnswer();
    expect(await store.commit(work, change(work, { version, consumed: head.seq }))).toBeTruthy();
    if (version % 3 === 1) proxy.loseNextAnswer();
    head = (await store.release(work, 0))?.head ?? null;
  }
  expect(answered).toEqual(sent);
});
