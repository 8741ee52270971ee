import { describe, expect, test } from 'vitest';
import {
  bodies,
  change,
  claimed,
  lapsed,
  leased,
  message,
  type opener,
  queue,
  seen,
  someName,
  sweep,
  turn,
} from './kit.ts';

export function leaseContract(fresh: ReturnType<typeof opener>): void {
  describe('leases', () => {
    test('an expired lease is claimed with a higher fence, the same head and one attempt more', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      const first = await leased(brief, conversation, 'one');
      await queue(store, conversation, 'two');
      const second = await claimed(store, conversation);
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(seen(second).head).toBe('one');
      expect(second.head?.seq).toBe(first.head?.seq);
      expect(second.head?.attempts).toBe(2);
    });

    test('an expired lease can be taken by a new message, which waits its turn', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      const first = await leased(brief, conversation, 'one');
      await lapsed(store, conversation);
      const second = await leased(store, conversation, 'two');
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(second.head).toMatchObject({ attempts: 2, seq: first.head?.seq });
    });

    test('a live lease is not claimed, and renewing keeps it alive', async () => {
      const { store, brief } = await fresh();
      const [kept, left] = [someName(), someName()];
      const work = await leased(brief, kept);
      await leased(brief, left);
      // Each process renews by its own length.
      expect(await store.renew(work)).toBe(true);
      await lapsed(store, left);
      expect((await sweep(store)).map(({ conversation }) => conversation)).toEqual([left]);
      expect(await brief.renew(work)).toBe(true);
      expect((await claimed(store, kept)).head?.attempts).toBe(2);
    });

    test('a stolen lease can change nothing any more', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      const old = await leased(brief, conversation);
      const owner = await claimed(store, conversation);
      expect(await store.renew(old)).toBe(false);
      expect(await store.commit(old, change(old, { outbox: bodies('stale') }))).toBe(false);
      expect(await store.intend(old, 'op', Buffer.from('stale'))).toEqual({ kind: 'stale' });
      expect(await store.release(old, 0)).toBeNull();
      expect(await store.renew(owner)).toBe(true);
      expect(await store.intend(owner, 'op', Buffer.from('mine'))).toEqual({ kind: 'go' });
      expect(await store.commit(owner, change(owner))).toBeTruthy();
    });

    test('a lease of the same fence with another nonce can change nothing', async () => {
      const { store } = await fresh();
      const work = await leased(store, someName());
      const other = { ...work, nonce: 'of another timeline' };
      expect(await store.renew(other)).toBe(false);
      expect(await store.intend(other, 'op', Buffer.from('not mine'))).toEqual({ kind: 'stale' });
      expect(await store.commit(other, change(work))).toBe(false);
      expect(await store.release(other, 0)).toBeNull();
      const command = change(work, { outbox: bodies('mine') });
      const committed = await store.commit(work, command);
      expect(committed).toBeTruthy();
      expect(await store.commit(other, command)).toBe(false);
      expect(await store.commit(work, command)).toEqual(committed);
    });

    test('a lease given back can change nothing any more', async () => {
      const { store } = await fresh();
      const work = await leased(store, someName());
      await store.commit(work, change(work));
      await store.release(work, 0);
      expect(await store.renew(work)).toBe(false);
      expect(await store.commit(work, change(work, { version: 1, consumed: null }))).toBe(false);
      expect(await store.intend(work, 'op', Buffer.from('late'))).toEqual({ kind: 'stale' });
    });
  });

  describe('claiming', () => {
    test('takes no more than there is room for, and leaves the rest due', async () => {
      const { store } = await fresh({ leaseMs: 10_000 });
      const names = Array.from({ length: 5 }, someName);
      for (const name of names) await queue(store, name, 'hello');
      const found: string[] = [];
      for (let round = 0; round < 100 && found.length < 5; round++) {
        const works = await store.claim(2);
        expect(works.length).toBeLessThanOrEqual(2);
        found.push(...works.map((work) => work.conversation));
      }
      expect(found.sort()).toEqual(names.sort());
    });

    test('two processes never get the same conversation', async () => {
      const { store, another } = await fresh({ leaseMs: 10_000 });
      const other = await another();
      const names = Array.from({ length: 20 }, someName);
      for (const name of names) await queue(store, name, 'hello');
      const found: string[] = [];
      for (let round = 0; round < 20; round++) {
        const both = await Promise.all([store.claim(3), other.claim(3)]);
        found.push(...both.flat().map((work) => work.conversation));
      }
      expect(found.sort()).toEqual(names.sort());
    });

    test('finds nothing where all is answered and delivered', async () => {
      const { store } = await fresh();
      await turn(store, someName(), { outbox: bodies('bye') });
      expect(await sweep(store)).toEqual([]);
    });

    test('with no room takes nothing', async () => {
      const { store } = await fresh();
      await queue(store, someName(), 'hello');
      expect(await store.claim(0)).toEqual([]);
    });
  });

  describe('wake-ups', () => {
    test('come when asked for, with the state and no message', async () => {
      const { store } = await fresh();
      const [soon, late] = [someName(), someName()];
      await turn(store, late, { wakeAtMs: Date.now() + 3_600_000 });
      const work = await leased(store, soon);
      await store.commit(work, change(work, { state: Buffer.from('s1'), wakeAtMs: work.nowMs + 50 }));
      // Given back, so that it is claimed even if its time has come by now.
      await store.release(work, 0, { afterMs: 0 });
      const woken = await claimed(store, soon);
      expect(woken).toMatchObject({ head: null, wake: { attempts: 1 }, version: 1, outbox: [] });
      expect(woken.nowMs).toBeGreaterThanOrEqual(work.nowMs + 50);
      expect(seen(woken).state).toBe('s1');
      expect(await sweep(store)).toEqual([]);
    });

    test('stay armed until a commit, and count the leases that failed', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      await turn(store, conversation, { wakeAtMs: 1 });
      expect((await claimed(brief, conversation)).wake).toEqual({ attempts: 1 });
      const again = await claimed(store, conversation);
      expect(again.wake).toEqual({ attempts: 2 });
      await store.commit(again, change(again));
      expect(await store.release(again, 0)).toBeNull();
      expect(await sweep(store)).toEqual([]);
    });

    test('wait behind messages and are handed over once those are answered', async () => {
      const { store } = await fresh();
      const conversation = someName();
      await turn(store, conversation, { wakeAtMs: 1 });
      const work = await leased(store, conversation, 'two');
      expect(work).toMatchObject({ wake: null });
      expect(seen(work).head).toBe('two');
      await store.commit(work, change(work, { wakeAtMs: 1 }));
      expect(await store.release(work, 0)).toMatchObject({ head: null, wake: { attempts: 1 } });
    });

    test('a later commit moves or cancels them', async () => {
      const { store } = await fresh();
      const conversation = someName();
      await turn(store, conversation, { wakeAtMs: Date.now() + 60_000 });
      await turn(store, conversation, { wakeAtMs: null });
      await turn(store, conversation, { wakeAtMs: Date.now() + 60_000 });
      expect(await sweep(store)).toEqual([]);
      await turn(store, conversation, { wakeAtMs: null });
      expect(await store.accept(message(conversation, 'hi'))).toMatchObject({ kind: 'leased' });
    });
  });
}
