import type { Runtime } from '../runtime.ts';

export type BulkheadOptions = {
  /** How many calls may run at once. */
  readonly places: number;
  /** How long a call waits for a place, ms. By default until it gets one. */
  readonly patienceMs?: number;
  /** How many calls may wait. By default any number. */
  readonly maxWaiting?: number;
};

/** The work was not begun: too many calls run and wait. */
export const NO_ROOM = Symbol('no room');

/**
 * Bounds the calls that run at once, so that a slow service holds up only itself. Further calls wait in the
 * order of their arrival. After a call has waited in vain, the running calls count as stuck: until one of
 * them ends, further calls are refused at once.
 *
 * @example
 * const bulkhead = new Bulkhead({ places: 20, patienceMs: 500 }, runtime);
 * const answer = await bulkhead.run(() => askPlatform());
 * if (answer === NO_ROOM) return 'full';
 */
export class Bulkhead {
  readonly #options: BulkheadOptions;
  readonly #runtime: Pick<Runtime, 'timer'>;
  readonly #waiting = new Set<() => void>();
  #free: number;
  #isStuck = false;

  constructor(options: BulkheadOptions, runtime: Pick<Runtime, 'timer'>) {
    this.#options = options;
    this.#runtime = runtime;
    this.#free = options.places;
  }

  /** Does `work` in a place. Rejects as `work` does. */
  async run<Result>(work: () => Promise<Result>): Promise<Result | typeof NO_ROOM> {
    const entered = this.enter();
    if (entered !== true && !(await entered)) return NO_ROOM;
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /** True, without a promise if a place is free: the call must `leave` it. False: there was none in time. */
  enter(): true | Promise<boolean> {
    if (this.#free === 0) return this.#wait();
    this.#free -= 1;
    return true;
  }

  /** Gives the place to the next call. */
  leave(): void {
    this.#isStuck = false;
    const [admitNext] = this.#waiting;
    if (admitNext) admitNext();
    else this.#free += 1;
  }

  async #wait(): Promise<boolean> {
    const { patienceMs, maxWaiting = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#isStuck || this.#waiting.size >= maxWaiting) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (isAdmitted: boolean): void => {
      timer?.cancel();
      this.#waiting.delete(admit);
      this.#isStuck = !isAdmitted;
      resolve(isAdmitted);
    };
    const admit = (): void => end(true);
    const timer = patienceMs === undefined ? undefined : this.#runtime.timer(patienceMs, () => end(false));
    this.#waiting.add(admit);
    return promise;
  }
}
