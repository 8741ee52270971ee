import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MAX_PHOTO_BYTES } from '../../src/conversation/message.ts';
import {
  createPhotoReader,
  type Look,
  type PhotoReaderOptions,
  startThread,
  type Thread,
} from '../../src/photos/reader.ts';
import { asJpeg, asPng, drawCode, paint, pngOf } from '../support/pictures.ts';

const PATIENCE_MS = 60_000;
const reader = createPhotoReader({ decodeMs: PATIENCE_MS });
afterAll(() => reader.close());

const UNREADABLE = { kind: 'unreadable' };
const CODE = await drawCode('TIVI000000017');
const JPEG = asJpeg(CODE, 80);
const PNG = asPng(CODE);

/** A reader whose threads answer by rote; `begun` counts them. */
function scripted(looks: (Look | Promise<Look>)[], options: PhotoReaderOptions = {}) {
  const counts = { begun: 0, ended: 0 };
  const start = (): Thread => {
    counts.begun += 1;
    return {
      decode: async () => (await looks.shift()) ?? { kind: 'texts', texts: [] },
      async end() {
        counts.ended += 1;
      },
    };
  };
  const made = createPhotoReader({ start, ...options });
  onTestFinished(() => made.close());
  return { reader: made, counts };
}

describe('no thread ever sees', () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>';
  const large = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(MAX_PHOTO_BYTES + 1 - bytes.length)]);
  /** The frame of a JPEG, its height and width put up. */
  const jpegOf = (height: number, width: number) => {
    const bytes = Buffer.from(JPEG);
    const frame = bytes.indexOf(Buffer.of(0xff, 0xc0));
    bytes.writeUInt16BE(height, frame + 5);
    bytes.writeUInt16BE(width, frame + 7);
    return bytes;
  };

  it.each<[string, Uint8Array]>([
    ['a text', Buffer.from('TIVI000000017')],
    ['SVG', Buffer.from(svg)],
    ['the beginning of a JPEG', JPEG.subarray(0, 20)],
    ['the beginning of a PNG', PNG.subarray(0, 20)],
    [
      'a JPEG of segments without a frame',
      Buffer.concat([Buffer.of(0xff, 0xd8), Buffer.alloc(5_000_000, 0xff)]),
    ],
    ['a picture of 10 MB and a byte', large(PNG)],
    ['a PNG that says it has more than 40 megapixels', pngOf(6400, 6251, deflateSync(Buffer.alloc(9)))],
    ['a PNG that says it has as many as it can', pngOf(0xffffffff, 0xffffffff, Buffer.alloc(0))],
    ['a JPEG that says it has 65,535 by 65,535', jpegOf(65_535, 65_535)],
  ])('%s', async (_what, bytes) => {
    const { reader: watched, counts } = scripted([]);
    expect(await watched.read(bytes)).toEqual(UNREADABLE);
    expect(counts.begun).toBe(0);
  });
});

describe('is unreadable', { timeout: 2 * PATIENCE_MS }, () => {
  it.each<[string, Uint8Array]>([
    ['a PNG whose pixels are missing', pngOf(300, 300, Buffer.alloc(0))],
    ['a PNG that has fewer pixels than it says', pngOf(6000, 6000, deflateSync(Buffer.alloc(100)))],
  ])('%s', async (_what, bytes) => {
    expect(await reader.read(bytes)).toEqual(UNREADABLE);
  });

  it('a small PNG that unpacks to gigabytes, and memory stays within bounds', async () => {
    const part = deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { finishFlush: constants.Z_SYNC_FLUSH });
    const packed = Buffer.concat([Buffer.of(0x78, 0x9c), ...Array.from({ length: 100 }, () => part)]);
    const bomb = pngOf(1000, 1000, packed);
    expect(bomb.length).toBeLessThan(MAX_PHOTO_BYTES);
    const before = process.resourceUsage().maxRSS;
    expect(await reader.read(bomb)).toEqual(UNREADABLE);
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(600);
  });
});

it('a picture of 40 megapixels is read', { timeout: 2 * PATIENCE_MS }, async () => {
  const large = paint(6400, 6250, (x, y) =>
    x < CODE.width && y < CODE.height ? (CODE.data[y * CODE.width + x] ?? 0) : 255,
  );
  expect(await reader.read(asPng(large))).toEqual({ kind: 'read', texts: ['TIVI000000017'] });
});

describe('a thread', () => {
  it('has no variable of the environment: no secret is within reach of what decodes', async () => {
    const started = vi.spyOn(threads, 'Worker');
    syncBuiltinESMExports();
    await startThread().end();
    expect(started).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ env: {} }));
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  it('that takes too long is ended; that picture is not tried again, the next gets a thread of its own', async () => {
    const { reader: slow, counts } = scripted([{ kind: 'slow' }]);
    expect(await slow.read(PNG)).toEqual(UNREADABLE);
    expect(counts).toEqual({ begun: 1, ended: 1 });
    expect(await slow.read(PNG)).toEqual({ kind: 'noCode' });
    expect(counts.begun).toBe(2);
  });

  it('is really ended where it takes too long', async () => {
    const impatient = createPhotoReader({ decodeMs: 0 });
    onTestFinished(() => impatient.close());
    expect(await impatient.read(PNG)).toEqual(UNREADABLE);
  });

  it('that is lost is replaced once', async () => {
    const { reader: once, counts } = scripted([{ kind: 'lost' }, { kind: 'texts', texts: ['A1B2'] }]);
    expect(await once.read(PNG)).toEqual({ kind: 'read', texts: ['A1B2'] });
    expect(counts).toEqual({ begun: 2, ended: 1 });
    const { reader: twice } = scripted([{ kind: 'lost' }, { kind: 'lost' }]);
    expect(await twice.read(PNG)).toEqual({ kind: 'unavailable' });
  });

  it('decodes one picture after the other, and too many at once are turned away', async () => {
    const { promise: held, resolve: let1 } = Promise.withResolvers<Look>();
    const { reader: busy, counts } = scripted([held]);
    const readings = Array.from({ length: 33 }, () => busy.read(PNG));
    expect(await readings[32]).toEqual({ kind: 'unavailable' });
    let1({ kind: 'unreadable' });
    expect((await Promise.all(readings)).map(({ kind }) => kind)).toEqual([
      'unreadable',
      ...Array.from({ length: 31 }, () => 'noCode'),
      'unavailable',
    ]);
    expect(counts.begun).toBe(1);
  });

  it('is ended where no picture comes, and when the reader is closed', async () => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const thread: Thread = { decode: async () => ({ kind: 'texts', texts: [] }), end: async () => resolve() };
    const idle = createPhotoReader({ start: () => thread, idleMs: 1 });
    await idle.read(PNG);
    await ended;
    const { reader: closing, counts } = scripted([]);
    await closing.read(PNG);
    await closing.close();
    await closing.close();
    expect(counts).toEqual({ begun: 1, ended: 1 });
    expect(await closing.read(PNG)).toEqual({ kind: 'unavailable' });
    expect(counts.begun).toBe(1);
  });
});
