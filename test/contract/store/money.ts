import { describe, expect, test } from 'vitest';
import { all, change, claimed, leased, type opener, someName } from './kit.ts';

const intent = Buffer.from('the intent');

export function moneyContract(fresh: ReturnType<typeof opener>): void {
  describe('intents', () => {
    test('the first writer may go, and is told so again when the very same command is sent again', async () => {
      const { store } = await fresh();
      const work = await leased(store, someName());
      expect(await store.intend(work, 'op', intent)).toEqual({ kind: 'go' });
      expect(await store.intend(work, 'op', intent)).toEqual({ kind: 'go' });
    });

    test('another attempt under the same lease gets what was stored, and must not go', async () => {
      const { store } = await fresh();
      const work = await leased(store, someName());
      await store.intend(work, 'op', intent);
      const again = await store.intend(work, 'op', Buffer.from('sealed anew'));
      expect(again).toEqual({ kind: 'stored', body: intent });
    });

    test('a later lease gets what was stored, and must not go', async () => {
      const { store, brief } = await fresh();
      const conversation = someName();
      await brief.intend(await leased(brief, conversation), 'op', intent);
      const later = await claimed(store, conversation);
      for (const body of ['changed', 'again']) {
        expect(await store.intend(later, 'op', Buffer.from(body))).toEqual({ kind: 'stored', body: intent });
      }
    });

    test('of different operations and conversations do not meet', async () => {
      const { store } = await fresh();
      const work = await leased(store, someName());
      await store.intend(work, 'op', intent);
      expect(await store.intend(work, 'op2', intent)).toEqual({ kind: 'go' });
      expect(await store.intend(await leased(store, someName()), 'op', intent)).toEqual({ kind: 'go' });
    });

    test('can be recalled by anybody until they are settled', async () => {
      const { store, another } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation);
      expect(await store.recall(conversation, 'op')).toBeNull();
      await store.intend(work, 'op', intent);
      expect(await (await another()).recall(conversation, 'op')).toEqual(intent);
      expect(await store.recall(conversation, 'op2')).toBeNull();
      expect(await store.recall(someName(), 'op')).toBeNull();
      await store.commit(work, change(work, { settled: ['op'] }));
      expect(await store.recall(conversation, 'op')).toBeNull();
    });

    test('are listed until they are settled', async () => {
      const { store, another } = await fresh();
      const conversation = someName();
      const work = await leased(store, conversation);
      await store.intend(work, 'op1', intent);
      await store.intend(work, 'op2', intent);
      const listed = await all((await another()).intents());
      expect(listed.map((one) => [one.conversation, one.operation, one.body.toString()]).sort()).toEqual([
        [conversation, 'op1', 'the intent'],
        [conversation, 'op2', 'the intent'],
      ]);
      expect(Math.abs((listed[0]?.atMs ?? 0) - work.nowMs)).toBeLessThan(60_000);
      await store.commit(work, change(work, { settled: ['op1', 'never heard of'] }));
      expect((await all(store.intents())).map((one) => one.operation)).toEqual(['op2']);
    });

    test('stay when a stale commit would settle them', async () => {
      const { store } = await fresh();
      const work = await leased(store, someName());
      await store.intend(work, 'op', intent);
      expect(await store.commit(work, change(work, { version: 7, settled: ['op'] }))).toBe(false);
      expect(await all(store.intents())).toHaveLength(1);
    });
  });

  describe('locks', () => {
    test('one operation of a customer at a time, idempotent for its holder', async () => {
      const { store, another } = await fresh();
      const other = await another();
      const customer = someName();
      expect(await store.lock(customer, 'op1')).toEqual({ locked: true, settled: [], awaited: [] });
      expect(await other.lock(customer, 'op1')).toEqual({ locked: true, settled: [], awaited: [] });
      expect(await other.lock(customer, 'op2')).toEqual({ locked: false });
      expect(await other.lock(someName(), 'op2')).toEqual({ locked: true, settled: [], awaited: [] });
    });

    test('only the holder lets go', async () => {
      const { store } = await fresh();
      const customer = someName();
      await store.lock(customer, 'op1');
      await store.unlock(customer, 'op2');
      expect(await store.lock(customer, 'op2')).toEqual({ locked: false });
      await store.unlock(customer, 'op1');
      await store.unlock(customer, 'op1');
      expect(await store.lock(customer, 'op2')).toEqual({ locked: true, settled: [], awaited: [] });
    });

    test('the next holder learns which records settled earlier operations', async () => {
      const { store } = await fresh();
      const customer = someName();
      await store.lock(customer, 'op1');
      await store.unlock(customer, 'op1', 'record1');
      await store.unlock(customer, 'op1', 'record1');
      expect(await store.lock(customer, 'op2')).toEqual({
        locked: true,
        settled: ['record1'],
        awaited: [],
      });
      await store.unlock(customer, 'op2', 'hồ sơ số 2 🎁');
      const third = await store.lock(customer, 'op3');
      expect(third.locked && third.settled.toSorted()).toEqual(['hồ sơ số 2 🎁', 'record1']);
    });

    test('a record is remembered even if the lock has passed to another', async () => {
      const { store } = await fresh();
      const customer = someName();
      await store.lock(customer, 'op2');
      await store.unlock(customer, 'op1', 'record1');
      expect(await store.lock(customer, 'op2')).toEqual({
        locked: true,
        settled: ['record1'],
        awaited: [],
      });
    });

    test('the next holder learns which records are still to come, one for each success', async () => {
      const { store, another } = await fresh();
      const customer = someName();
      await store.lock(customer, 'op1');
      await store.unlock(customer, 'op1', undefined, 'one for op1');
      await store.unlock(customer, 'op1', undefined, 'one for op1');
      const other = await another();
      const second = { locked: true, settled: [], awaited: ['one for op1'] };
      expect(await other.lock(customer, 'op2')).toEqual(second);
      expect(await other.lock(customer, 'op2')).toEqual(second);
      await other.unlock(customer, 'op2', 'record2');
      await store.unlock(customer, 'op3', undefined, '{"một":"🎁"}');
      const third = await store.lock(customer, 'op4');
      expect(third).toMatchObject({ locked: true, settled: ['record2'] });
      expect(third.locked && third.awaited.toSorted()).toEqual(['one for op1', '{"một":"🎁"}']);
      expect(await store.lock(someName(), 'op4')).toEqual({ locked: true, settled: [], awaited: [] });
    });

    test('what was told is remembered longer than a lock lives, and not forever', async () => {
      const { store, another } = await fresh();
      const [lets, forgets] = [await another({ lockMs: 50 }), await another({ settledMs: 50 })];
      const [one, other] = [someName(), someName()];
      for (const [customer, process] of [
        [one, store],
        [other, forgets],
      ] as const) {
        await lets.lock(customer, 'op1');
        await process.unlock(customer, 'op2', 'record2');
        await process.unlock(customer, 'op3', undefined, 'one for op3');
      }
      await expect
        .poll(() => store.lock(one, 'op4'))
        .toEqual({
          ...{ locked: true, settled: ['record2'], awaited: ['one for op3'] },
        });
      await expect.poll(() => store.lock(other, 'op4')).toEqual({ locked: true, settled: [], awaited: [] });
    });

    test('expire, unless their holder asks again', async () => {
      const { store, another } = await fresh();
      const brief = await another({ lockMs: 50 });
      const [kept, left] = [someName(), someName()];
      for (const customer of [kept, left]) await brief.lock(customer, 'op1');
      await store.lock(kept, 'op1');
      await expect.poll(() => store.lock(left, 'op2')).toEqual({ locked: true, settled: [], awaited: [] });
      expect(await store.lock(kept, 'op2')).toEqual({ locked: false });
    });
  });
}
