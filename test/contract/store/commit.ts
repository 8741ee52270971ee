import { describe, expect, test } from 'vitest';
import {
  all,
  bodies,
  change,
  claimed,
  leased,
  type opener,
  queue,
  seen,
  someName,
  sweep,
  turn,
} from './kit.ts';

export function commitContract(fresh: ReturnType<typeof opener>): void {
  describe('committing', () => {
    test('saves the state, removes the head, keeps the replies until they are released', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      const work = await leased(brief, conversation, 'one');
      await queue(store, conversation, 'two');
      expect(
        await store.commit(work, change(work, { state: Buffer.from('s1'), outbox: bodies('a', 'b') })),
      ).toMatchObject({ firstSeq: expect.any(Number) });
      const next = await claimed(store, conversation);
      expect(next.version).toBe(1);
      expect(seen(next)).toEqual({ state: 's1', outbox: ['a', 'b'], head: 'two' });
      expect(next.head?.attempts).toBe(2);
    });

    test('the head stays until a commit consumes it', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'one');
      await store.commit(work, change(work, { consumed: null }));
      const next = await store.release(work, 0);
      expect(next?.head).toMatchObject({ seq: work.head?.seq, attempts: 1 });
    });

    test('numbers replies on and on, from the number it returns', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'one');
      const first = await store.commit(work, change(work, { outbox: bodies('a', 'b') }));
      if (!first) throw new Error('stale');
      await store.release(work, first.firstSeq + 1);
      const later = await leased(store, conversation, 'two');
      const second = await store.commit(later, change(later, { outbox: bodies('c') }));
      expect(second).toEqual({ firstSeq: first.firstSeq + 2 });
      await store.release(later, first.firstSeq + 1, { afterMs: 0 });
      const again = await claimed(store, conversation);
      expect(again.outbox.map((entry) => entry.seq)).toEqual([first.firstSeq + 2]);
    });

    test('with another version changes nothing', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      await turn(store, conversation, { state: Buffer.from('s1') });
      await turn(store, conversation, { state: Buffer.from('s2') });
      const work = await leased(brief, conversation, 'three');
      for (const version of [0, 1, 3]) {
        const stale = change(work, { version, state: Buffer.from('no'), outbox: bodies('no') });
        expect(await store.commit(work, stale)).toBe(false);
      }
      const again = await claimed(store, conversation);
      expect(seen(again)).toEqual({ state: 's2', outbox: [], head: 'three' });
    });

    test('a re-sent commit gives the first answer and changes nothing', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      const work = await leased(brief, conversation, 'one');
      await queue(store, conversation, 'two');
      const command = change(work, {
        outbox: bodies('a'),
        dead: [{ reason: 'test', body: Buffer.from('x') }],
      });
      const first = await store.commit(work, command);
      expect(await store.commit(work, command)).toEqual(first);
      const next = await claimed(store, conversation);
      expect(next.version).toBe(1);
      expect(seen(next)).toEqual({ state: 'state', outbox: ['a'], head: 'two' });
      expect(await all(store.deadLetters())).toHaveLength(1);
    });

    test('a lease commits again and again, each time from the version it wrote', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'one');
      await queue(store, conversation, 'two');
      await store.commit(work, change(work));
      const next = await store.release(work, 0);
      const second = change(work, { version: 1, consumed: next?.head?.seq ?? null });
      expect(await store.commit(work, second)).toBeTruthy();
      expect(await store.release(work, 0)).toBeNull();
      expect((await leased(store, conversation)).version).toBe(2);
    });
  });

  describe('dead letters', () => {
    test('are kept with reason, conversation and body, until one takes them', async () => {
      const { store, another } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'poison');
      const dead = [
        { reason: 'step', body: Buffer.from('poison') },
        { reason: 'seal', body: Buffer.from('old state') },
      ];
      await store.commit(work, change(work, { dead }));
      await store.release(work, 0);

      const found = await all((await another()).deadLetters());
      expect(
        found.map((letter) => [letter.conversation, letter.reason, letter.body.toString()]).sort(),
      ).toEqual([
        [conversation, 'seal', 'old state'],
        [conversation, 'step', 'poison'],
      ]);
      expect(Math.abs((found[0]?.atMs ?? 0) - work.nowMs)).toBeLessThan(60_000);

      const id = found[0]?.id ?? '';
      expect(await store.takeDeadLetter(id)).toEqual(found[0]);
      expect(await store.takeDeadLetter(id)).toBeNull();
      expect(await all(store.deadLetters())).toEqual([found[1]]);
      expect(await sweep(store)).toEqual([]);
    });

    test('go with a conversation that is to be forgotten, and no other', async () => {
      const { store } = await fresh();
      const [mine, other] = [someName(), someName()];
      const dead = [{ reason: 'step', body: Buffer.from('poison') }];
      for (const conversation of [mine, mine, other]) await turn(store, conversation, { dead });
      await turn(store, mine, { forget: true, outbox: bodies('erased'), settled: ['op'] });
      expect((await all(store.deadLetters())).map(({ conversation }) => conversation)).toEqual([other]);
    });

    test('nobody knows of one that is not there', async () => {
      const { store } = await fresh();
      expect(await store.takeDeadLetter(someName())).toBeNull();
      expect(await all(store.deadLetters())).toEqual([]);
    });
  });
}
