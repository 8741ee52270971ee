import { expect, test } from 'vitest';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Platform } from '../../src/engine/messages.ts';
import { createWorld, incoming } from './bot.ts';

/** When all of it was sent: after every process began. */
const NOW = Number.MAX_SAFE_INTEGER;

test('a text of a conversation that a process knows is answered with one swap before its 2xx; its lease may end', async () => {
  const world = createWorld();
  const engine = world.engine();
  for (const text of ['a', 'b']) {
    expect(await engine.accept(incoming(text), NOW)).toBe('accepted');
    await world.quiet();
  }
  expect(world.changes).toEqual(['accept', 'commit', 'release', 'fused', 'release']);
  // Before its reply can leave, which another lease sends.
  await engine.accept(incoming('c'), NOW);
  world.advance(LIMITS.leaseMs);
  await world.quiet();
  expect(world.heard()).toEqual(['a', 'a b', 'a b c']);
  expect(world.turns).toEqual(['done', 'done', 'done']);
});

test('it is only filed where it was sent before its process began, or more than five seconds ago', async () => {
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

test('it is only filed where the channel has to ask who writes, which it remembers', async () => {
  const world = createWorld();
  let isKnown = false;
  const platform: Platform = {
    ...world.platform,
    recallSender: ({ sender }) => (isKnown ? sender : undefined),
    identify: async ({ sender }) => sender,
  };
  const engine = world.engine({ platform: () => platform });
  for (const text of ['a', 'b', 'c']) {
    isKnown = text === 'c';
    await engine.accept(incoming(text), NOW);
    await world.quiet();
    expect(world.changes.includes('fused')).toBe(isKnown);
  }
});
