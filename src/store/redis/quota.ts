import { readFileSync } from 'node:fs';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { z } from 'zod';
import { takePoints } from '../limiter.ts';
import type { OpenQuota } from '../quota.ts';
import type { RedisClient } from './client.ts';
import { confirmed } from './confirmed.ts';

/** A reply waits this long for the answer; after that, its process goes by its own share. */
const WITHIN_MS = 200;

const TAKE = readFileSync(new URL('./take-quota.lua', import.meta.url), 'utf8');

export function createRedisQuotas({
  commands,
  run,
  keys,
}: Pick<RedisClient, 'commands' | 'run' | 'keys'>): OpenQuota {
  const shared = { storeClient: commands, keyPrefix: '', duration: 1, customIncrTtlLuaScript: TAKE };
  return (name, perSecond) => {
    const limiter = new RateLimiterRedis({ ...shared, points: perSecond });
    const everyMs = (1000 / perSecond).toFixed(3);
    return {
      async take(wanted) {
        return confirmed(takePoints(limiter, keys().quota(name).count, wanted), WITHIN_MS);
      },
      async takePlaces(wanted) {
        const places = run('takePlaces', [keys().quota(name).line], [wanted, everyMs]);
        return z.number().parse(await confirmed(places, WITHIN_MS));
      },
      async refused(afterMs) {
        const { count, refusals } = keys().quota(name);
        const pauseMs = run('refuse', [refusals, count], [afterMs]);
        return z.number().parse(await confirmed(pauseMs, WITHIN_MS));
      },
    };
  };
}
