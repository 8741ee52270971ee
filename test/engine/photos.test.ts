import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { PhotoReader } from '../../src/conversation/message.ts';
import type { FetchedPhoto, Platform } from '../../src/engine/messages.ts';
import { createWorld } from './bot.ts';
import { photoOf, READER } from './kit.ts';

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
  await world.engine({ platform, photoReader: READER }).accept(photoOf('one', 'two'));
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
  await world.engine({ platform, photoReader: READER }).accept(photoOf('file'));
  await expect.poll(() => world.heard()).toEqual([told]);
  expect(fetches).toHaveLength(count);
});

test('pictures of one message that take too long together are left', async () => {
  const world = createWorld();
  const { platform, fetches } = scripted(world);
  const slow: PhotoReader = {
    ...READER,
    async read(bytes) {
      world.advance(20_000);
      return READER.read(bytes);
    },
  };
  await world.engine({ platform, photoReader: slow }, { leaseMs: 60_000 }).accept(photoOf('one', 'two'));
  await expect.poll(() => world.heard()).toEqual(['one unavailable']);
  expect(fetches).toHaveLength(1);
});

test('senders of many pictures hold up another’s picture once each', async () => {
  const world = createWorld();
  const opened = Promise.withResolvers<void>();
  const read: string[] = [];
  let reading: Promise<unknown> = opened.promise;
  /** One at a time. */
  const photoReader: PhotoReader = {
    ...READER,
    read(bytes) {
      reading = reading.then(() => delay(1)).then(() => read.push(Buffer.from(bytes).toString()));
      return reading.then(() => READER.read(bytes));
    },
  };
  const engine = world.engine({ platform: scripted(world).platform, photoReader });
  const senders = Array.from({ length: 9 }, (_, n) => `sender ${n}`);
  for (const file of ['first', 'second', 'third'])
    for (const conversation of senders) await engine.accept({ ...photoOf(file), conversation });
  await engine.accept({ ...photoOf('honest'), conversation: 'another' });
  opened.resolve();
  await expect.poll(() => read).toContain('honest');
  expect(read.slice(0, read.indexOf('honest')).every((file) => file === 'first')).toBe(true);
});
