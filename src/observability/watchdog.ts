import { url } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { STUCK } from './log.ts';

/*
 * Ends a process whose event loop hangs: it answers no request and no signal. A thread
 * (`watchdog-thread.cjs`) compares its own ticks with those of the loop. It does not use wall time, so a
 * suspended machine does not count as a hang.
 */

const TICK_MS = 1000;

/** The shared memory: the ticks of the loop, and the name of the conversation at work. */
const TICKS = 0;
const NAME_LENGTH = 1;
const NAME_AT = 8;
const NAME_BYTES = 64;

export type Watchdog = ReturnType<typeof createWatchdog>;

/** Watches the event loop of this thread from `start` on, unless a debugger is attached. */
export function createWatchdog() {
  const shared = new SharedArrayBuffer(NAME_AT + NAME_BYTES);
  const counters = new Int32Array(shared, 0, 2);
  const name = Buffer.from(shared, NAME_AT);
  return {
    /**
     * Not before all is loaded and learnt: on a busy machine that keeps the loop longer than a hang may
     * last.
     */
    start(): void {
      if (url() !== undefined) return;
      setInterval(() => Atomics.add(counters, TICKS, 1), TICK_MS).unref();
      new Worker(new URL('./watchdog-thread.cjs', import.meta.url), {
        workerData: { shared, alarm: STUCK },
        env: {},
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 16 },
      }).unref();
    },
    /** The alarm names this conversation if the event loop is blocked before `leave`. */
    enter(conversation: string): void {
      counters[NAME_LENGTH] = name.write(conversation, 'latin1');
    },
    leave(): void {
      counters[NAME_LENGTH] = 0;
    },
  };
}
