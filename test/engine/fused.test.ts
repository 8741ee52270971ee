import { expect, test } from 'vitest';
import type { Platform } from '../../src/engine/messages.ts';
import { createWorld, incoming } from './bot.ts';

/* That texts are decided while they are filed, and their leases may end then: the simulator. */

test('a text is only filed where it was sent before its process began, or more than five seconds ago', async () => {
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

test('a text is only filed where the channel has to ask who writes, which it remembers', async () => {
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
    await engine.accept(incoming(text), Number.MAX_SAFE_INTEGER);
    await world.quiet();
    expect(world.changes.includes('fused')).toBe(isKnown);
  }
});
