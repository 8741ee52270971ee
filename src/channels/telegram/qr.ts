import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import QRCode from 'qrcode';
import { encodeStart } from '../../conversation/language/payload.ts';
import { linkWithCode } from './link.ts';

/** For codes on worn or glossy paper: a quarter of one may be lost. */
const OPTIONS = { errorCorrectionLevel: 'Q', margin: 4 } as const;
/** Pixels: sharp at 5 cm in print (300 dpi). */
const PNG_WIDTH = 600;

/** The QR code of a link, as an SVG document. */
export function drawSvg(link: string): Promise<string> {
  return QRCode.toString(link, { ...OPTIONS, type: 'svg' });
}

/** What was written for a code; `files` is empty for a code that is too long for a link. */
export type Drawn = {
  readonly code: string;
  readonly link: string | undefined;
  readonly files: readonly string[];
};

/** Writes the QR code of each code's deep link into `dir`, as SVG and PNG, named as the link's payload. */
export async function writeCodes(username: string, codes: readonly string[], dir: string): Promise<Drawn[]> {
  await mkdir(dir, { recursive: true });
  return Promise.all(
    codes.map(async (code) => {
      const [link, payload] = [linkWithCode(username, code), encodeStart(code)];
      if (link === undefined || payload === undefined) return { code, link: undefined, files: [] };
      const [svg, png] = [join(dir, `${payload}.svg`), join(dir, `${payload}.png`)];
      await writeFile(svg, await drawSvg(link));
      await writeFile(png, await QRCode.toBuffer(link, { ...OPTIONS, width: PNG_WIDTH }));
      return { code, link, files: [svg, png] };
    }),
  );
}
