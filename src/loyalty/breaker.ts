import type { Timer, World } from '../engine/world.ts';

/**
 * How one try ended: with an answer (`json` is undefined where it is none), surely not sent, perhaps carried out, or not
 * even begun (open breaker, all slots taken). `reason` is an error's code or name, safe to log.
 */
export type Tried =
  | { readonly kind: 'answered'; readonly status: number; readonly json: unknown }
  | { readonly kind: 'unsent' | 'lost' | 'declined'; readonly reason: string };

/** What came of each try of a call, in order, and how long it took. `last` decides; `repeated` are those before it. */
export type Attempt = { readonly exchange: Tried; readonly ms: number };
export type Attempts = { readonly repeated: readonly Attempt[]; readonly last: Attempt };
export type BreakerState = 'closed' | 'half-open' | 'open';

const RETRIES = 2;
const BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 500;
/** Retries are at most a tenth of the calls, but for a reserve: they must not multiply the load of an outage. */
const RETRY_RESERVE = 10;
const RETRY_SHARE = 0.1;
/** It opens when more than half of the last calls, at least so many, could not connect, timed out or came back as 5xx. */
const WINDOW = 20;
const AT_LEAST = 5;
/** A slot is waited for: a burst on a quick AntCRM passes, while a slow one holds up no turn that could serve others. */
const QUEUE_MS = 1000;

const BREAKER_OPEN: Tried = { kind: 'declined', reason: 'breaker-open' };
const BULKHEAD_FULL: Tried = { kind: 'declined', reason: 'bulkhead-full' };

/** What stands between a call and the wire. Never throws. */
export function createBreaker(options: {
  readonly world: Pick<World, 'monotonicMs' | 'sleep' | 'timer' | 'random'>;
  /** How many calls may be under way at once (half the turn slots: docs/how-it-works.md, "A message"). */
  readonly maxCalls: number;
  /** How long it stays open before the next trial. */
  readonly breakerMs: number;
  /** The trial: a harmless read, which no customer has to ask for in vain. */
  readonly probe: () => Promise<Tried>;
  readonly onState: (state: BreakerState) => void;
}) {
  const { world, breakerMs, probe, onState } = options;
  let state: BreakerState = 'closed';
  let lately: readonly boolean[] = [];
  let trial: Timer | undefined;
  let isClosed = false;
  let slots = options.maxCalls;
  let retries = RETRY_RESERVE;
  const waiting = new Set<(isMine: boolean) => void>();

  function become(next: BreakerState): void {
    state = next;
    lately = [];
    onState(next);
    if (next === 'open' && !isClosed) trial = world.timer(breakerMs, tryAgain);
  }

  async function tryAgain(): Promise<void> {
    become('half-open');
    const exchange = await probe();
    become(exchange.kind === 'answered' && !isSick(exchange) ? 'closed' : 'open');
  }

  async function attempt(send: () => Promise<Tried>): Promise<Tried> {
    if (state !== 'closed') return BREAKER_OPEN;
    const exchange = await send();
    // What was begun before it opened says nothing new.
    if (state !== 'closed') return exchange;
    const isFailure = isSick(exchange);
    lately = [...lately, isFailure].slice(-WINDOW);
    const failures = lately.filter(Boolean).length;
    if (isFailure && lately.length >= AT_LEAST && failures > lately.length / 2) become('open');
    return exchange;
  }

  /** False: there was none in time. */
  async function takeSlot(): Promise<boolean> {
    if (slots > 0) return slots-- > 0;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    waiting.add(resolve);
    const patience = world.timer(QUEUE_MS, () => waiting.delete(resolve) && resolve(false));
    return promise.finally(() => patience.cancel());
  }

  function giveSlot(): void {
    const [next] = waiting;
    if (next === undefined) slots += 1;
    else if (waiting.delete(next)) next(true);
  }

  return {
    /**
     * Repeated at most twice, within the time left and the retry budget: a read on any failure, a write only where it was
     * surely not sent. `leftMs` tells how long the call still has. Declined unless the breaker is closed.
     */
    async call(kind: 'read' | 'write', send: () => Promise<Tried>, leftMs: () => number): Promise<Attempts> {
      let startMs = world.monotonicMs();
      const repeated: Attempt[] = [];
      const ended = (exchange: Tried): Attempt => ({ exchange, ms: world.monotonicMs() - startMs });
      if (!(await takeSlot())) return { repeated, last: ended(BULKHEAD_FULL) };
      try {
        retries = Math.min(RETRY_RESERVE, retries + RETRY_SHARE);
        for (let backoffMs = BACKOFF_MS; ; backoffMs = Math.min(MAX_BACKOFF_MS, 2 * backoffMs)) {
          startMs = world.monotonicMs();
          const last = ended(await attempt(send));
          const mayRepeat = repeated.length < RETRIES && retries >= 1 && leftMs() > MAX_BACKOFF_MS;
          if (!mayRepeat || !isRepeatable(kind, last.exchange)) return { repeated, last };
          retries -= 1;
          repeated.push(last);
          await world.sleep(backoffMs * (0.5 + world.random() / 2));
        }
      } finally {
        giveSlot();
      }
    },
    isUp: (): boolean => state === 'closed',
    /** Ends the trials. */
    close(): void {
      isClosed = true;
      trial?.cancel();
    },
  };
}

/** AntCRM is overloaded, or not there. */
const isSick = (exchange: Tried): boolean =>
  exchange.kind === 'answered' ? exchange.status >= 500 : SICK.has(exchange.reason);

const SICK: ReadonlySet<string> = new Set(
  'TimeoutError ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT'.split(' '),
);

function isRepeatable(kind: 'read' | 'write', exchange: Tried): boolean {
  if (exchange.kind === 'unsent') return true;
  if (kind === 'write') return false;
  if (exchange.kind !== 'answered') return exchange.kind === 'lost';
  return exchange.status >= 500 || (exchange.status === 200 && exchange.json === undefined);
}
