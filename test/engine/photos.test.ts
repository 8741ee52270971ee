import { expect, test } from 'vitest';
import type { PhotoReader } from '../../src/conversation/message.ts';
import type { FetchedPhoto, Platform } from '../../src/engine/messages.ts';
import { createWorld, gate, incoming } from './bot.ts';

/** Takes the bytes for what a code says. */
const photoReader: PhotoReader = {
  read: async (bytes) => ({ kind: 'read', texts: [Buffer.from(bytes).toString()] }),
  close: async () => {},
};

const photoOf = (...files: string[]) =>
  incoming('', {
    message: { kind: 'photo', pictures: files.map((at) => ({ kind: 'remote', at })) },
  });

/** A platform whose fetches end as scripted, then well; a file's content is its name. */
function scripted(world: ReturnType<typeof createWorld>, ...script: FetchedPhoto['kind'][]) {
  const fetches: unknown[] = [];
  const platform: Platform = {
    ...world.platform,
    async fetchPhoto(place, at) {
      fetches.push([place.conversation, place.address, at]);
      const kind = script.shift() ?? 'fetched';
      return kind === 'fetched' ? { kind, bytes: Buffer.from(String(at)) } : { kind };
    },
  };
  return { platform: () => platform, fetches };
}

test('the pictures of a message are fetched and read within its turn, in their order', async () => {
  const world = createWorld();
  const { platform, fetches } = scripted(world);
  await world.engine({ platform, photoReader }).accept(photoOf('one', 'two'));
  await expect.poll(() => world.heard()).toEqual(['one two']);
  expect(fetches).toEqual([
    ['c1', { chat: 1 }, 'one'],
    ['c1', { chat: 1 }, 'two'],
  ]);
  expect(world.photos).toEqual(['read', 'read']);
});

test.each([
  [['unavailable'], 'file', 2],
  [['unavailable', 'unavailable'], 'unavailable', 2],
  [['refused'], 'unavailable', 1],
  [['large'], 'unreadable', 1],
] as const)('fetches that end with %j come to %s, by %i of them', async (script, told, count) => {
  const world = createWorld();
  const { platform, fetches } = scripted(world, ...script);
  await world.engine({ platform, photoReader }).accept(photoOf('file'));
  await expect.poll(() => world.heard()).toEqual([told]);
  expect(fetches).toHaveLength(count);
});

test('a platform that hangs holds up photos of its own channel alone, and no reply', async () => {
  const world = createWorld();
  const hanging = gate();
  let atOnce = 0;
  const slow: Platform = {
    ...world.platform,
    async fetchPhoto() {
      atOnce += 1;
      expect(atOnce).toBeLessThanOrEqual(2);
      await hanging.opened;
      atOnce -= 1;
      return { kind: 'fetched', bytes: Buffer.from('late') };
    },
  };
  const quick = scripted(world);
  const platform = (name: string) => (name === 'slow' ? slow : quick.platform());
  const engine = world.engine({ platform, photoReader }, { concurrency: 8, photosPerChannel: 2, stuckMs: 5 });
  const customers = Array.from({ length: 30 }, (_, n) => `slow ${n}`);
  for (const conversation of customers) {
    await engine.accept({ ...photoOf('file'), channel: 'slow', conversation });
  }
  for (let n = 0; n < 3; n++) {
    world.advance(3000);
    // A text of the channel that hangs, and a photo of another one.
    await engine.accept(incoming(`text ${n}`, { channel: 'slow', conversation: `text ${n}` }));
    await engine.accept({ ...photoOf(`photo ${n}`), conversation: `photo ${n}` });
    await expect.poll(() => world.heard()).toEqual(expect.arrayContaining([`text ${n}`, `photo ${n}`]));
  }
  expect(world.heard()).toHaveLength(6);
  hanging.open();
  await world.quiet();
  expect(world.heard().slice(6)).toEqual(customers.map(() => 'late'));
  expect(world.alarms).toEqual([]);
  expect(world.turns.every((result) => result === 'done')).toBe(true);
});

test('pictures of one message that take too long together are left', async () => {
  const world = createWorld();
  const { platform, fetches } = scripted(world);
  const slow: PhotoReader = {
    ...photoReader,
    async read(bytes) {
      world.advance(20_000);
      return photoReader.read(bytes);
    },
  };
  await world.engine({ platform, photoReader: slow }, { leaseMs: 60_000 }).accept(photoOf('one', 'two'));
  await expect.poll(() => world.heard()).toEqual(['one unavailable']);
  expect(fetches).toHaveLength(1);
});
