/** ms. */
export type Backoff = { readonly baseMs: number; readonly maxMs: number };

/**
 * How long to wait before a retry, ms: doubled with each one, of which up to a half is left out at random.
 * `retry` counts from 0, `random` is in [0, 1).
 *
 * @example
 * await runtime.sleep(backoffMs(retry, { baseMs: 100, maxMs: 500 }, runtime.random()));
 */
export function backoffMs(retry: number, { baseMs, maxMs }: Backoff, random: number): number {
  return Math.min(maxMs, baseMs * 2 ** retry) * (0.5 + random / 2);
}

/**
 * Bounds retries to a share of the calls, and a reserve of some more, so that they do not multiply the load
 * of an outage.
 *
 * @example
 * const budget = new RetryBudget({ reserve: 10, share: 0.1 });
 * budget.noteCall();
 * if (isRepeatable(await send()) && budget.take()) await send();
 */
export class RetryBudget {
  readonly #limits: { readonly reserve: number; readonly share: number };
  #left: number;

  constructor(limits: { readonly reserve: number; readonly share: number }) {
    this.#limits = limits;
    this.#left = limits.reserve;
  }

  noteCall(): void {
    this.#left = Math.min(this.#limits.reserve, this.#left + this.#limits.share);
  }

  /** Whether one more retry is within the budget; true spends it. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
