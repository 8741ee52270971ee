import type { Runtime } from '../runtime.ts';

/** How many calls may run at once, and how long another call waits for a place, ms. */
export type BulkheadLimits = { readonly places: number; readonly patienceMs: number };

/**
 * Bounds the calls that run at once, so that a slow service does not hold up everything. Further calls wait
 * in the order of their arrival. `enter` answers without a promise where a place is free.
 *
 * @example
 * const entered = bulkhead.enter();
 * if (entered !== true && !(await entered)) return 'full';
 * try {
 *   return await call();
 * } finally {
 *   bulkhead.leave();
 * }
 */
export class Bulkhead {
  readonly #patienceMs: number;
  readonly #runtime: Pick<Runtime, 'timer'>;
  /** First come, first served. */
  readonly #line = new Set<() => void>();
  #free: number;

  constructor({ places, patienceMs }: BulkheadLimits, runtime: Pick<Runtime, 'timer'>) {
    this.#free = places;
    this.#patienceMs = patienceMs;
    this.#runtime = runtime;
  }

  /** True: the call has a place and must `leave`. False: there was none in time. */
  enter(): true | Promise<boolean> {
    if (this.#free === 0) return this.#wait();
    this.#free -= 1;
    return true;
  }

  /** Gives the place back. */
  leave(): void {
    const [admitNext] = this.#line;
    if (admitNext) admitNext();
    else this.#free += 1;
  }

  #wait(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (isAdmitted: boolean): void => {
      timer.cancel();
      this.#line.delete(admit);
      resolve(isAdmitted);
    };
    const admit = (): void => end(true);
    const timer = this.#runtime.timer(this.#patienceMs, () => end(false));
    this.#line.add(admit);
    return promise;
  }
}
