import { expect, test } from 'vitest';
import { Operators } from '../../src/engine/operators.ts';
import { MAX_INBOX } from '../../src/engine/transitions.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import { createWorld, conversation as echo, incoming, LOOKUP, someEncryption } from './bot.ts';

/* Settled and replayed by people: `test/operators/routes.test.ts`, and by the simulator's. */

test('an intent sealed with a lost key is listed and not settled', async () => {
  const world = createWorld();
  const engine = world.engine({
    async perform(_effect, turn) {
      await turn.intend('op1', { lookup: LOOKUP });
      return new Promise(() => {});
    },
  });
  await engine.accept(incoming('redeem:op1'));
  await expect.poll(() => world.operators.operations()).toMatchObject([{ reference: 'op1', intent: {} }]);
  const { store } = world;
  const parts = { store, encryption: someEncryption(), readState: echo.readState };
  const operators = new Operators(parts);
  expect(await operators.operations()).toMatchObject([{ reference: 'op1', intent: null }]);
  expect(await operators.settle('op1', 'done')).toBe('lost');
  const list: typeof store.list = (index, range) =>
    range.shard === 7 ? Promise.reject(new StoreUnavailable('down')) : store.list(index, range);
  const lists = new Operators({ ...parts, store: { ...store, list } }).operations();
  await expect(lists, 'what a shard has would be missing').rejects.toThrow(StoreUnavailable);
});

test('an operation of which nothing can be read is closed, whether its record is broken or lost, and no other', async () => {
  const world = createWorld();
  const engine = world.engine({
    async perform(_effect, turn) {
      await turn.intend('op1', { lookup: LOOKUP });
      return new Promise(() => {});
    },
  });
  await engine.accept(incoming('redeem:op1'));
  await expect.poll(() => world.operators.operations()).toMatchObject([{ isLost: false }]);
  expect([await world.operators.close('op1'), await world.operators.close('op2')]).toEqual([
    'kept',
    'unknown',
  ]);
  const { store, operators } = world;
  const key = `c:${(await operators.operations())[0]?.conversation}` as const;
  const broken = new Operators({ store, encryption: someEncryption(), readState: echo.readState });
  const [listed] = await broken.operations();
  expect(listed).toMatchObject({ intent: null, isLost: true, atMs: expect.any(Number) });
  expect(listed?.atMs).toBeGreaterThan(0);
  const before = await store.read(key);
  expect(await broken.close('op1')).toBe('closed');
  expect(await broken.operations()).toEqual([]);
  expect((await store.read(key)).bytes, 'its record is left as it is').toEqual(before.bytes);

  const gone = { index: 'intents', member: `${key.slice(2)}:op3`, score: 7 } as const;
  const dead = { index: 'dead', member: key.slice(2), score: 8 } as const;
  const lost = { expected: before.bytes, bytes: null, ttlMs: 1, indexes: [gone, dead] };
  expect(await store.compareAndSwap(key, lost)).toMatchObject({ swapped: true });
  expect(await operators.operations()).toMatchObject([{ reference: 'op3', isLost: true, atMs: 7 }]);
  expect([await operators.settle('op3', 'done'), await operators.close('op3')]).toEqual(['lost', 'closed']);
  const [letter] = await operators.letters();
  expect(letter).toMatchObject({ reason: 'lost', holds: null, atMs: 8 });
  const id = letter?.id ?? '';
  expect([await operators.replay(id), await operators.remove(id)]).toEqual(['unreadable', true]);
  expect([await operators.operations(), await operators.letters()]).toEqual([[], []]);
  expect((await store.read(key)).bytes).toBeNull();
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
  expect(world.heard()).toEqual(['turn.failed', 'mended']);
});
