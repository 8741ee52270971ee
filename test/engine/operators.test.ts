import { expect, test } from 'vitest';
import { Operators } from '../../src/engine/operators.ts';
import { MAX_INBOX } from '../../src/engine/transitions.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import { createWorld, conversation as echo, incoming, LOOKUP, someEncryption } from './bot.ts';

/* Settled and replayed by people: `test/operators/routes.test.ts`, and by the simulator's. */

/** A bot in which an operation has an intent, and no outcome; operators with other keys cannot read it. */
async function createIntended() {
  const world = createWorld();
  const engine = world.engine({
    async perform(_effect, turn) {
      await turn.intend('op1', { lookup: LOOKUP });
      return new Promise(() => {});
    },
  });
  await engine.accept(incoming('redeem:op1'));
  await expect
    .poll(() => world.operators.operations())
    .toMatchObject([{ reference: 'op1', intent: {}, isLost: false }]);
  const { store, operators } = world;
  const key = `c:${(await operators.operations())[0]?.conversation}` as const;
  const parts = { store, encryption: someEncryption(), readState: echo.readState };
  return { store, operators, key, parts, others: new Operators(parts) };
}

test('an intent sealed with a lost key is listed and not settled', async () => {
  const { others } = await createIntended();
  expect(await others.operations()).toMatchObject([
    { reference: 'op1', intent: null, isLost: true, atMs: expect.any(Number) },
  ]);
  expect((await others.operations())[0]?.atMs).toBeGreaterThan(0);
  expect(await others.settle('op1', 'done')).toBe('lost');
});

test('operations are listed whole or not at all: a shard that cannot be listed fails the list', async () => {
  const { store, parts } = await createIntended();
  const list: typeof store.list = (index, range) =>
    range.shard === 7 ? Promise.reject(new StoreUnavailable('down')) : store.list(index, range);
  const lists = new Operators({ ...parts, store: { ...store, list } }).operations();
  await expect(lists).rejects.toThrow(StoreUnavailable);
});

test('an operation is not closed while its intent can be read', async () => {
  const { operators } = await createIntended();
  expect([await operators.close('op1'), await operators.close('op2')]).toEqual(['kept', 'unknown']);
});

test('an operation whose record cannot be opened is closed, and the record is left as it is', async () => {
  const { store, key, others } = await createIntended();
  const before = await store.read(key);
  expect(await others.close('op1')).toBe('closed');
  expect(await others.operations()).toEqual([]);
  expect((await store.read(key)).bytes).toEqual(before.bytes);
});

/** The record of a conversation is gone; its entries of indexes are still there. */
async function createLost() {
  const { store, key, operators } = await createIntended();
  const gone = { index: 'intents', member: `${key.slice(2)}:op3`, score: 7 } as const;
  const own = { index: 'intents', member: `${key.slice(2)}:op1`, score: null } as const;
  const dead = { index: 'dead', member: key.slice(2), score: 8 } as const;
  const { bytes } = await store.read(key);
  const lost = { expected: bytes, bytes: null, ttlMs: 1, indexes: [own, gone, dead] };
  expect(await store.compareAndSwap(key, lost)).toMatchObject({ swapped: true });
  return { store, key, operators };
}

test('an operation whose record is lost is listed and closed, and not settled', async () => {
  const { store, key, operators } = await createLost();
  expect(await operators.operations()).toMatchObject([{ reference: 'op3', isLost: true, atMs: 7 }]);
  expect([await operators.settle('op3', 'done'), await operators.close('op3')]).toEqual(['lost', 'closed']);
  expect(await operators.operations()).toEqual([]);
  expect((await store.read(key)).bytes).toBeNull();
});

test('the letters of a lost record are listed and removed, and not replayed', async () => {
  const { operators } = await createLost();
  const [letter] = await operators.letters();
  expect(letter).toMatchObject({ reason: 'lost', holds: null, atMs: 8 });
  const id = letter?.id ?? '';
  expect([await operators.replay(id), await operators.remove(id)]).toEqual(['unreadable', true]);
  expect(await operators.letters()).toEqual([]);
});

test('a dead letter is replayed into a full inbox, and answered once, though its id is remembered', async () => {
  const world = createWorld();
  const { operators } = world;
  const engine = world.engine();
  await engine.accept(incoming('throw'));
  await world.quiet();
  await engine.stop();
  const [letter] = await operators.letters();
  const id = letter?.id ?? '';
  for (let n = 0; n < MAX_INBOX; n++) await world.file({ of: 'nobody' }, `full ${n}`);
  expect(await operators.replay(id)).toBe('filed');
  expect(await operators.letters()).toEqual([]);
  expect(await operators.replay(id)).toBe('unknown');
  await world.rewrite((record) => ({ ...record, inbox: record.inbox.slice(MAX_INBOX) }));
  world.engine({ conversation: { ...echo, step: (state) => ({ state, replies: [{ key: 'mended' }] }) } });
  await world.quiet();
  expect(world.answers()).toEqual(['turn.failed', 'mended']);
});
