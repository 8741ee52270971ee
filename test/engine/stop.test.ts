import { describe, expect, test } from 'vitest';
import { createWorld, gate, incoming, LOOKUP } from './bot.ts';

describe('stopping', () => {
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
});
