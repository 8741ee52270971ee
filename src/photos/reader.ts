import { once } from 'node:events';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, MAX_TEXT, type PhotoReader, type PhotoReading } from '../conversation/message.ts';

/** For tests; the bot uses the defaults. */
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
/** Pictures that wait, each with its bytes in memory. Turns take far fewer at once (`engine/limits.ts`). */
const MAX_WAITING = 32;

/** Reads pictures in a thread, one at a time. The thread and the decoder's memory exist only while needed. */
export function createPhotoReader(options: PhotoReaderOptions = {}): PhotoReader {
  const { decodeMs = DECODE_MS, idleMs = IDLE_MS, start = startThread } = options;
  let thread: Thread | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let isClosed = false;

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ended = thread;
    thread = undefined;
    await ended?.end().catch(() => {});
  }

  /** `lost` also if the system gives no thread. */
  async function decode(bytes: Uint8Array): Promise<Look> {
    if (isClosed) return { kind: 'lost' };
    clearTimeout(idle);
    let look: Look = { kind: 'lost' };
    try {
      thread ??= start();
      look = await thread.decode(bytes, decodeMs);
    } catch {}
    if (look.kind === 'slow' || look.kind === 'lost') await end();
    idle = setTimeout(() => void end(), idleMs).unref();
    return look;
  }

  /** Tries again after a lost thread: the picture before this one may have broken it. */
  async function readOne(bytes: Uint8Array): Promise<PhotoReading> {
    const first = await decode(bytes);
    const look = first.kind === 'lost' ? await decode(bytes) : first;
    if (look.kind === 'lost') return { kind: 'unavailable' };
    if (look.kind !== 'texts') return { kind: 'unreadable' };
    const texts = look.texts.map((text) => text.slice(0, MAX_TEXT).toWellFormed());
    return texts.length > 0 ? { kind: 'read', texts } : { kind: 'noCode' };
  }

  return {
    async read(bytes) {
      const size = bytes.byteLength <= MAX_PHOTO_BYTES ? sizeOf(bytes) : undefined;
      if (!size || size.width * size.height > MAX_PIXELS) return { kind: 'unreadable' };
      if (waiting >= MAX_WAITING) return { kind: 'unavailable' };
      waiting += 1;
      const reading = last.then(() => readOne(bytes));
      last = reading.finally(() => {
        waiting -= 1;
      });
      return reading;
    },
    async close() {
      isClosed = true;
      await end();
    },
  };
}

/** The thread has decoded hostile bytes: its answers are outside data. */
const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('texts'), texts: z.array(z.string()) }),
  z.object({ kind: z.literal('unreadable') }),
]);
type ThreadAnswer = z.infer<typeof answerSchema>;

/** `slow`: no answer in time. `lost`: the thread ended, or its answer is not valid. */
export type Look = Exclude<ThreadAnswer, { kind: 'ready' }> | { readonly kind: 'slow' | 'lost' };

/** Decodes one picture after the other. After `slow` or `lost` it must not be used again. */
export type Thread = {
  decode(bytes: Uint8Array, withinMs: number): Promise<Look>;
  end(): Promise<void>;
};

/** For loading the decoder on a busy machine. */
const START_MS = 10_000;

/**
 * Limits JavaScript's memory (`decoder.ts` limits the decoder's). Without environment: no secret is in reach.
 */
const OPTIONS: WorkerOptions = {
  resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  env: {},
  execArgv: [],
  stdout: true,
  stderr: true,
};

/** Starts a thread, which does not keep the process alive. */
export function startThread(): Thread {
  const worker = new Worker(new URL('./decoder.ts', import.meta.url), OPTIONS);
  worker.unref();
  const ended = new AbortController();
  worker.once('exit', () => ended.abort());

  /** The next message of the thread. */
  async function receive(withinMs: number): Promise<ThreadAnswer | Look> {
    const late = AbortSignal.timeout(withinMs);
    try {
      const [message] = await once(worker, 'message', { signal: AbortSignal.any([late, ended.signal]) });
      return answerSchema.safeParse(message).data ?? { kind: 'lost' };
    } catch {
      return { kind: late.aborted ? 'slow' : 'lost' };
    }
  }

  const ready = receive(START_MS);

  return {
    async decode(bytes, withinMs) {
      if ((await ready).kind !== 'ready') return { kind: 'lost' };
      const answer = receive(withinMs);
      // A copy is handed over: the caller's bytes may be part of a larger buffer.
      const copy = Uint8Array.from(bytes);
      worker.postMessage(copy, [copy.buffer]);
      const look = await answer;
      return look.kind === 'ready' ? { kind: 'lost' } : look;
    },
    async end() {
      await worker.terminate();
    },
  };
}

/** Pixels. */
type Size = { readonly width: number; readonly height: number };

/**
 * The size in the header of a JPEG or PNG: a small file can be a picture of any size. Undefined for other
 * files and for malformed headers, which are not decoded.
 */
function sizeOf(bytes: Uint8Array): Size | undefined {
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
