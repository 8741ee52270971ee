import { url } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { STUCK } from './log.ts';

/*
 * Ends a process whose event loop stands still: it answers nobody, hears no signal, and nothing else restarts it. A thread
 * (`watchdog-thread.mjs`) counts its own ticks beside those of the loop, not wall time, so that a suspended machine ends no
 * process.
 */

const TICK_MS = 1000;

/** What both threads see: the loop's ticks, and the name of the conversation that it works on. */
const TICKS = 0;
const NAME_LENGTH = 1;
const NAME_AT = 8;
const NAME_BYTES = 64;

export type Watchdog = ReturnType<typeof startWatchdog>;

/** Watches this thread's event loop. A debugger may stop it as long as it likes. */
export function startWatchdog() {
  const shared = new SharedArrayBuffer(NAME_AT + NAME_BYTES);
  const counters = new Int32Array(shared, 0, 2);
  const name = Buffer.from(shared, NAME_AT);
  if (url() === undefined) {
    setInterval(() => Atomics.add(counters, TICKS, 1), TICK_MS).unref();
    new Worker(new URL('./watchdog-thread.mjs', import.meta.url), {
      workerData: { shared, alarm: STUCK },
      ...{ env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 16 } },
    }).unref();
  }
  return {
    /** The alarm names this conversation if the loop stands still before `leave`. */
    enter(conversation = ''): void {
      counters[NAME_LENGTH] = name.write(conversation, 'latin1');
    },
    leave(): void {
      counters[NAME_LENGTH] = 0;
    },
  };
}
