import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { PhotoReader } from '../../src/conversation/message.ts';
import type { FetchedMedia, Platform } from '../../src/engine/messages.ts';
import { createWorld, photoOf, READER } from './bot.ts';

/**
 * A message with these pictures on a platform whose fetches end as scripted, then well; a file's content is
 * its name.
 */
async function send(files: string[], script: readonly FetchedMedia['kind'][] = [], readMs = 0) {
  const world = createWorld();
  const fetches: unknown[] = [];
  const left = [...script];
  const platform: Platform = {
    ...world.platform,
    async fetchMedia(place, at) {
      fetches.push([place.conversation, place.address, at]);
      const kind = left.shift() ?? 'fetched';
      return kind === 'fetched' ? { kind, content: Readable.from([Buffer.from(String(at))]) } : { kind };
    },
  };
  const photoReader: PhotoReader = {
    ...READER,
    async read(bytes, owner) {
      world.advance(readMs);
      return READER.read(bytes, owner);
    },
  };
  await world
    .engine({ platform: () => platform, photoReader }, { leaseMs: 60_000 })
    .accept(photoOf(...files));
  await expect.poll(() => world.answers()).toHaveLength(1);
  return { reply: world.answers()[0], photos: world.photos, fetches };
}

test('the pictures of a message are fetched and read within its turn, in their order', async () => {
  const { reply, photos, fetches } = await send(['one', 'two']);
  expect(reply).toBe('one two');
  expect(photos).toEqual(['read', 'read']);
  expect(fetches).toEqual(['one', 'two'].map((file) => ['c1', { chat: 1 }, file]));
});

test.each<[files: string[], script: FetchedMedia['kind'][], reply: string, count: number, readMs?: number]>([
  [['file'], ['unavailable'], 'file', 2],
  [['file'], ['unavailable', 'unavailable'], 'unavailable', 2],
  [['file'], ['gone'], 'unavailable', 1],
  [['file'], ['large'], 'unreadable', 1],
  [['one', 'two'], [], 'one unavailable', 1, 20_000],
])(
  'fetches of %j that end with %j, or take too long together, give %s, after %i fetches',
  async (files, script, expected, count, readMs) => {
    const { reply, fetches } = await send(files, script, readMs);
    expect(reply).toBe(expected);
    expect(fetches).toHaveLength(count);
  },
);

test('a picture that ends early is fetched once more', async () => {
  const world = createWorld();
  const parts = [['a broken', null], ['a whole one']];
  const platform: Platform = {
    ...world.platform,
    async fetchMedia() {
      const content = Readable.from(
        (function* () {
          for (const part of parts.shift() ?? []) {
            if (part === null) throw new Error('cut');
            yield Buffer.from(part);
          }
        })(),
      );
      return { kind: 'fetched', content };
    },
  };
  await world.engine({ platform: () => platform, photoReader: READER }).accept(photoOf('file'));
  await expect.poll(() => world.answers()).toEqual(['a whole one']);
});
