import { setTimeout as realDelay } from 'node:timers/promises';
import { vi } from 'vitest';
import { type Runtime, systemRuntime } from '../../src/runtime.ts';

/** How far the clocks go on each time that the event loop comes round, ms. */
const STEP_MS = 5;

/** Vitest's, for code that calls by HTTP. */
export function useFakeTimers(...more: ('setInterval' | 'clearInterval' | 'Date')[]): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', ...more] });
  // undici refreshes one timer for ever: a false one would never ring in later tests. It makes a new one
  // where a timer cannot be refreshed.
  globalThis.setTimeout = new Proxy(globalThis.setTimeout, {
    apply(setFakeTimeout, self, args) {
      const timer: object = Reflect.apply(setFakeTimeout, self, args);
      return Object.defineProperty(timer, 'refresh', { value: undefined });
    },
  });
}

/**
 * What `work` comes to, with clocks that wait for this process: timers and `Date` go on a little after each
 * round of the event loop. Where the machine is busy they are as slow as all else, so that no time-out comes
 * before an answer that was sent in time. For work whose servers are in this process, too.
 */
export async function inPatientTime<Result>(work: () => Promise<Result>): Promise<Result> {
  useFakeTimers('setInterval', 'clearInterval', 'Date');
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  try {
    const result = work();
    result.then(end, end);
    while (!isOver) {
      await realDelay(1);
      vi.advanceTimersByTime(STEP_MS);
    }
    return await result;
  } finally {
    vi.useRealTimers();
  }
}

/**
 * A process whose clocks are those of `inPatientTime`. Vitest's `performance` would begin at zero, long before
 * what was made outside.
 */
export const patientRuntime: Runtime = {
  ...systemRuntime,
  nowMs: () => Date.now(),
  monotonicMs: () => Date.now(),
};
