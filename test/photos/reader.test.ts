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

it.each<[string, Uint8Array]>([
  ['a text', Buffer.from('TIVI000000017')],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')],
  ['a picture of 10 MB and a byte', Buffer.concat([PNG, Buffer.alloc(MAX_PHOTO_BYTES + 1 - PNG.length)])],
])('no thread ever sees %s', async (_what, bytes) => {
  const decode = vi.fn(async () => NO_CODE);
  expect(await createPhotoReader({ decode }).read(bytes)).toEqual(UNREADABLE);
  expect(decode).not.toHaveBeenCalled();
});

it.each<[string, Uint8Array]>([
  ['the beginning of a JPEG', asJpeg(CODE, 80).subarray(0, 20)],
  ['a PNG that has fewer pixels than it says', pngOf(6000, 6000, deflateSync(Buffer.alloc(100)))],
  ['a PNG that says it has as many as it can', pngOf(0xffffffff, 0xffffffff, Buffer.alloc(0))],
  ['a small PNG that unpacks to more than a gigabyte', BOMB],
])('%s is unreadable, and memory stays within bounds', { timeout: 2 * PATIENCE_MS }, async (_what, bytes) => {
  const before = process.resourceUsage().maxRSS;
  expect(await reader.read(bytes)).toEqual(UNREADABLE);
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
  expect(await createPhotoReader({ decodeMs: 0 }).read(PNG)).toEqual(UNREADABLE);
  expect(started).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ env: {} }));
  expect(started.mock.results[0]?.value).toMatchObject({ threadId: -1 });
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it('one picture is decoded after the other, and too many at once are turned away, as all are by a closed reader', async () => {
  const { promise: held, resolve } = Promise.withResolvers<PhotoReading>();
  const decode = vi.fn(() => held);
  const busy = createPhotoReader({ decode });
  const readings = Array.from({ length: 33 }, () => busy.read(PNG));
  expect(await readings[32]).toEqual({ kind: 'unavailable' });
  expect(decode).toHaveBeenCalledTimes(1);
  resolve(NO_CODE);
  expect(await readings[31]).toEqual(NO_CODE);
  const closed = createPhotoReader();
  await closed.close();
  expect(await closed.read(PNG)).toEqual({ kind: 'unavailable' });
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
      const seen = await reader.read(picture);
      expect(seen.kind === 'read' && seen.texts.toSorted()).toEqual(
        [...new Set(wanted.map(([, text]) => text))].sort(),
      );
    }
  },
);
