import { setImmediate as tick } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Lookup, Perform } from '../../src/conversation/effect.ts';
import type { Message } from '../../src/conversation/message.ts';
import { Operators } from '../../src/engine/operators.ts';
import { MAX_INBOX } from '../../src/engine/transitions.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createWorld, conversation as echo, incoming, someEncryption, type World } from './bot.ts';

const operatorsOf = ({ store, encryption }: Pick<World, 'store' | 'encryption'>) =>
  new Operators({ store, encryption, readState });

/** Every redemption's outcome is unknown, whatever is looked up. */
const unknown: Perform = async (effect, turn) => {
  if (effect.kind === 'check') return { kind: 'checked', operation: effect.operation, found: 'unreadable' };
  if (effect.kind === 'balance') return { kind: 'unavailable' };
  if (effect.kind !== 'redeem') throw new Error('unexpected effect');
  const { operation, gift, by } = effect;
  await turn.lock('customer:475', operation);
  const lookup: Lookup = {
    ...{ kind: 'redeem', by, code: gift, fromMs: Date.now() - 300_000, deadlineMs: Date.now() + 8000 },
    ...{ baseline: ['64db2c11cbad5f4fdd254567'], locks: ['customer:475'] },
  };
  await turn.intend(operation, { lookup });
  return { kind: 'unknown', operation, lookup };
};

/** A customer of the real conversation who confirmed a redemption of which nobody knows how it ended. */
async function withOpenOperation() {
  const world = createWorld();
  const engine = world.engine({
    conversation: { step, readState, newState, settings: { ...SETTINGS, identityProof: 'off' } },
    perform: unknown,
  });
  onTestFinished(() => engine.stop());
  const heard = (): string[] => world.sent.map(({ outgoing: { reply } }) => reply.key);
  const hear = async (key: string): Promise<void> => {
    while (!heard().includes(key)) await tick();
  };
  await engine.accept(incoming('redeem DAUMAY01 0867123456'));
  await hear('redeem.summary');
  const confirm = world.sent
    .flatMap(({ outgoing: { reply } }) => reply.choices ?? [])
    .find(({ id }) => id.startsWith('confirm:'));
  const message: Message = { kind: 'choice', choice: confirm?.id ?? '' };
  await engine.accept(incoming('', { message }));
  await hear('operation.checking');
  const operators = operatorsOf(world);
  const [operation] = await operators.operations();
  return { world, operators, hear, heard, reference: operation?.reference ?? '', stop: engine.stop };
}

test.for([
  ['done', 'operation.resolved.done'],
  ['not-applied', 'operation.resolved.notApplied'],
] as const)(
  'settled as %s, the customer is told unasked, once, and the lock is given back',
  async ([result, key]) => {
    const { world, operators, hear, heard, reference } = await withOpenOperation();
    expect(await operators.settle(reference, result)).toBe('filed');
    const contrary = result === 'done' ? 'not-applied' : 'done';
    expect(['decided', 'unknown']).toContain(await operators.settle(reference, contrary));
    // Whether or not a bot has taken it up by now.
    expect(['decided', 'unknown']).toContain(await operators.settle(reference, result));
    await hear(key);
    await world.quiet();
    expect(heard().filter((one) => one === key)).toHaveLength(1);
    expect(await operators.operations()).toEqual([]);
    expect(await operators.settle(reference, result)).toBe('unknown');
    expect(await world.lock('customer:475', 'next')).toMatchObject({
      locked: true,
    });
  },
);

test('an intent sealed with a lost key is listed and not settled', async () => {
  const { world, reference } = await withOpenOperation();
  const operators = operatorsOf({ store: world.store, encryption: someEncryption() });
  expect(await operators.operations()).toMatchObject([{ reference, intent: null }]);
  expect(await operators.settle(reference, 'done')).toBe('unreadable');
});

/** A world whose `throw` was answered with an apology and left a dead letter. */
async function withDeadLetter() {
  const world = createWorld();
  const engine = world.engine();
  await engine.accept(incoming('throw'));
  await world.quiet();
  await engine.stop();
  const operators = operatorsOf(world);
  const [letter] = await operators.letters();
  return { world, operators, id: letter?.id ?? '' };
}

test('a replayed message is answered, though the conversation remembers its id, and its letter is gone', async () => {
  const { world, operators, id } = await withDeadLetter();
  expect(await operators.replay(id)).toBe('filed');
  expect(await operators.letters()).toEqual([]);
  expect(await operators.replay(id)).toBe('unknown');
  const mended = world.engine({
    conversation: { ...echo, step: (state) => ({ state, replies: [{ key: 'mended' }] }) },
  });
  await world.quiet();
  await mended.stop();
  expect(world.heard()).toEqual(['turn.failed', 'mended']);
});

test('a letter whose conversation has no room stays, and can be replayed later', async () => {
  const { world, operators, id } = await withDeadLetter();
  for (let n = 0; n < MAX_INBOX; n++) await world.file({ of: 'nobody' }, `full ${n}`);
  expect(await operators.replay(id)).toBe('full');
  expect(await operators.letters()).toMatchObject([{ id }]);
  await world.rewrite((record) => ({ ...record, inbox: [] }));
  expect(await operators.replay(id)).toBe('filed');
});
