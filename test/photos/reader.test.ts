import { describe, expect, it } from 'vitest';
import { createPhotoReader } from '../../src/photos/reader.ts';
import { createChance } from '../simulator/clock.ts';
import { asJpeg, asPng, blurred, drawCode, grainy, sheet, tilted } from '../support/pictures.ts';

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

describe('reads what a picture says', () => {
  it.each(DRAWN)('%s, drawn as PNG', async (format, text) => {
    expect(await reader.read(asPng(await drawCode(text, format, 3)))).toEqual(read(text));
  });

  it('at an angle, out of focus, in bad light, as JPEG of low quality', async () => {
    const random = createChance(30);
    for (const [format, text] of DRAWN) {
      // A code of bars is wide: it fills the picture sooner.
      const seen = tilted(await drawCode(text, format, /^(QR|Data)/.test(format) ? 8 : 4), 0.2, 12);
      const picture = asJpeg(grainy(blurred(seen, 1), 15, random), 30);
      expect({ format, ...(await reader.read(picture)) }).toEqual({ format, ...read(text) });
    }
  });

  it('upside down, and all codes of a picture, each once', async () => {
    const codes = ['TIVI000000031', 'TIVI000000032', 'TIVI000000033', 'TIVI000000031'];
    const drawn = await Promise.all(codes.map((code) => drawCode(code)));
    const seen = await reader.read(asJpeg(tilted(sheet(...drawn), 0, 180), 60));
    expect(seen.kind === 'read' && [...seen.texts].sort()).toEqual(codes.slice(0, 3));
  });

  it("leaves out the article's number beside another code", async () => {
    const box = sheet(await drawCode('8934563138165', 'EAN13', 3), await drawCode(CODE));
    expect(await reader.read(asPng(box))).toEqual(read(CODE));
  });
});
