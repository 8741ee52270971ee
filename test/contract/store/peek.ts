import { describe, expect, test } from 'vitest';
import { bodies, change, leased, type opener, queue, someName, sweep } from './kit.ts';

export function peekContract(fresh: ReturnType<typeof opener>): void {
  describe('a look from outside', () => {
    test('finds nothing of a conversation that nobody has heard of', async () => {
      const { store } = await fresh();
      expect(await store.peek(someName())).toBeNull();
    });

    test('sees what waits, what is kept and who works on it, from any process', async () => {
      const { store, another } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation, 'first');
      const early = await (await another()).peek(conversation);
      expect(early).toMatchObject({ state: null, messages: bodies('first'), outbox: [] });
      expect(early?.leasedUntilMs).toBeGreaterThan(early?.nowMs ?? Number.NaN);

      await queue(store, conversation, 'second');
      await store.commit(work, change(work, { outbox: bodies('one', 'two') }));
      expect(await store.peek(conversation)).toMatchObject({
        state: Buffer.from('state'),
        messages: bodies('second'),
        outbox: bodies('one', 'two'),
      });
      await store.release(work, 0, { afterMs: 60_000 });
      expect(await store.peek(conversation)).toMatchObject({ leasedUntilMs: null });
    });

    test('changes nothing: the holder of the lease goes on, and nobody else gets it', async () => {
      const { store, another } = await fresh({ leaseMs: 60_000 });
      const work = await leased(store, someName());
      const other = await another();
      await other.peek(work.conversation);
      expect(await sweep(other)).toEqual([]);
      expect(await store.commit(work, change(work))).toBeTruthy();
    });
  });
}
