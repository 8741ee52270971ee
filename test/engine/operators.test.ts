import { expect, test } from 'vitest';
import type { Lookup, Perform } from '../../src/conversation/effect.ts';
import { Operators } from '../../src/engine/operators.ts';
import { MAX_INBOX } from '../../src/engine/transitions.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createWorld, conversation as echo, incoming, someEncryption } from './bot.ts';

/** Every redemption's outcome is unknown, whatever is looked up. */
const unknown: Perform = async (effect, turn) => {
  if (effect.kind === 'check') return { kind: 'checked', operation: effect.operation, found: 'unreadable' };
  if (effect.kind === 'balance') return { kind: 'unavailable' };
  if (effect.kind !== 'redeem') throw new Error('unexpected effect');
  const { operation, gift, by } = effect;
  await turn.lock('customer:475', operation);
  const times = { fromMs: turn.nowMs() - 300_000, deadlineMs: turn.nowMs() + 8000 };
  const lookup: Lookup = {
    ...{ kind: 'redeem', by, code: gift, ...times },
    ...{ baseline: ['64db2c11cbad5f4fdd254567'], locks: ['customer:475'] },
  };
  await turn.intend(operation, { lookup });
  return { kind: 'unknown', operation, lookup };
};

/** A customer of the real conversation who confirmed a redemption of which nobody knows how it ended. */
async function withOpenOperation() {
  const world = createWorld();
  const settings = { ...SETTINGS, identityProof: 'off' } as const;
  const conversation = { step, readState, newState, settings };
  const engine = world.engine({ conversation, perform: unknown });
  const hear = (key: string) => expect.poll(() => world.heard()).toContain(key);
  await engine.accept(incoming('redeem DAUMAY01 0867123456'));
  await hear('redeem.summary');
  const choices = world.sent.flatMap(({ outgoing: { reply } }) => reply.choices ?? []);
  const choice = choices.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
  await engine.accept(incoming('', { message: { kind: 'choice', choice } }));
  await hear('operation.checking');
  const [operation] = await world.operators.operations();
  return { world, hear, reference: operation?.reference ?? '' };
}

test.each([
  ['done', 'not-applied', 'operation.resolved.done'],
  ['not-applied', 'done', 'operation.resolved.notApplied'],
] as const)(
  'settled as %s and not as %s, the customer is told unasked, once, and the lock is given back',
  async (result, contrary, key) => {
    const { world, hear, reference } = await withOpenOperation();
    expect(await world.operators.settle(reference, result)).toBe('filed');
    // Whether or not a bot has taken it up by now.
    for (const again of [contrary, result])
      expect(['decided', 'unknown']).toContain(await world.operators.settle(reference, again));
    await hear(key);
    await world.quiet();
    expect(world.heard().filter((one) => one === key)).toHaveLength(1);
    expect(await world.operators.operations()).toEqual([]);
    expect(await world.operators.settle(reference, result)).toBe('unknown');
    expect(await world.lock('customer:475', 'next')).toMatchObject({ locked: true });
  },
);

test('an intent sealed with a lost key is listed and not settled', async () => {
  const { world, reference } = await withOpenOperation();
  const operators = new Operators({ store: world.store, encryption: someEncryption(), readState });
  expect(await operators.operations()).toMatchObject([{ reference, intent: null }]);
  expect(await operators.settle(reference, 'done')).toBe('unreadable');
});

test('a dead letter is replayed where its conversation has room, and answered once, though its id is remembered', async () => {
  const world = createWorld();
  const { operators } = world;
  const engine = world.engine();
  await engine.accept(incoming('throw'));
  await world.quiet();
  await engine.stop();
  const [letter] = await operators.letters();
  const id = letter?.id ?? '';
  for (let n = 0; n < MAX_INBOX; n++) await world.file({ of: 'nobody' }, `full ${n}`);
  expect(await operators.replay(id)).toBe('full');
  expect(await operators.letters()).toMatchObject([{ id }]);
  await world.rewrite((record) => ({ ...record, inbox: [] }));
  expect(await operators.replay(id)).toBe('filed');
  expect(await operators.letters()).toEqual([]);
  expect(await operators.replay(id)).toBe('unknown');
  world.engine({ conversation: { ...echo, step: (state) => ({ state, replies: [{ key: 'mended' }] }) } });
  await world.quiet();
  expect(world.heard()).toEqual(['turn.failed', 'mended']);
});
