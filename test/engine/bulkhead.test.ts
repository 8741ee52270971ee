import { expect, test } from 'vitest';
import type { Platform } from '../../src/engine/messages.ts';
import { Bulkhead, NO_ROOM } from '../../src/resilience/bulkhead.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { createWorld, gate, incoming } from './bot.ts';
import { photoOf, READER } from './kit.ts';

test('a caller behind calls that hang is turned away, and from then on at once, until one of them ends', async () => {
  const bulkhead = new Bulkhead({ places: 1, patienceMs: 20 }, systemRuntime);
  const hanging = gate();
  const first = bulkhead.run(() => hanging.opened);
  const waiting = [bulkhead.run(async () => 1), bulkhead.run(async () => 2)];
  expect(await Promise.all(waiting)).toEqual([NO_ROOM, NO_ROOM]);
  let turnedAway: unknown;
  void bulkhead
    .run(async () => 3)
    .then((result) => {
      turnedAway = result;
    });
  await new Promise(setImmediate);
  expect(turnedAway).toBe(NO_ROOM);
  hanging.open();
  await first;
  expect(await bulkhead.run(async () => 4)).toBe(4);
});

test.each(['identify', 'deliver', 'fetchPhoto'] as const)(
  'a platform that hangs in `%s` holds up its own conversations alone, and none of them is the worse for it',
  async (call) => {
    const world = createWorld();
    const hanging = gate();
    let atOnce = 0;
    const slow = async () => {
      atOnce += 1;
      expect(atOnce).toBeLessThanOrEqual(2);
      await hanging.opened;
      atOnce -= 1;
    };
    const slowPlatform: Platform = {
      async identify({ sender }) {
        if (call === 'identify') await slow();
        return sender;
      },
      async deliver(outgoing, seq) {
        if (call === 'deliver') await slow();
        return world.platform.deliver(outgoing, seq);
      },
      async fetchPhoto(_place, at) {
        await slow();
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
    const [first] = customers;
    expect((await world.record(first, 'slow'))?.retry?.tries ?? 0).toBe(0);
    hanging.open();
    await world.quiet();
    expect(world.heard().slice(3).toSorted()).toEqual(customers.toSorted());
    expect(world.alarms).toEqual([]);
    expect(world.turns.every((result) => result === 'done')).toBe(true);
  },
);
