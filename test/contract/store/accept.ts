import { describe, expect, test } from 'vitest';
import { DEDUPE_IDS } from '../../../src/store/mailbox.ts';
import {
  change,
  claimed,
  lease,
  leased,
  message,
  type opener,
  queue,
  seen,
  someName,
  sweep,
  turn,
} from './kit.ts';

type Fresh = ReturnType<typeof opener>;

export function acceptContract(fresh: Fresh): void {
  describe('accepting', () => {
    test('the first message of a conversation gets its lease, and the work has no past', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'hello');
      expect(work).toMatchObject({
        conversation,
        version: 0,
        state: null,
        outbox: [],
        wake: null,
        dropped: 0,
      });
      expect(work.head?.body.toString()).toBe('hello');
      expect(work.head?.attempts).toBe(1);
      expect(work.fence).toBeGreaterThan(0);
      expect(Math.abs(work.nowMs - Date.now())).toBeLessThan(60_000);
    });

    test('bodies come back byte for byte', async () => {
      const { store } = await fresh();
      const body = Buffer.from([0, 255, 13, 10, 128, 0, 36, 254]);
      const accepted = await store.accept(message(someName(), '', { body }));
      if (accepted.kind !== 'leased') throw new Error(accepted.kind);
      expect(accepted.work.head?.body.equals(body)).toBe(true);
      const { firstSeq } = (await store.commit(accepted.work, {
        ...change(accepted.work),
        state: body,
        outbox: [body],
      })) || { firstSeq: -1 };
      await store.release(accepted.work, firstSeq - 1, { afterMs: 0 });
      const again = await claimed(store, accepted.work.conversation);
      expect(again.state?.equals(body)).toBe(true);
      expect(again.outbox[0]?.body.equals(body)).toBe(true);
    });

    test('a message is current as long as nothing is committed behind it', async () => {
      const { store, another } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'one');
      expect(work.head?.current).toBe(true);
      await queue(store, conversation, 'two');
      await store.commit(work, change(work));
      await queue(await another(), conversation, 'three');
      for (const [at, said] of ['two', 'three'].entries()) {
        const next = await store.release(work, 0);
        expect(next?.head).toMatchObject({ body: Buffer.from(said), current: false });
        const consumed = next?.head?.seq ?? null;
        await store.commit(work, change({ ...work, version: at + 1 }, { consumed }));
      }
      expect(await store.release(work, 0)).toBeNull();

      const fourth = await leased(await another(), conversation, 'four');
      expect(fourth.head?.current).toBe(true);
      await store.commit(fourth, change(fourth, { consumed: null }));
      await store.release(fourth, 0, { afterMs: 0 });
      expect((await claimed(store, conversation)).head).toMatchObject({
        seq: fourth.head?.seq,
        current: false,
      });
    });

    test('while a lease is held, further messages queue', async () => {
      const { store, another } = await fresh();
      const conversation = someName();
      await leased(store, conversation);
      expect(await (await another()).accept(message(conversation, 'two'))).toEqual({ kind: 'queued' });
    });

    test('without `take` a message queues and is due at once', async () => {
      const { store } = await fresh();
      const conversation = someName();
      await queue(store, conversation, 'hello');
      expect(seen(await claimed(store, conversation)).head).toBe('hello');
    });

    test('with `take` the oldest message is handed out, not the newest', async () => {
      const { store } = await fresh();
      const conversation = someName();
      await queue(store, conversation, 'one');
      expect(seen(await leased(store, conversation, 'two')).head).toBe('one');
    });

    test('the same id counts once, whichever process gets it again', async () => {
      const { store, another } = await fresh();
      const conversation = someName();
      const first = message(conversation, 'hello');
      await store.accept(first);
      const second = { ...first, nonce: 'another nonce' };
      expect(await store.accept(second)).toEqual({ kind: 'duplicate' });
      expect(await (await another()).accept(second)).toEqual({ kind: 'duplicate' });
    });

    test('the same id counts once even after it was answered', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const first = message(conversation, 'hello');
      const accepted = await store.accept(first);
      if (accepted.kind !== 'leased') throw new Error(accepted.kind);
      await store.commit(accepted.work, change(accepted.work));
      await store.release(accepted.work, 0);
      expect(await store.accept({ ...first, nonce: 'another nonce' })).toEqual({ kind: 'duplicate' });
      expect(await sweep(store)).toEqual([]);
    });

    test('the same id in another conversation is another message', async () => {
      const { store } = await fresh();
      await store.accept(message(someName(), 'hello', { id: 'same' }));
      const accepted = await store.accept(message(someName(), 'hello', { id: 'same' }));
      expect(accepted.kind).toBe('leased');
    });

    test(`the last ${DEDUPE_IDS} ids are remembered`, async () => {
      const { store } = await fresh({ mailboxCap: 1000 });
      const conversation = someName();
      for (let n = 0; n <= DEDUPE_IDS; n++) {
        await store.accept(message(conversation, 'x', { id: `id-${n}`, take: false }));
      }
      const oldest = message(conversation, 'x', { id: 'id-1', take: false });
      expect(await store.accept(oldest)).toEqual({ kind: 'duplicate' });
    });

    test('an id is forgotten after its time', async () => {
      const { store } = await fresh({ dedupeMs: 50 });
      const conversation = someName();
      await store.accept(message(conversation, 'x', { id: 'old', take: false }));
      const again = () => store.accept(message(conversation, 'x', { id: 'old', take: false }));
      await expect.poll(again).toEqual({ kind: 'queued' });
    });

    test('a re-sent command gives the first answer and files nothing twice', async () => {
      const { store } = await fresh({ mailboxCap: 2 });
      const conversation = someName();
      const [one, two, three] = [
        message(conversation, 'one'),
        message(conversation, 'two'),
        message(conversation, 'three'),
      ];
      const first = await store.accept(one);
      const again = await store.accept(one);
      if (first.kind !== 'leased' || again.kind !== 'leased') throw new Error(`${first.kind} ${again.kind}`);
      expect({ ...again.work, nowMs: 0 }).toEqual({ ...first.work, nowMs: 0 });
      for (const answer of [await store.accept(two), await store.accept(two)]) {
        expect(answer).toEqual({ kind: 'queued' });
      }
      for (const answer of [await store.accept(three), await store.accept(three)]) {
        expect(answer).toEqual({ kind: 'full' });
      }
      await store.commit(first.work, change(first.work));
      expect(await store.release(first.work, 0)).toMatchObject({ dropped: 1 });
    });
  });

  describe('a full mailbox', () => {
    test('messages past the cap are refused and counted until a turn has told', async () => {
      const { store } = await fresh({ mailboxCap: 2 });
      const conversation = someName();
      await queue(store, conversation, 'one');
      await queue(store, conversation, 'two');
      for (const text of ['three', 'four']) {
        expect(await store.accept(message(conversation, text, { take: false }))).toEqual({ kind: 'full' });
      }
      const work = await claimed(store, conversation);
      expect(work.dropped).toBe(2);
      await store.commit(work, change(work));
      const next = await store.release(work, 0);
      expect(next?.head?.body.toString()).toBe('two');
      expect(next?.dropped).toBe(0);
    });

    test('what is refused while a turn works is told by the next', async () => {
      const { store } = await fresh({ mailboxCap: 2 });
      const conversation = someName();
      const work = await leased(store, conversation, 'one');
      await queue(store, conversation, 'two');
      await store.accept(message(conversation, 'three'));
      await store.commit(work, change(work));
      expect(await store.release(work, 0)).toMatchObject({ dropped: 1 });
    });
  });

  describe('what a newer process wrote', () => {
    test('a state is left to newer processes, the message is kept for them', async () => {
      const { store: newer, another } = await fresh({ schema: 2 });
      const older = await another({ schema: 1 });
      const conversation = someName();
      await turn(newer, conversation);
      expect(await older.accept(message(conversation, 'for the newer'))).toEqual({ kind: 'queued' });
      expect(await sweep(older)).toEqual([]);
      expect(seen(await claimed(newer, conversation)).head).toBe('for the newer');
    });

    test('a message of a newer process is left to newer processes, however old the state is', async () => {
      const { store: newer, another } = await fresh({ schema: 2 });
      const older = await another({ schema: 1 });
      const conversation = someName();
      await turn(older, conversation);
      await queue(newer, conversation, 'of the newer');
      expect(await older.accept(message(conversation, 'of the older'))).toEqual({ kind: 'queued' });
      expect(await sweep(older)).toEqual([]);
      expect(seen(await claimed(newer, conversation)).head).toBe('of the newer');
    });

    test('what a newer process worked on without a commit is left to newer processes', async () => {
      const { store: newer, another } = await fresh({ schema: 2 });
      const older = await another({ schema: 1 });
      const conversation = someName();
      await queue(older, conversation, 'of the older');
      const work = await claimed(newer, conversation);
      expect(await newer.intend(work, 'op', Buffer.from('of the newer'))).toEqual({ kind: 'go' });
      await newer.release(work, 0, { afterMs: 0 });
      expect(await sweep(older)).toEqual([]);
      expect(seen(await claimed(newer, conversation)).head).toBe('of the older');
    });

    test('an older process that is at work does not go on with what a newer one files', async () => {
      const { store: newer, another } = await fresh({ schema: 2 });
      const older = await another({ schema: 1 });
      const conversation = someName();
      const work = await leased(older, conversation);
      await queue(newer, conversation, 'of the newer');
      await older.commit(work, change(work));
      expect(await older.release(work, 0)).toBeNull();
      expect(await sweep(older)).toEqual([]);
      expect(seen(await claimed(newer, conversation))).toMatchObject({
        head: 'of the newer',
        state: 'state',
      });
    });

    test('an older state is taken by a newer process', async () => {
      const { store: newer, another } = await fresh({ schema: 2 });
      const older = await another({ schema: 1 });
      const conversation = someName();
      await turn(older, conversation);
      expect(lease(await leased(newer, conversation))).toMatchObject({ conversation });
    });
  });
}
