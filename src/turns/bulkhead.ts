/** There is no room, and none will be soon. */
export const NO_ROOM = Symbol('no room');

/**
 * A bounded number of calls at once, so that a platform that hangs holds up nothing but itself. A caller that finds no room
 * waits while calls come and go: until a place is free, or until a call takes longer than `stuckMs`. From then on it gets
 * `NO_ROOM` at once, until that call has ended. Rejects as `work` does.
 */
export type Bulkhead = <Result>(work: () => Promise<Result>) => Promise<Result | typeof NO_ROOM>;

export function createBulkhead(room: number, stuckMs: number): Bulkhead {
  /** Oldest first. */
  const running = new Set<Call>();
  const waiting: ((call: Call | null) => void)[] = [];
  let isTimed = false;

  function begin(): Call {
    const call = { sinceMs: performance.now() };
    running.add(call);
    return call;
  }

  /** Null: no room. */
  function enter(): Call | null | Promise<Call | null> {
    if (running.size < room) return begin();
    const leftMs = stuckInMs();
    if (leftMs <= 0) return null;
    const { promise, resolve } = Promise.withResolvers<Call | null>();
    waiting.push(resolve);
    turnAwayIn(leftMs);
    return promise;
  }

  function end(call: Call): void {
    running.delete(call);
    const next = waiting.shift();
    if (next !== undefined) next(begin());
  }

  function stuckInMs(): number {
    const [oldest] = running;
    return oldest === undefined ? stuckMs : oldest.sinceMs + stuckMs - performance.now();
  }

  function turnAwayIn(ms: number): void {
    if (!isTimed) setTimeout(turnAway, ms);
    isTimed = true;
  }

  function turnAway(): void {
    isTimed = false;
    if (waiting.length === 0) return;
    const leftMs = stuckInMs();
    if (leftMs > 0) turnAwayIn(leftMs);
    else for (const resolve of waiting.splice(0)) resolve(null);
  }

  return async (work) => {
    const call = await enter();
    if (call === null) return NO_ROOM;
    try {
      return await work();
    } finally {
      end(call);
    }
  };
}

type Call = { readonly sinceMs: number };
