import { randomFillSync, randomUUID } from 'node:crypto';

/**
 * The clocks, timers and random numbers of a process. The engine, the store, the rules of operations and the
 * rate limiter use no others, so that the simulator can run them in virtual time, from a seed.
 *
 * @example
 * const timer = runtime.timer(500, sweep);
 * await runtime.sleep(20);
 * timer.cancel();
 */
export interface Runtime {
  /** The wall clock, epoch ms: it may be wrong, and it may jump. */
  nowMs(): number;
  /** Rises steadily, from an unknown beginning, ms. It may stand still while the machine is suspended. */
  monotonicMs(): number;
  /** Resolves after `ms`. */
  sleep(ms: number): Promise<void>;
  /** Calls `run` once, after `ms`. A timer keeps no process alive. */
  timer(ms: number, run: () => void): Timer;
  /** Calls `run` after the present iteration of the event loop, so that answers leave first. */
  defer(run: () => void): void;
  /** In [0, 1): for jitter, never for secrets. */
  random(): number;
  /** A name that no other process makes. */
  id(): string;
  /** Unpredictable bytes, at most 4096. */
  bytes(count: number): Buffer;
}

export type Timer = { cancel(): void };

/** The clocks, timers and random numbers of this process. */
export const systemRuntime: Runtime = {
  nowMs: Date.now,
  monotonicMs: performance.now.bind(performance),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  timer(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  defer: (run) => void setImmediate(run),
  random: Math.random,
  id: randomUUID,
  bytes: randomBytes,
};

/** Random bytes are drawn in bulk, because a call for twelve costs as much as one for thousands. */
const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);
let used = 0;

function randomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    // A new pool each time, so that bytes that were handed out never change.
    pool = randomFillSync(Buffer.alloc(POOL_BYTES));
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
