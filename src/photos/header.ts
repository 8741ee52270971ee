/* What the first bytes of a picture say, before anything of it is decoded. */

/** Larger pictures are refused: a small file could say any size, and the decoder would make room for it. */
const MAX_PIXELS = 25_000_000;
/** A camera's progressive JPEG has about ten scans; each one passes over the whole picture again. */
const MAX_SCANS = 50;

/** How many pixels a JPEG or PNG has; undefined: it is none, or larger than a picture of a code must be. */
export function readPixels(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels = isPng(view) ? readPng(view) : isJpeg(view) ? readJpeg(view, bytes) : undefined;
  return pixels !== undefined && pixels > 0 && pixels <= MAX_PIXELS ? pixels : undefined;
}

const isPng = (view: DataView): boolean =>
  view.byteLength >= 33 && view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a;

const isJpeg = (view: DataView): boolean => view.byteLength >= 4 && view.getUint16(0) === 0xffd8;

/** The first chunk must be the header. */
function readPng(view: DataView): number | undefined {
  return view.getUint32(12) === 0x49484452 ? view.getUint32(16) * view.getUint32(20) : undefined;
}

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** Walks over the segments up to the end: each frame counts, and so do the scans. */
function readJpeg(view: DataView, bytes: Uint8Array): number | undefined {
  let pixels = 0;
  let scans = 0;
  for (let at = 2; at + 4 <= view.byteLength; ) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 4 > view.byteLength) break;
    const marker = view.getUint8(at + 1);
    if (marker === END_OF_IMAGE) break;
    if (!hasLength(marker)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (isFrame(marker)) {
      if (at + 9 > view.byteLength) return undefined;
      pixels += view.getUint16(at + 5) * view.getUint16(at + 7);
    }
    if (marker === START_OF_SCAN) scans += 1;
    if (scans > MAX_SCANS) return undefined;
    at += 2 + view.getUint16(at + 2);
  }
  return pixels;
}

/** Zero is a byte of the picture, D0 to D8 and 01 are marks alone. */
const hasLength = (marker: number): boolean =>
  marker > 0x01 && marker < 0xff && !(marker >= 0xd0 && marker <= 0xd8);

/** C0 to CF, without the three that are tables (C4, C8, CC). */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
