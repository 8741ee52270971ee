import {
  BrokenCircuitError,
  bulkhead,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhenResult,
  retry,
  TaskCancelledError,
} from 'cockatiel';
import type { Exchange } from './transport.ts';

/** What stands between a call and the wire. `left` tells how many ms the call still has. Never throws. */
export type Resilience = {
  /** Repeated at most twice on any failure, within the time left and the retry budget. */
  read(attempt: Attempt, left: () => number): Promise<Exchange>;
  /** Repeated at most twice, and only what was surely not sent. Never the breaker's trial: declined unless it is closed. */
  write(attempt: Attempt, left: () => number): Promise<Exchange>;
  /** Whether the breaker is closed. */
  isUp(): boolean;
  /** Ends the trials. */
  close(): void;
};
type Attempt = () => Promise<Exchange>;

export type BreakerState = 'closed' | 'half-open' | 'open';

export type ResilienceOptions = {
  /** How many calls may be under way at once (half the turn slots: docs/design.md, "A turn"). */
  readonly maxCalls: number;
  /** How long the breaker stays open before it lets one read through. */
  readonly breakerMs: number;
  /**
   * The trial that an open breaker makes by itself, so that no customer has to ask in vain to find out that AntCRM works
   * again.
   */
  readonly probe: Attempt;
  readonly onBreaker: (state: BreakerState) => void;
};

const RETRIES = 2;
const BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 500;
/**
 * The breaker opens when more than half of the last 20 calls (five at least) could not connect, timed out or came back as
 * 5xx.
 */
const BREAKER = { size: 20, minimumNumberOfCalls: 5, threshold: 0.5 };
/**
 * A full bulkhead is waited for this long: a burst on a quick AntCRM passes, while a slow one holds up no turn that
 * could serve somebody else.
 */
const QUEUE_MS = 1000;

export function createResilience(options: ResilienceOptions): Resilience {
  const slots = bulkhead(options.maxCalls, Number.POSITIVE_INFINITY);
  const budget = createRetryBudget();
  const breaker = circuitBreaker(handleWhenResult(flagged('sick')), {
    halfOpenAfter: options.breakerMs,
    breaker: new CountBreaker(BREAKER),
  });
  let trial: NodeJS.Timeout | undefined;
  breaker.onStateChange((state) => {
    options.onBreaker(breakerState(state));
    if (state === CircuitState.Open) tryLater();
  });
  const retries = retry(handleWhenResult(flagged('again')), {
    maxAttempts: RETRIES,
    backoff: new ExponentialBackoff({ initialDelay: BACKOFF_MS, maxDelay: MAX_BACKOFF_MS }),
  });

  const throughBreaker = (attempt: Attempt): Promise<Exchange> =>
    breaker
      .execute(async () => {
        const exchange = await attempt();
        // A trial must be answered: a request that was not sent says nothing about AntCRM's health.
        const onTrial = breaker.state === CircuitState.HalfOpen;
        return { exchange, sick: isSick(exchange) || (onTrial && exchange.kind !== 'answered') };
      })
      .then(({ exchange }) => exchange)
      .catch(declinedBy(BrokenCircuitError, 'breaker-open'));

  const isUp = (): boolean => breaker.state === CircuitState.Closed;

  function tryLater(): void {
    clearTimeout(trial);
    trial = setTimeout(async () => {
      await throughBreaker(options.probe);
      // A timer can come a moment before the breaker's own time is over.
      if (breaker.state === CircuitState.Open) tryLater();
    }, options.breakerMs).unref();
  }

  async function repeated(attempt: Attempt, repeatable: (exchange: Exchange) => boolean, left: () => number) {
    budget.deposit();
    const result = await retries.execute(async (context) => {
      const exchange = await attempt();
      const again =
        context.attempt < RETRIES && repeatable(exchange) && left() > MAX_BACKOFF_MS && budget.withdraw();
      return { exchange, again };
    });
    return result.exchange;
  }

  async function inSlot(run: Attempt): Promise<Exchange> {
    if (slots.executionSlots > 0) return slots.execute(run);
    const patience = new AbortController();
    const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<Exchange>();
    const timer = setTimeout(() => {
      patience.abort();
      giveUp(BULKHEAD_FULL);
    }, QUEUE_MS);
    const turn = slots.execute(() => {
      clearTimeout(timer);
      return run();
    }, patience.signal);
    return Promise.race([turn.catch(declinedBy(TaskCancelledError, 'bulkhead-full')), gaveUp]);
  }

  return {
    read: (attempt, left) => inSlot(() => repeated(() => throughBreaker(attempt), isFailedRead, left)),
    write: (attempt, left) =>
      inSlot(() => repeated(async () => (isUp() ? throughBreaker(attempt) : BREAKER_OPEN), isUnsent, left)),
    isUp,
    close: () => clearTimeout(trial),
  };
}

const BREAKER_OPEN: Exchange = { kind: 'declined', reason: 'breaker-open' };
const BULKHEAD_FULL: Exchange = { kind: 'declined', reason: 'bulkhead-full' };

/** cockatiel refuses by throwing; a refusal is one more way for a call to end. */
const declinedBy =
  (Refusal: new (...args: never[]) => Error, reason: string) =>
  (error: unknown): Exchange => {
    if (error instanceof Refusal) return { kind: 'declined', reason };
    throw error;
  };

const flagged = (flag: 'sick' | 'again') => (result: unknown) =>
  typeof result === 'object' && result !== null && Reflect.get(result, flag) === true;

/** What opens the breaker: AntCRM is overloaded, or not there. */
function isSick(exchange: Exchange): boolean {
  if (exchange.kind === 'answered') return exchange.status >= 500;
  return exchange.kind === 'unsent' || (exchange.kind === 'broken' && exchange.away);
}

const isUnsent = (exchange: Exchange): boolean => exchange.kind === 'unsent';

const isFailedRead = (exchange: Exchange): boolean => {
  if (exchange.kind !== 'answered') return exchange.kind !== 'declined';
  return exchange.status >= 500 || (exchange.status === 200 && exchange.json === undefined);
};

function breakerState(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}

/** Retries are at most a tenth of the calls, but for a reserve of ten: they must not multiply the load of an outage. */
function createRetryBudget() {
  const RESERVE = 10;
  let tokens = RESERVE;
  return {
    deposit: () => {
      tokens = Math.min(RESERVE, tokens + 0.1);
    },
    withdraw: () => {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
