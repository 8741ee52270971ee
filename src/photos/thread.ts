import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { z } from 'zod';

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
