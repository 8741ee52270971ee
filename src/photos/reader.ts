import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, MAX_TEXT, type PhotoReader, type PhotoReading } from '../conversation/message.ts';

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

  /** `lost` also where the system gives no thread. */
  async function look(bytes: Uint8Array): Promise<Look> {
    if (closed) return { kind: 'lost' };
    clearTimeout(idle);
    let seen: Look = { kind: 'lost' };
    try {
      thread ??= start();
      seen = await thread.decode(bytes, decodeMs);
    } catch {}
    if (seen.kind === 'slow' || seen.kind === 'lost') await end();
    idle = setTimeout(() => void end(), idleMs).unref();
    return seen;
  }

  /** A thread can be lost for a reason that is not the picture's: memory, a crash of the one before. */
  async function attempt(bytes: Uint8Array): Promise<PhotoReading> {
    const first = await look(bytes);
    const seen = first.kind === 'lost' ? await look(bytes) : first;
    if (seen.kind === 'lost') return { kind: 'unavailable' };
    if (seen.kind !== 'texts') return { kind: 'unreadable' };
    const texts = seen.texts.map((text) => text.slice(0, MAX_TEXT).toWellFormed());
    return texts.length > 0 ? { kind: 'read', texts } : { kind: 'noCode' };
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

/** The thread has worked on hostile bytes: what it answers is outside data. */
const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('texts'), texts: z.array(z.string()) }),
  z.object({ kind: z.literal('unreadable') }),
]);
type Answer = z.infer<typeof answerSchema>;

/** `slow`: no answer within the time. `lost`: the thread ended, or answered what is no answer. */
export type Look = Exclude<Answer, { kind: 'ready' }> | { readonly kind: 'slow' | 'lost' };

/** A thread that decodes pictures, one after the other. After `slow` or `lost` it is of no more use. */
export type Thread = {
  decode(bytes: Uint8Array, withinMs: number): Promise<Look>;
  end(): Promise<void>;
};

/** For loading the decoder, on a machine that is busy. */
const START_MS = 10_000;

/**
 * Of JavaScript, not of the decoder's memory (`decoder.ts` caps that). No variables of the environment: no secret is within
 * reach of what decodes.
 */
const OPTIONS: WorkerOptions = {
  resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  env: {},
  execArgv: [],
  stdout: true,
  stderr: true,
};

/** Starts a thread. It does not keep the process alive. */
export function startThread(): Thread {
  const worker = new Worker(new URL('./decoder.ts', import.meta.url), OPTIONS);
  worker.unref();
  const lost = new Promise<Look>((resolve) => {
    const lose = () => resolve({ kind: 'lost' });
    worker.once('error', lose).once('messageerror', lose).once('exit', lose);
  });

  const heard = (): Promise<Answer | Look> =>
    new Promise((resolve) => {
      worker.once('message', (said: unknown) =>
        resolve(answerSchema.safeParse(said).data ?? { kind: 'lost' }),
      );
    });

  /** The next thing that the thread says, if it says it in time. */
  async function within(ms: number, next: Promise<Answer | Look>): Promise<Answer | Look> {
    const enough = new AbortController();
    const slow = delay(ms, { kind: 'slow' } as const, enough).catch(() => ({ kind: 'lost' }) as const);
    const first = await Promise.race([next, lost, slow]);
    enough.abort();
    return first;
  }

  const ready = within(START_MS, heard());

  return {
    async decode(bytes, withinMs) {
      const begun = await ready;
      if (begun.kind !== 'ready') return { kind: 'lost' };
      const answer = heard();
      // A copy, and handed over: the caller's bytes may lie in a larger buffer.
      const copy = Uint8Array.from(bytes);
      worker.postMessage(copy, [copy.buffer]);
      const said = await within(withinMs, answer);
      return said.kind === 'ready' ? { kind: 'lost' } : said;
    },
    async end() {
      await worker.terminate();
    },
  };
}

/** Pixels. */
type Size = { readonly width: number; readonly height: number };

/**
 * The size that the header of a JPEG or PNG says, before anything is decoded: a small file can be a picture of any size.
 * Undefined for everything else, and where the header is not as it must be: what we do not understand is not decoded.
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
