import { crc32, deflateSync } from 'node:zlib';

/**
 * The app's two icons, drawn here so that they need no files and no tools: a star on a coin. `color` is 192 pixels wide
 * on the accent colour, `outline` 32 pixels, white on transparent, as Teams wants them.
 */
export function createIcons(accent: string): { readonly color: Buffer; readonly outline: Buffer } {
  const [red = 0, green = 0, blue = 0] = Buffer.from(accent.slice(1), 'hex');
  return {
    color: png(192, (x, y) => [
      ...mix([red, green, blue], inCoin(x, y, 0.36) && !inStar(x, y, 0.25) ? 1 : 0),
      255,
    ]),
    outline: png(32, (x, y) => {
      const isRing = inCoin(x, y, 0.46) && !inCoin(x, y, 0.39);
      return [255, 255, 255, isRing || inStar(x, y, 0.29) ? 255 : 0];
    }),
  };
}

/** Red, green, blue, opacity of a point; the picture is the unit square. */
type Paint = (x: number, y: number) => readonly number[];

function mix(colour: readonly number[], white: number): number[] {
  return colour.map((part) => part + (255 - part) * white);
}

function inCoin(x: number, y: number, radius: number): boolean {
  return Math.hypot(x - 0.5, y - 0.5) <= radius;
}

/** Five points; between them the edge is as far in as in a drawn star. */
function inStar(x: number, y: number, radius: number): boolean {
  const distance = Math.hypot(x - 0.5, y - 0.5);
  const fifth = (2 * Math.PI) / 5;
  const angle = Math.atan2(x - 0.5, 0.5 - y);
  // From the middle of the nearest point, 0, to the notch beside it, a tenth of the circle.
  const off = Math.abs(angle - Math.round(angle / fifth) * fifth);
  const inner = 0.382;
  const notch = fifth / 2;
  const edge =
    (inner * Math.sin(notch)) /
    (Math.sin(off) * (1 - inner * Math.cos(notch)) + inner * Math.sin(notch) * Math.cos(off));
  return distance <= radius * edge;
}

/** Points a pixel is the mean of, in each direction: smooth edges. */
const SAMPLES = 4;

function png(size: number, paint: Paint): Buffer {
  const rows = Buffer.alloc(size * (1 + size * 4));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) rows.set(pixel(x, y, size, paint), y * (1 + size * 4) + 1 + x * 4);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits each of red, green, blue and opacity.
  header.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function pixel(x: number, y: number, size: number, paint: Paint): number[] {
  const sum = [0, 0, 0, 0];
  for (let at = 0; at < SAMPLES ** 2; at++) {
    const dx = ((at % SAMPLES) + 0.5) / SAMPLES;
    const dy = (Math.floor(at / SAMPLES) + 0.5) / SAMPLES;
    for (const [part, value] of paint((x + dx) / size, (y + dy) / size).entries()) {
      sum[part] = (sum[part] ?? 0) + value;
    }
  }
  return sum.map((value) => Math.round(value / SAMPLES ** 2));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
