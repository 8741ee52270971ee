import { describe, expect, test } from 'vitest';
import { TurnInterrupted } from '../../src/conversation/effect.ts';
import type { Decision } from '../../src/conversation/reply.ts';
import type { State } from '../../src/conversation/state.ts';
import type { Input } from '../../src/conversation/step.ts';
import { conversation, createWorld, gate, incoming, LOOKUP } from './bot.ts';

describe('stopping', () => {
  test('how a call ended is kept with a turn that is given back before its next call', async () => {
    const world = createWorld();
    const step = (state: State, input: Input): Decision => ({
      ...{ state, replies: [] },
      effect: {
        ...{ kind: 'accumulate', code: 'TIVI000000301' },
        operation: input.kind === 'message' ? 'op1' : 'op2',
      },
    });
    const engine = world.engine({
      conversation: { ...conversation, step },
      async perform(effect, turn) {
        const operation = 'operation' in effect ? effect.operation : '';
        if (operation === 'op2') throw new TurnInterrupted();
        await turn.intend(operation, { lookup: LOOKUP });
        return { kind: 'applied', operation };
      },
    });
    await engine.accept(incoming('a'));
    await expect.poll(async () => (await world.record())?.retry?.reason).toBe('stopping');
    await engine.stop();
    expect((await world.record())?.journal.op1?.outcome).toEqual({ kind: 'applied', operation: 'op1' });
  });

  test('a turn past its intent is finished and delivered; what waits behind goes to others, unpunished', async () => {
    const world = createWorld();
    const [called, answered] = [gate(), gate()];
    const engine = world.engine({
      perform: async (effect, turn) => {
        if (effect.kind !== 'redeem') throw new Error('unexpected');
        await turn.intend(effect.operation, { lookup: LOOKUP });
        called.open();
        await answered.opened;
        return { kind: 'applied', operation: effect.operation };
      },
    });
    await engine.accept(incoming('redeem:op1'));
    await engine.accept(incoming('b'));
    await called.opened;
    const stopped = engine.stop();
    answered.open();
    await stopped;
    expect(world.heard()).toEqual(['redeem:op1', 'applied']);
    expect(await world.record()).toMatchObject({
      lease: null,
      attempts: 0,
      inbox: [{ id: expect.any(String) }],
    });
  });

  test('a turn that has called nothing is given back unprocessed, at once', async () => {
    const world = createWorld();
    const [reading, answered] = [gate(), gate()];
    const engine = world.engine({
      perform: async (effect, turn) => {
        if (effect.kind !== 'redeem') throw new Error('unexpected');
        reading.open();
        await answered.opened;
        const intended = await turn.intend(effect.operation, { lookup: LOOKUP });
        throw new Error(`may not call: ${intended}, stopping: ${turn.stopping()}`);
      },
    });
    await engine.accept(incoming('redeem:op1'));
    await reading.opened;
    const stopped = engine.stop();
    answered.open();
    await stopped;
    expect(world.sent).toEqual([]);
    expect(await world.listed('intents')).toEqual([]);
    world.engine();
    await expect.poll(() => world.heard()).toEqual(['redeem:op1', 'applied']);
    expect(world.calls).toEqual(['op1']);
    expect(world.alarms).toEqual([]);
  });
});
