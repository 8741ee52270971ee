import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Platform } from '../../src/engine/messages.ts';
import { createWorld, incoming } from './bot.ts';

/** When all of it was sent: after every process began. */
const NOW = Number.MAX_SAFE_INTEGER;

describe('A text of a conversation that a process knows', () => {
  it('is answered with one swap before the platform has its answer, and one after the delivery', async () => {
    const world = createWorld();
    const engine = world.engine();
    for (const text of ['a', 'b', 'c']) {
      expect(await engine.accept(incoming(text), NOW)).toBe('accepted');
      await world.quiet();
    }
    const first = ['accept', 'commit', 'release'];
    expect(world.changes).toEqual([...first, 'fused', 'release', 'fused', 'release']);
    expect(world.heard()).toEqual(['a', 'a b', 'a b c']);
    expect(world.turns).toEqual(['done', 'done', 'done']);
  });

  it('is only filed where it was sent before its process began, or more than five seconds ago', async () => {
    const world = createWorld();
    const engine = world.engine();
    const startedMs = world.outside.nowMs();
    world.advance(10_000);
    for (const sentMs of [undefined, startedMs - 60_000, startedMs + 4000]) {
      for (const text of ['a', 'b']) {
        await engine.accept(incoming(text), sentMs);
        await world.quiet();
      }
    }
    expect(world.changes).not.toContain('fused');
  });

  it('is only filed where the channel has to ask who writes, which it remembers', async () => {
    const world = createWorld();
    const known = new Set<string>();
    const platform: Platform = {
      ...world.platform,
      recallSender: ({ conversation: id, sender }) => (known.has(id) ? sender : undefined),
      identify: async ({ sender }) => sender,
    };
    const engine = world.engine({ platform: () => platform });
    for (const text of ['a', 'b', 'c']) {
      await engine.accept(incoming(text), NOW);
      await world.quiet();
      expect(world.changes.includes('fused')).toBe(text === 'c');
      if (text === 'b') known.add(incoming('c').conversation);
    }
  });

  it('is counted where its lease ends before its reply can leave, which another lease sends', async () => {
    const world = createWorld();
    const engine = world.engine();
    await engine.accept(incoming('a'), NOW);
    await world.quiet();
    await engine.accept(incoming('b'), NOW);
    world.advance(LIMITS.leaseMs);
    await world.quiet();
    expect(world.changes).toContain('fused');
    expect(world.heard()).toEqual(['a', 'a b']);
    expect(world.turns).toEqual(['done', 'done']);
  });
});
