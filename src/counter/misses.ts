import { TokenBuckets } from '../resilience/token-buckets.ts';
import type { Runtime } from '../runtime.ts';

/** Codes that were not found: thirty at once, then thirty a minute, of each address and of each person. */
const MISSES = { burst: 30, perSecond: 0.5 };

/** Bounds how often codes may be guessed. A code that is found costs nothing. */
export class Misses {
  readonly #buckets: TokenBuckets;

  constructor(runtime: Pick<Runtime, 'monotonicMs'>) {
    this.#buckets = new TokenBuckets({ ...MISSES, runtime });
  }

  /** Whether each of the guessers may try one more code. It counts as a miss until `forgive`. */
  take(guessers: readonly string[]): boolean {
    return guessers.map((guesser) => this.#buckets.of(guesser).take()).every(Boolean);
  }

  /** The code was found. */
  forgive(guessers: readonly string[]): void {
    for (const guesser of guessers) this.#buckets.of(guesser).give(1);
  }
}
