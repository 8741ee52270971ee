import { setTimeout as delay } from 'node:timers/promises';

/**
 * Time that passes, as the operations need it; injected, so that no test waits. The context says what time it is.
 *
 * @example
 * await clock.wait(500, signal);
 */
export type Clock = {
  /** Like `performance.now()`: deadlines, which no adjustment of the host's clock may move. */
  monotonicMs(): number;
  /** Resolves after `ms`, or as soon as `signal` aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
};
