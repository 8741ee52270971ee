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
      const { mailbox } = await fresh();
      const conversation = someName();
      const work = await leased(mailbox, conversation, 'one');
      await queue(mailbox, conversation, 'two');
      expect(
        await mailbox.commit(work, change(work, { state: Buffer.from('s1'), outbox: bodies('a', 'b') })),
      ).toMatchObject({ firstSeq: expect.any(Number) });
      const next = await claimed(mailbox, conversation);
      expect(next.version).toBe(1);
      expect(seen(next)).toEqual({ state: 's1', outbox: ['a', 'b'], head: 'two' });
      expect(next.head?.attempts).toBe(2);
    });

    test('the head stays until a commit consumes it', async () => {
      const { mailbox } = await fresh();
      const conversation = someName();
      const work = await leased(mailbox, conversation, 'one');
      await mailbox.commit(work, change(work, { consumed: null }));
      const next = await mailbox.release(work, 0);
      expect(next?.head).toMatchObject({ seq: work.head?.seq, attempts: 1 });
    });

    test('numbers replies on and on, from the number it returns', async () => {
      const { mailbox } = await fresh();
      const conversation = someName();
      const work = await leased(mailbox, conversation, 'one');
      const first = await mailbox.commit(work, change(work, { outbox: bodies('a', 'b') }));
      if (!first) throw new Error('stale');
      await mailbox.release(work, first.firstSeq + 1);
      const later = await leased(mailbox, conversation, 'two');
      const second = await mailbox.commit(later, change(later, { outbox: bodies('c') }));
      expect(second).toEqual({ firstSeq: first.firstSeq + 2 });
      await mailbox.release(later, first.firstSeq + 1, { afterMs: 0 });
      const again = await claimed(mailbox, conversation);
      expect(again.outbox.map((entry) => entry.seq)).toEqual([first.firstSeq + 2]);
    });

    test('with another version changes nothing', async () => {
      const { mailbox } = await fresh();
      const conversation = someName();
      await turn(mailbox, conversation, { state: Buffer.from('s1') });
      await turn(mailbox, conversation, { state: Buffer.from('s2') });
      const work = await leased(mailbox, conversation, 'three');
      for (const version of [0, 1, 3]) {
        const stale = change(work, { version, state: Buffer.from('no'), outbox: bodies('no') });
        expect(await mailbox.commit(work, stale)).toBe(false);
      }
      const again = await claimed(mailbox, conversation);
      expect(seen(again)).toEqual({ state: 's2', outbox: [], head: 'three' });
    });

    test('a re-sent commit gives the first answer and changes nothing', async () => {
      const { mailbox } = await fresh();
      const conversation = someName();
      const work = await leased(mailbox, conversation, 'one');
      await queue(mailbox, conversation, 'two');
      const command = change(work, {
        outbox: bodies('a'),
        dead: [{ reason: 'test', body: Buffer.from('x') }],
      });
      const first = await mailbox.commit(work, command);
      expect(await mailbox.commit(work, command)).toEqual(first);
      const next = await claimed(mailbox, conversation);
      expect(next.version).toBe(1);
      expect(seen(next)).toEqual({ state: 'state', outbox: ['a'], head: 'two' });
      expect(await all(mailbox.deadLetters())).toHaveLength(1);
    });

    test('a lease commits again and again, each time from the version it wrote', async () => {
      const { mailbox } = await fresh();
      const conversation = someName();
      const work = await leased(mailbox, conversation, 'one');
      await queue(mailbox, conversation, 'two');
      await mailbox.commit(work, change(work));
      const next = await mailbox.release(work, 0);
      const second = change(work, { version: 1, consumed: next?.head?.seq ?? null });
      expect(await mailbox.commit(work, second)).toBeTruthy();
      expect(await mailbox.release(work, 0)).toBeNull();
      expect((await leased(mailbox, conversation)).version).toBe(2);
    });
  });

  describe('dead letters', () => {
    test('are kept with reason, conversation and body, until one takes them', async () => {
      const { mailbox, another } = await fresh();
      const conversation = someName();
      const work = await leased(mailbox, conversation, 'poison');
      const dead = [
        { reason: 'step', body: Buffer.from('poison') },
        { reason: 'seal', body: Buffer.from('old state') },
      ];
      await mailbox.commit(work, change(work, { dead }));
      await mailbox.release(work, 0);

      const found = await all((await another()).deadLetters());
      expect(
        found.map((letter) => [letter.conversation, letter.reason, letter.body.toString()]).sort(),
      ).toEqual([
        [conversation, 'seal', 'old state'],
        [conversation, 'step', 'poison'],
      ]);
      expect(Math.abs((found[0]?.atMs ?? 0) - work.nowMs)).toBeLessThan(5000);

      const id = found[0]?.id ?? '';
      expect(await mailbox.takeDeadLetter(id)).toEqual(found[0]);
      expect(await mailbox.takeDeadLetter(id)).toBeNull();
      expect(await all(mailbox.deadLetters())).toEqual([found[1]]);
      expect(await sweep(mailbox)).toEqual([]);
    });

    test('go with a conversation that is to be forgotten, and no other', async () => {
      const { mailbox } = await fresh();
      const [mine, other] = [someName(), someName()];
      const dead = [{ reason: 'step', body: Buffer.from('poison') }];
      for (const conversation of [mine, mine, other]) await turn(mailbox, conversation, { dead });
      await turn(mailbox, mine, { forget: true, outbox: bodies('erased'), settled: ['op'] });
      expect((await all(mailbox.deadLetters())).map(({ conversation }) => conversation)).toEqual([other]);
    });

    test('nobody knows of one that is not there', async () => {
      const { mailbox } = await fresh();
      expect(await mailbox.takeDeadLetter(someName())).toBeNull();
      expect(await all(mailbox.deadLetters())).toEqual([]);
    });
  });
}
