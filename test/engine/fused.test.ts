import { describe, expect, it } from 'vitest';
import type { Outlet } from '../../src/engine/outlet.ts';
import { conversation, createWorld, incoming } from './bot.ts';

/** Every process trusts a text from its beginning. */
const TRUSTING = { cautiousMs: 0 };

describe('A text of a conversation that a process knows', () => {
  it('is answered with one swap before the platform has its answer, and one after the delivery', async () => {
    const world = createWorld();
    const engine = world.engine({}, TRUSTING);
    for (const text of ['a', 'b', 'c']) {
      expect(await engine.accept(incoming(text))).toBe('accepted');
      await world.quiet();
    }
    const first = ['accept', 'commit', 'release'];
    expect(world.changes).toEqual([...first, 'fused', 'release', 'fused', 'release']);
    expect(world.heard()).toEqual(['a', 'a b', 'a b c']);
    expect(world.turns).toEqual(['done', 'done', 'done']);
  });

  it('is only filed where it kills or throws, asks for an effect, or is none that was written before', async () => {
    for (const text of ['throw', 'redeem:op1']) {
      const world = createWorld();
      const engine = world.engine({}, TRUSTING);
      await engine.accept(incoming('a'));
      await world.quiet();
      await engine.accept(incoming(text));
      await world.quiet();
      expect(world.changes.slice(3, 4)).toEqual(['accept']);
    }
  });

  it('is only filed in the first minute of a process, and where the channel has to ask who writes', async () => {
    const world = createWorld();
    const outlet: Outlet = { ...world.outlet, identify: async ({ sender }) => sender };
    const cautious = [world.engine(), world.engine({ outlet: () => outlet }, TRUSTING)];
    for (const engine of cautious) {
      for (const text of ['a', 'b']) {
        await engine.accept(incoming(text));
        await world.quiet(0);
      }
    }
    expect(world.changes).not.toContain('fused');
  });

  it('is answered after what others wrote meanwhile, and never twice', async () => {
    const world = createWorld();
    const [one, other] = [world.engine({}, TRUSTING), world.engine({}, TRUSTING)];
    for (const [at, text] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
      await (at % 2 === 0 ? one : other).accept(incoming(text));
      await world.quiet(0);
    }
    await Promise.all(['g', 'h', 'i'].map((text) => one.accept(incoming(text))));
    await world.quiet();
    expect(world.heard().at(-1)).toBe('a b c d e f g h i');
    expect(world.sent).toHaveLength(9);
  });

  it('keeps its reply where the process dies before it is sent', async () => {
    const world = createWorld();
    let isDead = false;
    const dying = world.engine(
      {
        outlet: () => ({
          deliver: (outgoing, seq) =>
            isDead ? new Promise<never>(() => {}) : world.outlet.deliver(outgoing, seq),
        }),
        conversation: { ...conversation },
      },
      { ...TRUSTING, sweepMs: 3_600_000, renewMs: 3_600_000 },
    );
    await dying.accept(incoming('a'));
    await world.quiet(0);
    isDead = true;
    await dying.accept(incoming('b'));
    expect(world.changes.at(-1)).toBe('fused');
    world.engine();
    await world.quiet();
    expect(world.heard()).toEqual(['a', 'a b']);
  });
});
