import { readFileSync } from 'node:fs';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { z } from 'zod';
import { takePoints } from '../limiter.ts';
import type { OpenQuota } from '../quota.ts';
import { confirmed } from './confirmed.ts';
import type { Argument, RedisConnection } from './connection.ts';

/** A reply waits this long for the answer; after that, its process goes by its own share. */
const WITHIN_MS = 200;

const TAKE = readFileSync(new URL('./take-quota.lua', import.meta.url), 'utf8');

/** `nameOf`: what a bot's count is called. It throws where nothing may be asked of the store. */
export type QuotaClient = Pick<RedisConnection, 'commands'> & {
  run(script: 'takePlaces' | 'refuse', keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  nameOf(name: string): string;
};

export function createRedisQuotas({ commands, run, nameOf }: QuotaClient): OpenQuota {
  const shared = { storeClient: commands, keyPrefix: '', duration: 1, customIncrTtlLuaScript: TAKE };
  return (name, perSecond) => {
    const limiter = new RateLimiterRedis({ ...shared, points: perSecond });
    const everyMs = (1000 / perSecond).toFixed(3);
    return {
      async take(wanted) {
        return confirmed(takePoints(limiter, nameOf(name), wanted), WITHIN_MS);
      },
      async takePlaces(wanted) {
        const places = run('takePlaces', [`${nameOf(name)}:line`], [wanted, everyMs]);
        return z.number().parse(await confirmed(places, WITHIN_MS));
      },
      async refused(afterMs) {
        const count = nameOf(name);
        const pauseMs = run('refuse', [`${count}:refused`, count], [afterMs]);
        return z.number().parse(await confirmed(pauseMs, WITHIN_MS));
      },
    };
  };
}
