import { once } from 'node:events';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, MAX_TEXT, type PhotoReader, type PhotoReading } from '../conversation/message.ts';
import { Bulkhead, NO_ROOM } from '../resilience/bulkhead.ts';
import { systemRuntime } from '../runtime.ts';

/** For tests; the bot uses the defaults. */
export type PhotoReaderOptions = {
  /** How long a picture may take to decode, ms. */
  readonly decodeMs?: number | undefined;
  readonly decode?: typeof decode | undefined;
};

const DECODE_MS = 3_000;
/** How long the decoder may take to load, also on a busy machine. */
const START_MS = 10_000;
/** Pictures that wait, each with its bytes in memory. */
const MAX_WAITING = 31;

/** Reads JPEG and PNG pictures, one at a time, each in a new thread. */
export function createPhotoReader(options: PhotoReaderOptions = {}): PhotoReader {
  const { decodeMs = DECODE_MS } = options;
  const closing = new AbortController();
  const bulkhead = new Bulkhead({ places: 1, maxWaiting: MAX_WAITING }, systemRuntime);

  return {
    async read(bytes) {
      if (bytes.byteLength > MAX_PHOTO_BYTES || !isPicture(bytes)) return { kind: 'unreadable' };
      const work = () => (options.decode ?? decode)(bytes, decodeMs, closing.signal);
      const reading = await bulkhead.run(work);
      return reading === NO_ROOM ? { kind: 'unavailable' } : reading;
    },
    close: async () => closing.abort(),
  };
}

/** Other formats are not decoded: ZXing would try a dozen of them. */
function isPicture(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes;
  const isPng = first === 0x89 && second === 0x50 && third === 0x4e && fourth === 0x47;
  return isPng || (first === 0xff && second === 0xd8 && third === 0xff);
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
  // A copy is handed over: the caller's bytes may be part of a larger buffer.
  const workerData = Uint8Array.from(bytes);
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
