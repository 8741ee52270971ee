import type { Runtime, Timer } from '../../src/runtime.ts';

/** The simulated time begins here: 25 November 2026, 15:58 in Vietnam. */
export const BEGIN_MS = Date.UTC(2026, 10, 25, 8, 58);

/** Numbers from a seed (mulberry32): the same seed, the same numbers. */
export function createChance(seed: number) {
  let state = seed >>> 0;
  /** In [0, 1). */
  function random(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    random,
    /** A whole number in [from, to]. */
    between: (from: number, to: number) => from + Math.floor(random() * (to - from + 1)),
    /** True with this probability. */
    happens: (rate: number) => rate > 0 && random() < rate,
    pick: <Item>([first, ...rest]: readonly [Item, ...Item[]]): Item =>
      rest[Math.floor(random() * (rest.length + 1)) - 1] ?? first,
  };
}
export type Chance = ReturnType<typeof createChance>;

/** Virtual time: events happen in order, one after the other, on one thread. */
export function createClock() {
  /** The next event is last. Of two at one time, the one that was added first comes first. */
  const queue: { readonly atMs: number; run: (() => void) | null }[] = [];
  let atMs = 0;
  let backMs = 0;
  let held = 0;
  let planned = 0;

  function after(ms: number, run: () => void): Timer {
    const event: (typeof queue)[number] = { atMs: atMs + Math.max(0, ms), run };
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((queue[middle]?.atMs ?? 0) > event.atMs) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, event);
    return {
      cancel() {
        event.run = null;
      },
    };
  }

  /** Runs the next event, if it is not later. Resolves to whether there was one. */
  async function next(untilMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const first = queue.at(-1);
    if (first === undefined || first.atMs > untilMs) return false;
    queue.pop();
    if (first.run === null) return true;
    atMs = first.atMs;
    first.run();
    // Let all promises settle before the next event.
    do await new Promise(setImmediate);
    while (held > 0);
    return true;
  }

  return {
    after,
    next,
    /** Since the beginning, ms. */
    get atMs() {
      return atMs;
    },
    /** The true time, epoch ms; also AntCRM's clock. */
    wallMs: () => BEGIN_MS + Math.floor(atMs),
    /** The store's clock, epoch ms. It may be set back. */
    nowMs: () => BEGIN_MS + Math.floor(atMs) - backMs,
    putBack(ms: number): void {
      backMs += ms;
    },
    /**
     * As `after`, for plans of people, platforms and processes: a history lasts until all are carried out.
     */
    plan(ms: number, run: () => void): void {
      planned += 1;
      after(ms, () => {
        planned -= 1;
        run();
      });
    },
    /** How many plans are left. */
    get planned() {
      return planned;
    },
    wait: (ms: number) => new Promise<void>((resolve) => after(ms, resolve)),
    /** Stops virtual time until real work outside the simulation has ended. */
    hold<Result>(work: Promise<Result>): Promise<Result> {
      held += 1;
      return work.finally(() => {
        held -= 1;
      });
    },
    /** Runs all events until then. */
    async runUntil(endMs: number): Promise<void> {
      while (await next(endMs));
      atMs = Math.max(atMs, endMs);
    },
  };
}
export type Clock = ReturnType<typeof createClock>;

/** The clocks, timers and random numbers of a simulated process. Timers of a dead process never ring. */
export function createProcessRuntime(
  clock: Clock,
  chance: Chance,
  { name, skewMs, isAlive }: { readonly name: string; readonly skewMs: number; isAlive(): boolean },
): Runtime {
  let ids = 0;
  const alive = (run: () => void) => () => {
    if (isAlive()) run();
  };
  return {
    nowMs: () => clock.wallMs() + skewMs,
    monotonicMs: () => clock.atMs,
    sleep: (ms) => new Promise((resolve) => clock.after(ms, alive(resolve))),
    timer: (ms, run) => clock.after(ms, alive(run)),
    defer: (run) => void clock.after(0, alive(run)),
    random: chance.random,
    id() {
      ids += 1;
      return `${name}-${ids}`;
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => chance.between(0, 255))),
  };
}
