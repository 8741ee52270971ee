import { RateLimiterMemory } from 'rate-limiter-flexible';
import { countRefusal, takePoints } from '../limiter.ts';
import { type OpenQuota, passedOf } from '../quota.ts';

/** For one process. */
export const openMemoryQuota: OpenQuota = (name, perSecond) => {
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const refusals = new RateLimiterMemory({ points: 1, duration: 1 });
  let nextPlaceMs = 0;
  return {
    async takePlaces(wanted) {
      const nowMs = performance.now();
      const firstMs = Math.max(nowMs, nextPlaceMs);
      nextPlaceMs = firstMs + (wanted * 1000) / perSecond;
      return firstMs - nowMs;
    },
    async take(wanted) {
      const known = await limiter.get(name);
      const skipped = known ? passedOf(perSecond, known.msBeforeNext) - known.consumedPoints : 0;
      if (skipped > 0) await limiter.penalty(name, skipped);
      return takePoints(limiter, name, wanted);
    },
    refused: (afterMs) => countRefusal([refusals, name], [limiter, name], afterMs),
  };
};
