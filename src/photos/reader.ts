import { once } from 'node:events';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, MAX_TEXT, type PhotoReader, type PhotoReading } from '../conversation/message.ts';
import { NO_ROOM } from '../resilience/bulkhead.ts';
import { FairQueue } from '../resilience/fair-queue.ts';
import { systemRuntime } from '../runtime.ts';
import { readPixels } from './header.ts';

/** For tests; the bot uses the defaults. */
export type PhotoReaderOptions = {
  /** How long a picture may take to decode, ms. */
  readonly decodeMs?: number | undefined;
  readonly decode?: typeof decode | undefined;
};

/** The slowest picture of 25 megapixels takes two seconds, a photo of a code a tenth. */
const DECODE_MS = 1500;
/** How long the decoder may take to load, also on a busy machine. */
const START_MS = 10_000;
/** Pictures that wait, each with its bytes in memory. */
const MAX_WAITING = 24;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** What a picture probably takes: the thread's start, and 40 ns a pixel. */
const THREAD_MS = 50;
const PER_PIXEL_MS = 0.000_04;

/**
 * Reads JPEG and PNG pictures, one at a time, each in a new thread. The order is fair to their owners. Makers
 * of a second reader have a lane of their own.
 */
export function createPhotoReader(options: PhotoReaderOptions = {}): PhotoReader {
  const { decodeMs = DECODE_MS } = options;
  const closing = new AbortController();
  const queue = new FairQueue({
    maxWaiting: MAX_WAITING,
    maxBytes: MAX_WAITING_BYTES,
    runtime: systemRuntime,
  });

  return {
    async read(bytes, owner) {
      const pixels = bytes.byteLength > MAX_PHOTO_BYTES ? undefined : readPixels(bytes);
      if (pixels === undefined) return { kind: 'unreadable' };
      const job = { owner, costMs: THREAD_MS + pixels * PER_PIXEL_MS, bytes: bytes.byteLength };
      const work = () => (options.decode ?? decode)(bytes, decodeMs, closing.signal);
      const reading = await queue.run(job, work);
      return reading === NO_ROOM ? { kind: 'unavailable' } : reading;
    },
    close: async () => closing.abort(),
  };
}

/** Limits JavaScript's memory, and hides the environment (`decoder.ts` limits its own). */
const OPTIONS: WorkerOptions = {
  resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  env: {},
  execArgv: [],
  stdout: true,
  stderr: true,
};

/** The thread has decoded hostile bytes: its answer is outside data. */
const textsSchema = z.array(z.string());

/** Decodes a picture in a thread, which ends with it. */
async function decode(bytes: Uint8Array, withinMs: number, closing: AbortSignal): Promise<PhotoReading> {
  // Handed over, not copied, unless they are a part of a larger buffer.
  const isWhole = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  const workerData = isWhole ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
  const options = { ...OPTIONS, workerData, transferList: [workerData.buffer] };
  let worker: Worker | undefined;
  /** The thread's next message. Rejects if it takes too long, or if the thread fails. */
  const receive = async (thread: Worker, ms: number): Promise<unknown> => {
    const signal = AbortSignal.any([AbortSignal.timeout(ms), closing]);
    const [message] = await once(thread, 'message', { signal });
    return message;
  };
  let isReady = false;
  try {
    worker = new Worker(new URL('./decoder.ts', import.meta.url), options);
    worker.unref();
    // It may also fail after its time, when nothing waits for it.
    worker.on('error', () => {});
    await receive(worker, START_MS);
    isReady = true;
    const { data = [] } = textsSchema.nullable().safeParse(await receive(worker, withinMs));
    if (data === null) return { kind: 'unreadable' };
    const texts = data.map((text) => text.slice(0, MAX_TEXT).toWellFormed());
    return texts.length > 0 ? { kind: 'read', texts } : { kind: 'noCode' };
  } catch {
    return { kind: isReady && !closing.aborted ? 'unreadable' : 'unavailable' };
  } finally {
    await worker?.terminate().catch(() => {});
  }
}
