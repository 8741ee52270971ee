import { LRUCache } from 'lru-cache';
import type { Runtime } from '../runtime.ts';
import { NO_ROOM } from './bulkhead.ts';

/** At most this many owners are remembered. */
const MAX_OWNERS = 10_000;

export type FairQueueOptions = {
  readonly runtime: Pick<Runtime, 'monotonicMs'>;
  /** How many jobs may wait, and how many bytes they may hold together. */
  readonly maxWaiting: number;
  readonly maxBytes: number;
};

/** `costMs`: how long it will probably take. */
export type FairJob = { readonly owner: string; readonly costMs: number; readonly bytes: number };

type Waiting = FairJob & {
  readonly startMs: number;
  readonly finishMs: number;
  end(admitted: boolean): void;
};

/**
 * Does one job after the other, in an order that is fair to their owners (weighted fair queueing): the next
 * is the job that would end first if all owners shared the thread equally. A small job of somebody who asked
 * for little passes the large jobs of others, however many they are, and every job has its turn.
 *
 * An owner has at most one waiting job. If too many wait, the last one in the order is turned away.
 *
 * @example
 * const queue = new FairQueue({ runtime, maxWaiting: 24, maxBytes: 64_000_000 });
 * const done = await queue.run({ owner: 'chat 1', costMs: 50, bytes: 9000 }, () => decode(bytes));
 * if (done === NO_ROOM) return 'busy';
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  readonly #waiting = new Set<Waiting>();
  /** When the last job of an owner ends, in the shared time. */
  readonly #finishes = new LRUCache<string, number>({ max: MAX_OWNERS });
  #isBusy = false;
  /** The time that each owner has had so far, if all shared equally, and when it was counted. */
  #sharedMs = 0;
  #countedMs: number;

  constructor(options: FairQueueOptions) {
    this.#options = options;
    this.#countedMs = options.runtime.monotonicMs();
  }

  /** Rejects as `work` does. */
  async run<Result>(job: FairJob, work: () => Promise<Result>): Promise<Result | typeof NO_ROOM> {
    this.#count();
    const startMs = Math.max(this.#sharedMs, this.#finishes.get(job.owner) ?? 0);
    if (this.#isBusy && !(await this.#wait({ ...job, startMs, finishMs: startMs + job.costMs })))
      return NO_ROOM;
    this.#isBusy = true;
    const begunMs = this.#options.runtime.monotonicMs();
    try {
      return await work();
    } finally {
      const tookMs = this.#options.runtime.monotonicMs() - begunMs;
      this.#finishes.set(job.owner, startMs + Math.max(tookMs, job.costMs));
      this.#admitNext();
    }
  }

  /** Advances the shared time. The jobs that wait and the one at work share what has passed. */
  #count(): void {
    const nowMs = this.#options.runtime.monotonicMs();
    this.#sharedMs += (nowMs - this.#countedMs) / (this.#waiting.size + 1);
    this.#countedMs = nowMs;
  }

  #wait(job: Omit<Waiting, 'end'>): Promise<boolean> {
    for (const { owner } of this.#waiting) if (owner === job.owner) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting: Waiting = {
      ...job,
      end: (admitted) => {
        this.#waiting.delete(waiting);
        resolve(admitted);
      },
    };
    this.#waiting.add(waiting);
    while (this.#isFull()) this.#last()?.end(false);
    return promise;
  }

  #isFull(): boolean {
    const { maxWaiting, maxBytes } = this.#options;
    let held = 0;
    for (const { bytes } of this.#waiting) held += bytes;
    return this.#waiting.size > maxWaiting || held > maxBytes;
  }

  #last(): Waiting | undefined {
    return [...this.#waiting].reduce<Waiting | undefined>(
      (last, job) => (last === undefined || job.finishMs >= last.finishMs ? job : last),
      undefined,
    );
  }

  #admitNext(): void {
    this.#count();
    const next = [...this.#waiting].reduce<Waiting | undefined>(
      (first, job) => (first === undefined || job.finishMs < first.finishMs ? job : first),
      undefined,
    );
    this.#isBusy = next !== undefined;
    next?.end(true);
  }
}
