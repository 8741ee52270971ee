import { expect, test, vi } from 'vitest';
import type { Lookup, Perform } from '../../src/conversation/effect.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createWorld, incoming, type World } from './bot.ts';

const conversation = { step, readState, newState, settings: SETTINGS };
const CODES = ['TIVI000000301', 'TIVI000000302', 'TIVI000000303'];
const LOOKUP: Lookup = {
  kind: 'accumulate',
  by: { kind: 'phone', value: '+84912345678' },
  code: CODES[1] ?? '',
  fromMs: 0,
  // No check falls due here.
  deadlineMs: Number.MAX_SAFE_INTEGER / 2,
  baseline: [],
  locks: [],
};

/** AntCRM takes every code; the process has a fault at the second one, before its intent is written or after. */
const faultAt = (world: World, when: 'before' | 'after'): Perform =>
  async function perform(effect, turn) {
    if (effect.kind !== 'accumulate') throw new Error('unexpected effect');
    const { operation, code } = effect;
    const isFaulty = code === CODES[1];
    if (isFaulty && when === 'before') throw new Error('a fault of ours');
    const known = turn.findCall(operation);
    if (known !== null && !isFaulty) return known;
    if (known === null) {
      await turn.intend(operation, { lookup: { ...LOOKUP, code } });
      world.calls.push(code);
    }
    if (isFaulty) throw new Error('a fault of ours');
    return { kind: 'applied', operation };
  };

/** Confirms three codes, and waits until the last of these was said. */
async function confirm(when: 'before' | 'after', expected: readonly string[]): Promise<World> {
  const world = createWorld();
  const engine = world.engine({ conversation, perform: faultAt(world, when) });
  await engine.accept(incoming(`tích điểm ${CODES.join(' ')} 0912345678 minh@example.vn`));
  await expect.poll(() => world.heard()).toEqual(['accumulate.summary']);
  const choice = world.sent[0]?.outgoing.reply.choices?.[0]?.id ?? '';
  await engine.accept(incoming('', { message: { kind: 'choice', choice } }));
  await vi.waitFor(
    () => {
      // Each lease that ends with a fault has to expire.
      if (world.heard().length === 1) world.advance(LIMITS.leaseMs / 2);
      expect(world.heard().slice(1)).toEqual(expected);
    },
    { timeout: 20_000, interval: 10 },
  );
  return world;
}

/** What is said of each code. */
const told = (world: World): unknown[] =>
  world.sent.flatMap(({ outgoing: { reply } }) =>
    (reply.lines ?? []).flatMap(({ key, context }) => (key === 'receipt.code' ? [context] : [])),
  );

test('a code that was called when the process failed is being checked', async () => {
  const world = await confirm('after', [
    'accumulate.partly',
    'operation.checking',
    'turn.failed',
    'accumulate.summary',
  ]);
  expect(told(world)).toEqual(['done', 'checking', 'untried']);
  expect(world.calls).toEqual([CODES[0], CODES[1]]);
  expect(world.alarms).toEqual([{ name: 'dead_letter', reason: 'threw' }]);
  // Its intent waits for the checks.
  expect(await world.listed('intents')).toHaveLength(1);
});
