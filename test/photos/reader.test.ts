import { expect, it } from 'vitest';
import { createPhotoReader } from '../../src/photos/reader.ts';
import { asJpeg, asPng, drawCode, sheet, turned } from '../support/pictures.ts';

/** Drawing takes the processor, too: a machine that is busy gets its time. */
const reader = createPhotoReader({ decodeMs: 60_000 });

const CODE = 'TIVI000000017';
const read = (...texts: string[]) => ({ kind: 'read', texts });

const DRAWN = [
  ['QRCode', CODE],
  ['DataMatrix', CODE],
  ['Code128', CODE],
  ['Code39', CODE],
  ['EAN13', '8934563138165'],
  ['EAN8', '96385074'],
] as const;

it.each(DRAWN)('reads %s, drawn as PNG, and at an angle as JPEG of low quality', async (format, text) => {
  expect(await reader.read(asPng(await drawCode(text, format, 3)))).toEqual(read(text));
  // A code of bars is wide: it fills the picture sooner.
  const seen = turned(await drawCode(text, format, /^(QR|Data)/.test(format) ? 4 : 3), 12);
  expect(await reader.read(asJpeg(seen, 30))).toEqual(read(text));
});

it("reads all codes of a picture, upside down, each once, but no article's number beside another code", async () => {
  const codes = ['TIVI000000031', 'TIVI000000032', 'TIVI000000033', 'TIVI000000031'];
  const drawn = await Promise.all(codes.map((code) => drawCode(code)));
  const seen = await reader.read(asJpeg(turned(sheet(...drawn), 180), 60));
  expect(seen.kind === 'read' && [...seen.texts].sort()).toEqual(codes.slice(0, 3));
  const box = sheet(await drawCode('8934563138165', 'EAN13', 3), await drawCode(CODE));
  expect(await reader.read(asPng(box))).toEqual(read(CODE));
});
