import { LRUCache } from 'lru-cache';
import { TokenBucket } from '../resilience/token-bucket.ts';
import type { Runtime } from '../runtime.ts';

/** Codes that were not found: thirty at once, then thirty a minute, of each address and of each person. */
const MISSES = { burst: 30, perSecond: 0.5 };
/** As many guessers are told apart. */
const MAX_GUESSERS = 10_000;

/** Bounds how often codes may be guessed. A code that is found costs nothing. */
export class Misses {
  readonly #runtime: Pick<Runtime, 'monotonicMs'>;
  readonly #buckets = new LRUCache<string, TokenBucket>({ max: MAX_GUESSERS });

  constructor(runtime: Pick<Runtime, 'monotonicMs'>) {
    this.#runtime = runtime;
  }

  /** Whether each of the guessers may try one more code. It counts as a miss until `forgive`. */
  take(guessers: readonly string[]): boolean {
    return guessers.map((guesser) => this.#bucketOf(guesser).take()).every(Boolean);
  }

  /** The code was found. */
  forgive(guessers: readonly string[]): void {
    for (const guesser of guessers) this.#bucketOf(guesser).give(1);
  }

  #bucketOf(guesser: string): TokenBucket {
    let bucket = this.#buckets.get(guesser);
    if (bucket === undefined) {
      bucket = new TokenBucket({ ...MISSES, runtime: this.#runtime });
      this.#buckets.set(guesser, bucket);
    }
    return bucket;
  }
}
