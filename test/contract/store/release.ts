import { describe, expect, test } from 'vitest';
import {
  bodies,
  change,
  claimed,
  leased,
  message,
  type opener,
  queue,
  seen,
  someName,
  sweep,
} from './kit.ts';

/** A wait that is over within a test, and one that is not. */
const [WAIT, HOUR] = [50, 3_600_000];

export function releaseContract(fresh: ReturnType<typeof opener>): void {
  describe('releasing', () => {
    test('hands over the next message under the same lease, in order', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'one');
      await queue(store, conversation, 'two');
      await queue(store, conversation, 'three');
      const answered: (string | undefined)[] = [];
      let head = work.head;
      for (let version = 0; head !== null; version++) {
        answered.push(head.body.toString());
        expect(await store.commit(work, change(work, { version, consumed: head.seq }))).toBeTruthy();
        head = (await store.release(work, 0))?.head ?? null;
      }
      expect(answered).toEqual(['one', 'two', 'three']);
      expect(await store.renew(work)).toBe(false);
    });

    test('frees the lease when nothing is left', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation);
      await store.commit(work, change(work));
      expect(await store.release(work, 0)).toBeNull();
      expect((await leased(store, conversation)).fence).toBeGreaterThan(work.fence);
    });

    test('a re-sent release gives the first answer and counts no attempt twice', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'one');
      await queue(store, conversation, 'two');
      const committed = await store.commit(work, change(work, { outbox: bodies('a') }));
      if (!committed) throw new Error('stale');
      const first = await store.release(work, committed.firstSeq, undefined, 'nonce');
      const again = await store.release(work, committed.firstSeq, undefined, 'nonce');
      expect(first?.head).toMatchObject({ attempts: 1 });
      expect(again?.head).toEqual(first?.head);
      await store.commit(work, change(work, { version: 1, consumed: first?.head?.seq ?? null }));
      expect(await store.release(work, committed.firstSeq)).toBeNull();
      expect(await store.release(work, committed.firstSeq)).toBeNull();
    });

    test('drops what was sent and keeps the rest for the next lease', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation);
      const committed = await store.commit(work, change(work, { outbox: bodies('a', 'b', 'c') }));
      if (!committed) throw new Error('stale');
      expect(await store.release(work, committed.firstSeq, { afterMs: 0 })).toBeNull();
      const next = await claimed(store, conversation);
      expect(seen(next)).toMatchObject({ outbox: ['b', 'c'], head: null });
      expect(next.wake).toBeNull();
      expect(await store.release(next, committed.firstSeq + 2)).toBeNull();
      expect(await sweep(store)).toEqual([]);
    });

    test('with a wait nobody gets work of the conversation until it is over', async () => {
      const { store } = await fresh();
      const releasing = async (conversation: string, afterMs: number) => {
        const work = await leased(store, conversation, 'one');
        const committed = await store.commit(work, change(work, { outbox: bodies('a'), wakeAtMs: 1 }));
        if (!committed) throw new Error('stale');
        await queue(store, conversation, 'two');
        expect(await store.release(work, committed.firstSeq - 1, { afterMs })).toBeNull();
        expect(await store.release(work, committed.firstSeq - 1, { afterMs })).toBeNull();
        return work;
      };
      const [waits, comes] = [someName(), someName()];
      await releasing(waits, HOUR);
      expect(await store.accept(message(waits, 'three'))).toEqual({ kind: 'queued' });
      expect(await sweep(store)).toEqual([]);

      const { nowMs } = await releasing(comes, WAIT);
      const next = await claimed(store, comes);
      expect(next.nowMs).toBeGreaterThanOrEqual(nowMs + WAIT);
      expect(seen(next)).toMatchObject({ outbox: ['a'], head: 'two' });
    });

    test('a message brings a wait forward, but not before what must pass', async () => {
      const { store } = await fresh();
      const [waits, conversation] = [someName(), someName()];
      const waiting = await leased(store, waits, 'one');
      await store.release(waiting, 0, { afterMs: 2 * HOUR, leastMs: HOUR });
      expect(await sweep(store)).toEqual([]);
      expect(await store.accept(message(waits, 'two'))).toEqual({ kind: 'queued' });
      expect(await sweep(store)).toEqual([]);

      const work = await leased(store, conversation, 'one');
      await store.commit(work, change(work, { outbox: bodies('a') }));
      await store.release(work, 0, { afterMs: HOUR, leastMs: WAIT });
      await queue(store, conversation, 'two');
      const next = await claimed(store, conversation);
      expect(next.nowMs).toBeGreaterThanOrEqual(work.nowMs + WAIT);
      expect(seen(next)).toMatchObject({ outbox: ['a'], head: 'two' });

      await store.release(next, 0, { afterMs: HOUR, leastMs: 0 });
      await queue(store, conversation, 'three');
      const again = await claimed(store, conversation);
      await store.release(again, 0, { afterMs: HOUR, leastMs: 0 });
      expect(seen(await leased(store, conversation, 'four'))).toMatchObject({ outbox: ['a'], head: 'two' });
    });

    test('a message that is a duplicate brings nothing forward', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const first = message(conversation, 'one');
      const accepted = await store.accept(first);
      if (accepted.kind !== 'leased') throw new Error('expected a lease');
      const { work } = accepted;
      await store.commit(work, change(work, { outbox: bodies('a') }));
      await store.release(work, 0, { afterMs: 60_000, leastMs: 0 });
      expect(await store.accept({ ...first, nonce: 'another' })).toEqual({ kind: 'duplicate' });
      expect(await sweep(store)).toEqual([]);
    });

    test('what was tried is kept for the next lease, whatever becomes of this one, until a release says otherwise', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation);
      expect(work.tried).toEqual({ times: 0, sinceMs: 0 });
      const committed = await store.commit(work, change(work, { outbox: bodies('a', 'b') }));
      if (!committed) throw new Error('stale');
      const tried = { times: 3, sinceMs: work.nowMs };
      const wait = { afterMs: 0, tried };
      await store.release(work, 0, wait);
      await store.release(work, 0, wait);
      expect((await claimed(brief, conversation)).tried).toEqual(tried);
      // That lease runs out.
      const next = await claimed(store, conversation);
      expect(next.tried).toEqual(tried);
      await store.release(next, committed.firstSeq, { afterMs: 0 });
      expect((await claimed(store, conversation)).tried.times).toBe(0);
    });

    test('a head that is given back is no failed attempt', async () => {
      const { store } = await fresh();
      const conversation = someName();
      let work = await leased(store, conversation);
      for (let n = 0; n < 3; n++) {
        expect(await store.release(work, 0, { afterMs: 0 })).toBeNull();
        work = await claimed(store, conversation);
        expect(work.head?.attempts).toBe(1);
      }
    });

    test('a head handed over again without a commit is one attempt more, each time', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation);
      const attempts: (number | undefined)[] = [work.head?.attempts];
      for (let n = 0; n < 5; n++) attempts.push((await store.release(work, 0))?.head?.attempts);
      // What an outbox hands over first is no attempt; from then on each is.
      expect(attempts).toEqual([1, 1, 2, 3, 4, 5]);
      await queue(store, conversation, 'two');
      await store.commit(work, change(work));
      expect((await store.release(work, 0))?.head?.attempts).toBe(1);
    });

    test('a wake-up handed over again without a commit is one attempt more, each time', async () => {
      const { store } = await fresh();
      const work = await leased(store, someName());
      await store.commit(work, change(work, { wakeAtMs: 1 }));
      expect((await store.release(work, 0))?.wake).toEqual({ attempts: 1 });
      expect((await store.release(work, 0))?.wake).toEqual({ attempts: 2 });
    });

    test('a commit ends the count of attempts', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      await leased(brief, conversation, 'one');
      await queue(store, conversation, 'two');
      const work = await claimed(store, conversation);
      expect(work.head?.attempts).toBe(2);
      await store.commit(work, change(work));
      expect((await store.release(work, 0))?.head?.attempts).toBe(1);
    });

    test('a message that came while the lease was held is handed over, whatever the order of events', async () => {
      const { store, another } = await fresh();
      const other = await another();
      for (let n = 0; n < 10; n++) {
        const conversation = someName();
        const work = await leased(store, conversation, 'one');
        await store.commit(work, change(work));
        const [next, accepted] = await Promise.all([
          store.release(work, 0),
          other.accept(message(conversation, 'two')),
        ]);
        const handedOver = next?.head?.body.toString() === 'two';
        expect([handedOver, accepted.kind]).toEqual(handedOver ? [true, 'queued'] : [false, 'leased']);
      }
    });
  });
}
