/** Pixels. */
export type Size = { readonly width: number; readonly height: number };

/**
 * The size that the header of a JPEG or PNG says, before anything is decoded: a small file can be a picture of any size.
 * Undefined for everything else, and where the header is not as it must be: what we do not understand is not decoded.
 */
export function sizeOf(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = sizeOfPng(view) ?? sizeOfJpeg(view);
  return size && size.width > 0 && size.height > 0 ? size : undefined;
}

const PNG = 0x89504e470d0a1a0an;
const IHDR = 0x49484452;

function sizeOfPng(view: DataView): Size | undefined {
  if (view.byteLength < 24 || view.getBigUint64(0) !== PNG || view.getUint32(12) !== IHDR) return undefined;
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

const START_OF_IMAGE = 0xffd8;
const START_OF_SCAN = 0xda;
/** The frame's header; the three exceptions carry tables. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
/** A picture has a few dozen segments before its frame, however much a camera writes there. */
const MAX_SEGMENTS = 1000;

/** Walks over the segments up to the first frame. */
function sizeOfJpeg(view: DataView): Size | undefined {
  if (view.byteLength < 4 || view.getUint16(0) !== START_OF_IMAGE) return undefined;
  let at = 2;
  for (let segments = 0; segments < MAX_SEGMENTS && at + 9 <= view.byteLength; segments++) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff || marker === START_OF_SCAN) return undefined;
    // A marker may be filled up with any number of these.
    if (marker === 0xff) at += 1;
    else if (isFrame(marker)) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    else at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
