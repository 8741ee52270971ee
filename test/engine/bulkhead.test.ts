import { expect, test } from 'vitest';
import type { Platform } from '../../src/engine/messages.ts';
import { createWorld, gate, incoming, photoOf, READER } from './bot.ts';

test.each(['identify', 'deliver', 'fetchPhoto'] as const)(
  'a platform that hangs in `%s` holds up its own conversations alone, and none of them is the worse for it',
  async (call) => {
    const world = createWorld();
    const hanging = gate();
    let atOnce = 0;
    const slow = async (hangs: boolean) => {
      if (!hangs) return;
      atOnce += 1;
      expect(atOnce).toBeLessThanOrEqual(2);
      await hanging.opened;
      atOnce -= 1;
    };
    const slowPlatform: Platform = {
      async identify({ sender }) {
        await slow(call === 'identify');
        return sender;
      },
      async deliver(outgoing, seq) {
        await slow(call === 'deliver');
        return world.platform.deliver(outgoing, seq);
      },
      async fetchPhoto(_place, at) {
        await slow(true);
        return { kind: 'fetched', bytes: Buffer.from(String(at)) };
      },
    };
    const platform = (name: string) => (name === 'slow' ? slowPlatform : world.platform);
    const limits = { concurrency: 8, perChannel: 2, photosPerChannel: 2, placeMs: 5 };
    const engine = world.engine({ platform, photoReader: READER }, limits);
    const customers = Array.from({ length: 30 }, (_, n) => `slow ${n}`);
    for (const conversation of customers) {
      const sent = call === 'fetchPhoto' ? photoOf(conversation) : incoming(conversation);
      await engine.accept({ ...sent, channel: 'slow', conversation });
    }
    for (let n = 0; n < 3; n++) {
      // Less than a lease, all together: those that hang keep theirs.
      world.advance(3000);
      // Photos that hang hold up no text of their own channel either.
      const channel = call === 'fetchPhoto' ? 'slow' : 'test';
      await engine.accept(incoming(`quick ${n}`, { channel, conversation: `quick ${n}` }));
      await expect.poll(() => world.heard()).toContain(`quick ${n}`);
    }
    expect(world.heard()).toHaveLength(3);
    expect((await world.record(customers[0], 'slow'))?.retry?.tries ?? 0).toBe(0);
    hanging.open();
    await world.quiet();
    expect(world.heard().slice(3).toSorted()).toEqual(customers.toSorted());
    expect(world.alarms).toEqual([]);
    expect(new Set(world.turns)).toEqual(new Set(['done']));
  },
);
