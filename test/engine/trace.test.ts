import { expect, test } from 'vitest';
import type { Effect } from '../../src/conversation/effect.ts';
import { Traces } from '../../src/engine/trace.ts';
import { createWorld, incoming } from './bot.ts';

const CALL = { method: 'POST', path: '/redeem', status: 200, outcome: 'applied', ms: 3 } as const;

test.each([
  ['the calls of two conversations at once are kept apart in their traces', 'test', [[CALL], [CALL]]],
  ['a channel that is not traced gets none', 'staff', []],
])('%s', async (_, traced, calls) => {
  const world = createWorld();
  const traces = new Traces([traced], () => ({}));
  const perform = async (effect: Effect, turn: Parameters<typeof world.perform>[1]) => {
    const outcome = await world.perform(effect, turn);
    traces.calls.getStore()?.push(CALL);
    return outcome;
  };
  const engine = world.engine({ traces, perform });
  const names = ['a', 'b'];
  await Promise.all(names.map((conversation) => engine.accept(incoming('redeem:op', { conversation }))));
  await world.quiet();
  const seen = world.sent.flatMap(({ outgoing: { trace } }) => (trace ? [trace.calls] : []));
  expect(seen).toEqual(calls);
});
