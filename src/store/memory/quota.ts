import { RateLimiterMemory } from 'rate-limiter-flexible';
import { takePoints } from '../limiter.ts';
import { type OpenQuota, passedOf } from '../quota.ts';

/** For one process. */
export const openMemoryQuota: OpenQuota = (name, perSecond) => {
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  let refusal = { untilMs: 0, afterMs: 0 };
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
    async refused(afterMs) {
      const nowMs = performance.now();
      const isSecond = nowMs < refusal.untilMs;
      const shorterMs = isSecond ? Math.min(afterMs, refusal.afterMs) : afterMs;
      refusal = { untilMs: nowMs + 1000, afterMs: shorterMs };
      if (!isSecond) return 0;
      await limiter.block(name, shorterMs / 1000);
      return shorterMs;
    },
  };
};
