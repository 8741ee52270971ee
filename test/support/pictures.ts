import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { prepareZXingModule, type WriterOptions, writeBarcode } from 'zxing-wasm/writer';

/** Grey pixels, row by row: 0 black, 255 white. */
export type Picture = { readonly width: number; readonly height: number; readonly data: Uint8Array };

const file = new URL(import.meta.resolve('zxing-wasm/writer/zxing_writer.wasm'));
prepareZXingModule({ overrides: { wasmBinary: Uint8Array.from(readFileSync(file)).buffer } });

/** A code, `scale` pixels a module, with the white margin that readers need. */
export async function drawCode(
  text: string,
  format: NonNullable<WriterOptions['format']> = 'QRCode',
  scale = 6,
): Promise<Picture> {
  const { symbol, error } = await writeBarcode(text, { format, scale: 1 });
  if (error) throw new Error(error);
  const margin = 10;
  const width = symbol.width + 2 * margin;
  const height = symbol.height + 2 * margin;
  return paint(width * scale, height * scale, (x, y) => {
    const column = Math.floor(x / scale) - margin;
    const row = Math.floor(y / scale) - margin;
    const isInside = column >= 0 && row >= 0 && column < symbol.width && row < symbol.height;
    return isInside ? (symbol.data[row * symbol.width + column] ?? 255) : 255;
  });
}

function paint(width: number, height: number, shade: (x: number, y: number) => number): Picture {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * width + x] = shade(x, y);
  return { width, height, data };
}

export function sheet(...pictures: readonly Picture[]): Picture {
  const height = Math.max(...pictures.map((picture) => picture.height));
  const starts = pictures.map((_, n) => pictures.slice(0, n).reduce((sum, { width }) => sum + width, 0));
  const width = pictures.reduce((sum, picture) => sum + picture.width, 0);
  return paint(width, height, (x, y) => {
    const n = starts.findLastIndex((start) => start <= x);
    const { width = 0, data } = pictures[n] ?? {};
    return data?.[y * width + x - (starts[n] ?? 0)] ?? 255;
  });
}

export function asJpeg({ width, height, data }: Picture, quality: number): Buffer {
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (const [pixel, shade] of data.entries()) rgba.fill(shade, pixel * 4, pixel * 4 + 3);
  return jpeg.encode({ width, height, data: rgba }, quality).data;
}

export function asPng({ width, height, data }: Picture): Buffer {
  const rows = Array.from({ length: height }, (_, y) =>
    Buffer.concat([Buffer.of(0), data.subarray(y * width, (y + 1) * width)]),
  );
  return pngOf(width, height, deflateSync(Buffer.concat(rows)));
}

/** A PNG in shades of grey that says this size and has these packed pixels, whether or not they fit. */
export function pngOf(width: number, height: number, packed: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', packed),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), content]);
  const length = Buffer.alloc(4);
  const sum = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
