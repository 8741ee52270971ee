import { describe, expect, test } from 'vitest';
import { bodies, change, leased, type opener, queue, someName, sweep } from './kit.ts';

export function peekContract(fresh: ReturnType<typeof opener>): void {
  describe('a look from outside', () => {
    test('finds nothing of a conversation that nobody has heard of', async () => {
      const { mailbox } = await fresh();
      expect(await mailbox.peek(someName())).toBeNull();
    });

    test('sees what waits, what is kept and who works on it, from any process', async () => {
      const { mailbox, another } = await fresh();
      const conversation = someName();
      const work = await leased(mailbox, conversation, 'first');
      const early = await (await another()).peek(conversation);
      expect(early).toMatchObject({ state: null, messages: bodies('first'), outbox: [] });
      expect(early?.leasedUntilMs).toBeGreaterThan(early?.nowMs ?? Number.NaN);

      await queue(mailbox, conversation, 'second');
      await mailbox.commit(work, change(work, { outbox: bodies('one', 'two') }));
      expect(await mailbox.peek(conversation)).toMatchObject({
        state: Buffer.from('state'),
        messages: bodies('second'),
        outbox: bodies('one', 'two'),
      });
      await mailbox.release(work, 0, { afterMs: 60_000 });
      expect(await mailbox.peek(conversation)).toMatchObject({ leasedUntilMs: null });
    });

    test('changes nothing: whoever holds the lease goes on, and nobody else gets it', async () => {
      const { mailbox, another } = await fresh({ leaseMs: 60_000 });
      const work = await leased(mailbox, someName());
      const other = await another();
      await other.peek(work.conversation);
      expect(await sweep(other)).toEqual([]);
      expect(await mailbox.commit(work, change(work))).toBeTruthy();
    });
  });
}
