import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import { expect, it, vi } from 'vitest';
import { MAX_PHOTO_BYTES, type PhotoReading } from '../../src/conversation/message.ts';
import { createPhotoReader } from '../../src/photos/reader.ts';
import { asJpeg, asPng, drawCode, pngOf, sheet } from '../support/pictures.ts';

const PATIENCE_MS = 60_000;
const reader = createPhotoReader({ decodeMs: PATIENCE_MS });

const UNREADABLE = { kind: 'unreadable' };
const NO_CODE = { kind: 'noCode' } as const;
const CODE = await drawCode('TIVI000000017');
const PNG = asPng(CODE);
const PART = deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { finishFlush: constants.Z_SYNC_FLUSH });
const BOMB = pngOf(1000, 1000, Buffer.concat([Buffer.of(0x78, 0x9c), ...Array<Buffer>(100).fill(PART)]));

/** With a second frame header, of 65,000 × 65,000 pixels, before its end. */
function twice(jpeg: Buffer): Buffer {
  const frame = Buffer.from([0xff, 0xc2, 0, 11, 8, 0xfd, 0xe8, 0xfd, 0xe8, 1, 1, 0x11, 0]);
  return Buffer.concat([jpeg.subarray(0, -2), frame, jpeg.subarray(-2)]);
}
function rescanned(jpeg: Buffer): Buffer {
  const scan = Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
  return Buffer.concat([jpeg.subarray(0, -2), ...Array<Buffer>(1000).fill(scan), jpeg.subarray(-2)]);
}

it.each<[string, Uint8Array]>([
  ['a text', Buffer.from('TIVI000000017')],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')],
  ['more than 25 megapixels', pngOf(5000, 5001, deflateSync(Buffer.alloc(100)))],
  ['a size of nothing', pngOf(0, 5001, deflateSync(Buffer.alloc(100)))],
  ['a JPEG of two frames that are too large together', twice(asJpeg(CODE, 80))],
  ['a JPEG that is passed over a thousand times', rescanned(asJpeg(CODE, 80))],
  ['a JPEG whose header ends early', asJpeg(CODE, 80).subarray(0, 20)],
  ['a picture of 10 MB and a byte', Buffer.concat([PNG, Buffer.alloc(MAX_PHOTO_BYTES + 1 - PNG.length)])],
])('no thread ever sees %s', async (_what, bytes) => {
  const decode = vi.fn(async () => NO_CODE);
  expect(await createPhotoReader({ decode }).read(Uint8Array.from(bytes), 'me')).toEqual(UNREADABLE);
  expect(decode).not.toHaveBeenCalled();
});

it.each<[string, Uint8Array]>([
  ['a PNG that has fewer pixels than it says', pngOf(5000, 5000, deflateSync(Buffer.alloc(100)))],
  ['a PNG that says it has as many as it can', pngOf(0xffffffff, 0xffffffff, Buffer.alloc(0))],
  ['a small PNG that unpacks to more than a gigabyte', BOMB],
])('%s is unreadable, and memory stays within bounds', { timeout: 2 * PATIENCE_MS }, async (_what, bytes) => {
  const before = process.resourceUsage().maxRSS;
  expect(await reader.read(Uint8Array.from(bytes), 'me')).toEqual(UNREADABLE);
  expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(600);
});

it('a thread has no variable of the environment, and is ended if it takes too long', async () => {
  const started = vi.spyOn(threads, 'Worker');
  const { terminate } = threads.Worker.prototype;
  vi.spyOn(threads.Worker.prototype, 'terminate').mockImplementation(function (this: threads.Worker) {
    this.emit('error', new Error('out of memory, after the time'));
    return terminate.call(this);
  });
  syncBuiltinESMExports();
  expect(await createPhotoReader({ decodeMs: 0 }).read(Uint8Array.from(PNG), 'me')).toEqual(UNREADABLE);
  expect(started).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ env: {} }));
  expect(started.mock.results[0]?.value).toMatchObject({ threadId: -1 });
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it('an owner has one picture that waits, the last of too many is turned away, and a closed reader reads none', async () => {
  const { promise: held, resolve } = Promise.withResolvers<PhotoReading>();
  const decode = vi.fn(() => held);
  const busy = createPhotoReader({ decode });
  const readings = Array.from({ length: 26 }, (_, n) => busy.read(Uint8Array.from(PNG), `owner ${n}`));
  expect(await readings[25]).toEqual({ kind: 'unavailable' });
  expect(await busy.read(Uint8Array.from(PNG), 'owner 1')).toEqual({ kind: 'unavailable' });
  expect(decode).toHaveBeenCalledTimes(1);
  resolve(NO_CODE);
  expect(await readings[24]).toEqual(NO_CODE);
  const closed = createPhotoReader();
  await closed.close();
  expect(await closed.read(Uint8Array.from(PNG), 'me')).toEqual({ kind: 'unavailable' });
});

it('a small picture passes the large ones of any number of others, also where there is no room', async () => {
  const order: string[] = [];
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const decode = async (bytes: Uint8Array): Promise<PhotoReading> => {
    await held;
    order.push(bytes.length === PNG.length ? 'small' : 'large');
    return NO_CODE;
  };
  const busy = createPhotoReader({ decode });
  const large = () => Uint8Array.from(pngOf(5000, 5000, Buffer.alloc(100)));
  const strangers = Array.from({ length: 50 }, (_, n) => busy.read(large(), `stranger ${n}`));
  const own = busy.read(Uint8Array.from(PNG), 'me');
  resolve();
  expect(await own).toEqual(NO_CODE);
  expect(order.slice(0, 2)).toEqual(['large', 'small']);
  await Promise.all(strangers);
  expect(order).toHaveLength(25);
});

const CODES = [
  ['QRCode', 'TIVI000000011'],
  ['DataMatrix', 'TIVI000000012'],
  ['Code128', 'TIVI000000013'],
  ['Code39', 'TIVI000000014'],
  ['QRCode', 'TIVI000000011'],
] as const;
const ARTICLES = [
  ['EAN13', '8934563138165'],
  ['EAN8', '96385074'],
] as const;

it.each([
  ['codes', CODES, CODES],
  ["articles' numbers", ARTICLES, ARTICLES],
  ["no article's number beside a code", [...ARTICLES, CODES[0]], [CODES[0]]],
] as const)(
  'reads %s, each once, as PNG, and upside down as JPEG of low quality',
  async (_, drawn, wanted) => {
    const page = sheet(...(await Promise.all(drawn.map(([format, text]) => drawCode(text, format, 4)))));
    for (const picture of [asPng(page), asJpeg({ ...page, data: page.data.toReversed() }, 30)]) {
      const seen = await reader.read(Uint8Array.from(picture), 'me');
      expect(seen.kind === 'read' && seen.texts.toSorted()).toEqual(
        [...new Set(wanted.map(([, text]) => text))].sort(),
      );
    }
  },
);
