import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { storedName } from '../../src/store/redis/records.ts';

const STATE_MS = 180 * 24 * 60 * 60 * 1000;

/** What conversations at rest cost in Redis, bytes each. */
export type Cost = { readonly atRest: number };

const BATCH = 2000;

/**
 * Fills up to `count` conversations at rest, under names of their own: copies of one that the bot has stored, as the
 * store would have written them.
 */
export async function fill(url: string, count: number): Promise<Cost> {
  const redis = new Redis(url);
  try {
    const [sample] = await redis.keys('*}c:*');
    const record = sample === undefined ? null : await redis.getBuffer(sample);
    if (sample === undefined || record === null) throw new Error('the bot has stored nothing to copy');

    const before = await usedBytes(redis);
    const missing = Math.max(0, count - (await redis.keys('*}c:*')).length);
    for (let left = missing; left > 0; left -= BATCH) {
      const batch = redis.pipeline();
      for (let at = 0; at < Math.min(BATCH, left); at++) {
        batch.set(storedName(`c:${randomBytes(16).toString('base64url')}`), record, 'PX', STATE_MS);
      }
      await batch.exec();
    }
    const atRest = missing > 0 ? ((await usedBytes(redis)) - before) / missing : Number.NaN;
    return { atRest };
  } finally {
    redis.disconnect();
  }
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}
