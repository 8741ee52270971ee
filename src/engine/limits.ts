import type { Runtime } from '../runtime.ts';

/** What bounds the engine; tests and the simulator set shorter ones. */
export type Limits = typeof LIMITS;

export const LIMITS = {
  /** Turns at work at once. */
  concurrency: 64,
  leaseMs: 15_000,
  renewMs: 5000,
  sweepMs: 500,
  /** A message or wake-up whose attempts failed this often is poison. */
  attempts: 5,
  /** A call longer than this is shown to the customer as work. */
  workingMs: 1000,
  /** A reply waits this long at most within its turn, if the platform asks for it. */
  patienceMs: 2000,
  /** Deliveries and look-ups of one channel at once, and after how long one of them counts as hanging. */
  perChannel: 21,
  stuckMs: 500,
  /** Turns of one channel that fetch and read photos at once; as many wait in line for that. */
  photosPerChannel: 8,
  /** How long `stop` waits for turns at work. */
  stopMs: 8000,
};

/** There is no room, and none will be soon. */
export const NO_ROOM = Symbol('no room');

/**
 * A bounded number of calls at once, so that a platform that hangs holds up nothing but itself. A caller that finds no room
 * waits while calls come and go: until a place is free, or until a call takes longer than `stuckMs`. From then on it is
 * turned away at once, until that call has ended.
 *
 * @example
 * const call = bulkhead.enter() ?? (await bulkhead.wait());
 * if (call === null) return 'no room';
 * try {
 *   return await send();
 * } finally {
 *   bulkhead.leave(call);
 * }
 */
export class Bulkhead {
  readonly #room: number;
  readonly #stuckMs: number;
  readonly #runtime: Pick<Runtime, 'monotonicMs' | 'timer'>;
  /** Oldest first. */
  readonly #running = new Set<BulkheadCall>();
  readonly #waiting: ((call: BulkheadCall | null) => void)[] = [];
  #isTimed = false;

  constructor(room: number, stuckMs: number, runtime: Pick<Runtime, 'monotonicMs' | 'timer'>) {
    this.#room = room;
    this.#stuckMs = stuckMs;
    this.#runtime = runtime;
  }

  /** Undefined: there is no room now. */
  enter(): BulkheadCall | undefined {
    return this.#running.size < this.#room ? this.#begin() : undefined;
  }

  /** Waits for a place. Null: there is none, and none will be soon. */
  async wait(): Promise<BulkheadCall | null> {
    const leftMs = this.#leftMs();
    if (leftMs <= 0) return null;
    this.#turnAwayIn(leftMs);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  leave(call: BulkheadCall): void {
    this.#running.delete(call);
    this.#waiting.shift()?.(this.#begin());
  }

  /** Does `work` in a place of its own. Rejects as `work` does. */
  async run<Result>(work: () => Promise<Result>): Promise<Result | typeof NO_ROOM> {
    const call = this.enter() ?? (await this.wait());
    if (call === null) return NO_ROOM;
    try {
      return await work();
    } finally {
      this.leave(call);
    }
  }

  #begin(): BulkheadCall {
    const call = { sinceMs: this.#runtime.monotonicMs() };
    this.#running.add(call);
    return call;
  }

  /** How long until the oldest call counts as hanging. */
  #leftMs(): number {
    const [oldest] = this.#running;
    return oldest === undefined
      ? this.#stuckMs
      : oldest.sinceMs + this.#stuckMs - this.#runtime.monotonicMs();
  }

  #turnAwayIn(ms: number): void {
    if (!this.#isTimed) this.#runtime.timer(ms, () => this.#turnAway());
    this.#isTimed = true;
  }

  #turnAway(): void {
    this.#isTimed = false;
    if (this.#waiting.length === 0) return;
    const leftMs = this.#leftMs();
    if (leftMs > 0) this.#turnAwayIn(leftMs);
    else for (const resolve of this.#waiting.splice(0)) resolve(null);
  }
}

export type BulkheadCall = { readonly sinceMs: number };

/**
 * A bounded number of calls at once; the others wait in a line by rank, the lowest first. At most `length` wait: where the
 * line is full, its last gets `NO_ROOM`. Rejects as `work` does.
 */
export type Line = <Result>(rank: number, work: () => Promise<Result>) => Promise<Result | typeof NO_ROOM>;

export function createLine(room: number, length: number): Line {
  let running = 0;
  /** By rank; among equals, the first comer first. */
  const waiting: { readonly rank: number; readonly admit: (isAdmitted: boolean) => void }[] = [];

  async function isAdmitted(rank: number): Promise<boolean> {
    if (running < room) {
      running += 1;
      return true;
    }
    return new Promise((admit) => {
      const before = waiting.findLastIndex((one) => one.rank <= rank);
      waiting.splice(before + 1, 0, { rank, admit });
      if (waiting.length > length) waiting.pop()?.admit(false);
    });
  }

  return async (rank, work) => {
    if (!(await isAdmitted(rank))) return NO_ROOM;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next.admit(true);
      else running -= 1;
    }
  };
}

/** One for each channel, made when it is first asked for. */
export function eachChannel<Made>(make: (channel: string) => Made): (channel: string) => Made {
  const made = new Map<string, Made>();
  return (channel) => {
    const one = made.get(channel) ?? make(channel);
    made.set(channel, one);
    return one;
  };
}

/**
 * A bounded number of turns at once. A caller that finds no slot leaves its work in the store and says so (`want`): the
 * next free slot claims it at once instead of waiting for the sweep.
 *
 * `claim` takes up to `room` pieces of work and resolves to how many it took; each is to `free` its slot when it ends.
 * It must not reject.
 */
export function createConcurrency(count: number, claim: (room: number) => Promise<number>) {
  let taken = 0;
  let wanted = false;
  let filling = false;
  let whenIdle: (() => void) | undefined;

  function free(slots = 1): void {
    taken -= slots;
    if (wanted && taken < count) void fill();
    if (taken === 0) whenIdle?.();
  }

  /**
   * Claims work for the free slots, half of them at a time: a claim may wait for a slow store, and a message that
   * comes meanwhile must find a slot.
   */
  async function fill(): Promise<void> {
    if (filling) return;
    filling = true;
    do {
      const room = Math.ceil((count - taken) / 2);
      if (room <= 0) break;
      taken += room;
      wanted = false;
      const took = await claim(room);
      // All the room was filled: there may be more.
      if (took === room) wanted = true;
      taken -= room - took;
    } while (wanted);
    filling = false;
    if (taken === 0) whenIdle?.();
  }

  return {
    free,
    fill,
    /** Takes a slot, if there is one. */
    reserve(): boolean {
      if (taken >= count) return false;
      taken += 1;
      return true;
    },
    /** Work was left in the store for want of a slot. */
    want(): void {
      wanted = true;
      if (taken < count) void fill();
    },
    /** Resolves once no slot is taken. */
    idle(): Promise<void> {
      return new Promise((resolve) => {
        whenIdle = resolve;
        if (taken === 0) resolve();
      });
    },
  };
}
