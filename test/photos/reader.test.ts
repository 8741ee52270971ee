import { expect, it } from 'vitest';
import { createPhotoReader } from '../../src/photos/reader.ts';
import { asJpeg, asPng, drawCode, sheet, turned } from '../support/pictures.ts';

/** Drawing takes the processor, too: a machine that is busy gets its time. */
const reader = createPhotoReader({ decodeMs: 60_000 });

const CODE = 'TIVI000000017';
const read = (...texts: string[]) => ({ kind: 'read', texts });

const BOXES = [
  ['QRCode', 'TIVI000000011'],
  ['DataMatrix', 'TIVI000000012'],
  ['Code128', 'TIVI000000013'],
  ['Code39', 'TIVI000000014'],
] as const;
const ARTICLES = [
  ['EAN13', '8934563138165'],
  ['EAN8', '96385074'],
] as const;

it.each([
  ['codes', BOXES],
  ["articles' numbers", ARTICLES],
] as const)(
  'reads %s of all kinds, drawn as PNG, and at an angle as JPEG of low quality',
  async (_, page) => {
    const codes = await Promise.all(page.map(([format, text]) => drawCode(text, format, 4)));
    for (const picture of [asPng(sheet(...codes)), asJpeg(turned(sheet(...codes), 12), 30)]) {
      const seen = await reader.read(picture);
      expect(seen.kind === 'read' && [...seen.texts].sort()).toEqual(page.map(([, text]) => text).sort());
    }
  },
);

it("reads all codes of a picture, upside down, each once, but no article's number beside another code", async () => {
  const codes = ['TIVI000000031', 'TIVI000000032', 'TIVI000000033', 'TIVI000000031'];
  const drawn = await Promise.all(codes.map((code) => drawCode(code)));
  const seen = await reader.read(asJpeg(turned(sheet(...drawn), 180), 60));
  expect(seen.kind === 'read' && [...seen.texts].sort()).toEqual(codes.slice(0, 3));
  const box = sheet(await drawCode('8934563138165', 'EAN13', 3), await drawCode(CODE));
  expect(await reader.read(asPng(box))).toEqual(read(CODE));
});
