import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { keysOf } from '../../src/store/redis/keys.ts';
import { STATE_MS } from '../../src/store/store.ts';

/** What conversations cost in Redis, bytes each: at rest, and the memory of message ids for two days after. */
export type Cost = { readonly atRest: number; readonly justUsed: number };

const BATCH = 2000;

/**
 * Fills up to `count` conversations at rest, under names of their own: copies of one that the bot has stored, as the
 * store would have written them.
 */
export async function fill(url: string, count: number): Promise<Cost> {
  const redis = new Redis(url);
  try {
    const [sample] = await redis.keys('{b*}m:*');
    const record = sample === undefined ? null : await redis.getBuffer(sample);
    if (sample === undefined || record === null) throw new Error('the bot has stored nothing to copy');
    const memory = Number(await redis.memory('USAGE', sample.replace('}m:', '}d:')));

    const before = await usedBytes(redis);
    const missing = Math.max(0, count - (await redis.keys('{b*}m:*')).length);
    for (let left = missing; left > 0; left -= BATCH) {
      const batch = redis.pipeline();
      for (let at = 0; at < Math.min(BATCH, left); at++) {
        const [key = ''] = keysOf(2).conversation(randomBytes(16).toString('base64url')).own;
        batch.set(key, record, 'PX', STATE_MS);
      }
      await batch.exec();
    }
    const atRest = missing > 0 ? ((await usedBytes(redis)) - before) / missing : Number.NaN;
    return { atRest, justUsed: atRest + memory };
  } finally {
    redis.disconnect();
  }
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}
