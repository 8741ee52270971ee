import { MAX_TEXT } from '../conversation/message.ts';
import { MAX_PHOTO_BYTES, type PhotoReader, type PhotoReading } from '../conversation/photo.ts';
import { sizeOf } from './size.ts';
import { type Look, startThread, type Thread } from './thread.ts';

export type PhotoReaderOptions = {
  /** How long a picture may take to decode, ms. */
  readonly decodeMs?: number | undefined;
  /** How long the thread is kept without a picture, ms. */
  readonly idleMs?: number | undefined;
  readonly start?: (() => Thread) | undefined;
};

const MAX_PIXELS = 40_000_000;
const DECODE_MS = 3_000;
const IDLE_MS = 60_000;
/** Pictures that wait, each with its bytes in memory. Turns take far fewer at once (`turns/photos.ts`). */
const MAX_WAITING = 32;

/** Reads pictures in a thread, one at a time. The thread, and with it the decoder's memory, is there only while it is needed. */
export function createPhotoReader(options: PhotoReaderOptions = {}): PhotoReader {
  const { decodeMs = DECODE_MS, idleMs = IDLE_MS, start = startThread } = options;
  let thread: Thread | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let closed = false;

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ended = thread;
    thread = undefined;
    await ended?.end().catch(() => {});
  }

  /** Rejects where the system gives no thread. */
  async function decode(bytes: Uint8Array): Promise<Look> {
    thread ??= start();
    return thread.decode(bytes, decodeMs);
  }

  async function look(bytes: Uint8Array): Promise<Look> {
    if (closed) return { kind: 'lost' };
    clearTimeout(idle);
    const seen = await decode(bytes).catch((): Look => ({ kind: 'lost' }));
    if (seen.kind === 'slow' || seen.kind === 'lost') await end();
    idle = setTimeout(() => void end(), idleMs).unref();
    return seen;
  }

  /** A thread can be lost for a reason that is not the picture's: memory, a crash of the one before. */
  async function attempt(bytes: Uint8Array): Promise<PhotoReading> {
    const first = await look(bytes);
    return readingOf(first.kind === 'lost' ? await look(bytes) : first);
  }

  return {
    async read(bytes) {
      const size = bytes.byteLength <= MAX_PHOTO_BYTES ? sizeOf(bytes) : undefined;
      if (!size || size.width * size.height > MAX_PIXELS) return { kind: 'unreadable' };
      if (waiting >= MAX_WAITING) return { kind: 'unavailable' };
      waiting += 1;
      const reading = last.then(() => attempt(bytes));
      last = reading.finally(() => {
        waiting -= 1;
      });
      return reading;
    },
    async close() {
      closed = true;
      await end();
    },
  };
}

function readingOf(look: Look): PhotoReading {
  switch (look.kind) {
    case 'texts': {
      const texts = look.texts.map((text) => text.slice(0, MAX_TEXT).toWellFormed());
      return texts.length > 0 ? { kind: 'read', texts } : { kind: 'noCode' };
    }
    case 'unreadable':
    case 'slow':
      return { kind: 'unreadable' };
    case 'lost':
      return { kind: 'unavailable' };
  }
}
