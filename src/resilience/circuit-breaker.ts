/** `half-open`: a probe is under way. */
export type BreakerState = 'closed' | 'half-open' | 'open';

/** Allows one call. It belongs to the state in which it was given. */
export type Permit = number;

export type CircuitBreakerOptions = {
  /** How many of the last results count, and how many there must be before the breaker opens. */
  readonly window: number;
  readonly minResults: number;
  /** Called with each new state, after it is set. */
  readonly onState: (state: BreakerState) => void;
};

/**
 * Holds calls back while more than half of the last results of a remote service are failures. The caller
 * decides when to probe; the probe's result closes the breaker or opens it again.
 *
 * @example
 * const breaker = new CircuitBreaker({ window: 20, minResults: 5, onState: observe.breaker });
 * const permit = breaker.admit();
 * if (permit === null) return 'declined';
 * breaker.note(permit, isFailure(await send()));
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  /** Only the breaker changes it. */
  state: BreakerState = 'closed';
  /** Counts the changes of state. */
  #era: Permit = 0;
  /** Whether the last calls failed, oldest first. */
  #results: boolean[] = [];

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** A permit for a call; null unless the breaker is closed. */
  admit(): Permit | null {
    return this.state === 'closed' ? this.#era : null;
  }

  /** A permit for the only probe; null unless the breaker is open. Its result must be noted. */
  admitProbe(): Permit | null {
    if (this.state !== 'open') return null;
    this.#become('half-open');
    return this.#era;
  }

  /** The result of an admitted call. It is ignored if the state has changed since. */
  note(permit: Permit, isFailure: boolean): void {
    if (permit !== this.#era) return;
    if (this.state === 'half-open') {
      this.#become(isFailure ? 'open' : 'closed');
      return;
    }
    const { window, minResults } = this.#options;
    if (this.#results.push(isFailure) > window) this.#results.shift();
    if (!isFailure || this.#results.length < minResults) return;
    const failures = this.#results.filter(Boolean).length;
    if (failures > this.#results.length / 2) this.#become('open');
  }

  #become(state: BreakerState): void {
    this.state = state;
    this.#era += 1;
    this.#results = [];
    this.#options.onState(state);
  }
}
