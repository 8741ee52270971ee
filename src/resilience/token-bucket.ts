import type { Runtime } from '../runtime.ts';

export type TokenBucketOptions = {
  /** How many tokens the bucket holds, at the start, too. */
  readonly burst: number;
  readonly perSecond: number;
  readonly runtime: Pick<Runtime, 'monotonicMs'>;
};

/**
 * Bounds how often something happens: `burst` times at once, and `perSecond` times in the long run.
 *
 * @example
 * const guesses = new TokenBucket({ burst: 60, perSecond: 1, runtime });
 * if (!guesses.take()) return 'too many';
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #sinceMs: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#sinceMs = options.runtime.monotonicMs();
  }

  /** Whether there was a token; true takes it. */
  take(): boolean {
    const nowMs = this.#options.runtime.monotonicMs();
    this.give(((nowMs - this.#sinceMs) / 1000) * this.#options.perSecond);
    this.#sinceMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Adds tokens, up to `burst`. */
  give(count: number): void {
    this.#tokens = Math.min(this.#options.burst, this.#tokens + count);
  }
}
