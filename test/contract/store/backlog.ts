import { describe, expect, test } from 'vitest';
import type { ConversationStore } from '../../../src/store/store.ts';
import {
  bodies,
  change,
  claimed,
  lapsed,
  leased,
  message,
  type opener,
  queue,
  someName,
  turn,
} from './kit.ts';

const HOUR_MS = 3_600_000;
/** How far a machine that is busy may be off. */
const ABOUT_MS = 60_000;

/** Takes a lease and commits one reply. */
async function replied(store: ConversationStore, conversation: string) {
  const work = await leased(store, conversation);
  const committed = await store.commit(work, change(work, { outbox: bodies('reply') }));
  if (!committed) throw new Error('expected the commit to succeed');
  return { work, seq: committed.firstSeq };
}

export function backlogContract(fresh: ReturnType<typeof opener>): void {
  describe('the backlog', () => {
    const NOTHING = { due: { count: 0, oldestMs: 0 }, undeliveredMs: 0, letters: 0, operationsMs: [] };

    test('of an empty store, and of one that nobody waits in, is nothing', async () => {
      const { store } = await fresh();
      expect(await store.backlog()).toEqual(NOTHING);
      await turn(store, someName());
      await turn(store, someName(), { wakeAtMs: Date.now() + HOUR_MS });
      expect(await store.backlog()).toEqual(NOTHING);
    });

    test('counts the conversations that nobody works on, and tells for how long the first has been due', async () => {
      const { store } = await fresh();
      const conversations = [someName(), someName(), someName()];
      for (const conversation of conversations) await queue(store, conversation, 'hello');
      await expect.poll(async () => (await store.backlog()).due.oldestMs).toBeGreaterThanOrEqual(20);
      const { due } = await store.backlog();
      expect(due.count).toBe(3);
      expect(due.oldestMs).toBeLessThan(ABOUT_MS);

      const work = await claimed(store, conversations[0] ?? '');
      await store.commit(work, change(work));
      await store.release(work, 0);
      const count = await store.backlog().then((waiting) => waiting.due.count);
      expect(count).toBeLessThan(3);
    });

    test('counts a conversation whose lease ran out, and none that is being worked on', async () => {
      const { store, brief } = await fresh();
      await leased(store, someName());
      expect((await store.backlog()).due).toEqual({ count: 0, oldestMs: 0 });
      await leased(brief, someName());
      await expect.poll(async () => (await store.backlog()).due.count).toBe(1);
    });

    test('tells how old the oldest reply is that was put off, until it is delivered', async () => {
      const { store } = await fresh();
      const conversation = someName();
      const { work, seq } = await replied(store, conversation);
      expect((await store.backlog()).undeliveredMs).toBe(0);
      const madeAtMs = Date.now() - HOUR_MS;
      await store.release(work, seq - 1, { afterMs: 0, madeAtMs });
      const { undeliveredMs } = await store.backlog();
      expect(Math.abs(undeliveredMs - HOUR_MS)).toBeLessThan(ABOUT_MS);

      const again = await claimed(store, conversation);
      await store.release(again, 0, { afterMs: 0 });
      expect((await store.backlog()).undeliveredMs, 'put off once more').toBeGreaterThanOrEqual(
        undeliveredMs,
      );
      await store.release(await claimed(store, conversation), seq);
      expect((await store.backlog()).undeliveredMs).toBe(0);
    });

    test('takes the oldest reply of all conversations, and the first that is left of each', async () => {
      const { store } = await fresh();
      for (const hours of [1, 3, 2]) {
        const { work, seq } = await replied(store, someName());
        await store.release(work, seq - 1, { afterMs: HOUR_MS, madeAtMs: Date.now() - hours * HOUR_MS });
      }
      const { due, undeliveredMs } = await store.backlog();
      expect(Math.abs(undeliveredMs - 3 * HOUR_MS)).toBeLessThan(ABOUT_MS);
      expect(due.count, 'what waits for its time is not due').toBe(0);
    });

    test('counts dead letters', async () => {
      const { store } = await fresh();
      const dead = [{ reason: 'threw', body: Buffer.from('message') }];
      for (let n = 0; n < 3; n++) await turn(store, someName(), { dead });
      expect((await store.backlog()).letters).toBe(3);
    });

    test('tells how old each operation without an outcome is, until it is settled', async () => {
      const { store } = await fresh();
      const [one, other] = [someName(), someName()];
      const work = await leased(store, one);
      await store.intend(work, 'op-1', Buffer.from('intent\n17 99'));
      await store.intend(work, 'op-2', Buffer.from('intent'));
      await store.intend(await leased(store, other), 'op-3', Buffer.from('intent'));
      // A timer may end a millisecond before the store's clock says so.
      await expect
        .poll(async () => Math.min(...(await store.backlog()).operationsMs))
        .toBeGreaterThanOrEqual(20);
      const { operationsMs } = await store.backlog();
      expect(operationsMs).toHaveLength(3);
      expect(Math.max(...operationsMs)).toBeLessThan(ABOUT_MS);
      await store.commit(work, change(work, { settled: ['op-1', 'op-2'] }));
      expect((await store.backlog()).operationsMs).toHaveLength(1);
    });
  });

  describe('work', () => {
    test('says whether the lease was taken over from one that ran out', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      expect((await leased(brief, conversation)).takeover).toBe(false);
      const work = await claimed(store, conversation);
      expect(work.takeover).toBe(true);
      await store.commit(work, change(work));
      await store.release(work, 0, { afterMs: 0 });
      await queue(store, conversation, 'two');
      expect((await claimed(store, conversation)).takeover).toBe(false);
    });

    test('says so, too, where a message takes the lease that ran out', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      await leased(brief, conversation);
      await lapsed(store, conversation);
      const accepted = await store.accept(message(conversation, 'two'));
      expect(accepted).toMatchObject({ kind: 'leased', work: { takeover: true } });
    });
  });
}
