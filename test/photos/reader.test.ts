import { expect, it } from 'vitest';
import { createPhotoReader } from '../../src/photos/reader.ts';
import { asJpeg, asPng, drawCode, sheet } from '../support/pictures.ts';

/** Drawing takes the processor, too: a machine that is busy gets its time. */
const reader = createPhotoReader({ decodeMs: 60_000 });

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
