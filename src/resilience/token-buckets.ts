import { LRUCache } from 'lru-cache';
import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts';

/** At most this many names have a bucket. */
const MAX_NAMES = 10_000;

/**
 * A bucket for each name, in this process.
 *
 * @example
 * const looks = new TokenBuckets({ burst: 30, perSecond: 0.5, runtime });
 * if (!looks.of(`person ${name}`).take()) return 'too many';
 */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #buckets = new LRUCache<string, TokenBucket>({ max: MAX_NAMES });

  constructor(options: TokenBucketOptions) {
    this.#options = options;
  }

  of(name: string): TokenBucket {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#options);
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }
}
