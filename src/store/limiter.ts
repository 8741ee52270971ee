import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import type { Granted } from './quota.ts';

type Limiter = Pick<RateLimiterAbstract, 'consume' | 'points'>;

/** Takes points, or as many as are left; rejects only where the limiter's store fails. */
export async function takePoints(limiter: Limiter, key: string, wanted: number): Promise<Granted> {
  const { consumedPoints, msBeforeNext } = await consume(limiter, key, wanted);
  const first = consumedPoints - wanted + 1;
  const last = Math.min(consumedPoints, limiter.points);
  return { first, count: Math.max(0, last - first + 1), leftMs: msBeforeNext };
}

/** The library rejects with the count where it is too high. */
async function consume(limiter: Limiter, key: string, points: number): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key, points);
  } catch (tooMany) {
    if (tooMany instanceof RateLimiterRes) return tooMany;
    throw tooMany;
  }
}
