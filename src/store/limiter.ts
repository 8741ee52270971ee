import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import type { Granted } from './quota.ts';

type Limiter = Pick<RateLimiterAbstract, 'consume' | 'block' | 'points'>;

/** Takes points, or as many as are left; rejects only where the limiter's store fails. */
export async function takePoints(limiter: Limiter, key: string, wanted: number): Promise<Granted> {
  const { consumedPoints, msBeforeNext } = await consume(limiter, key, wanted);
  const first = consumedPoints - wanted + 1;
  const last = Math.min(consumedPoints, limiter.points);
  return { first, count: Math.max(0, last - first + 1), leftMs: msBeforeNext };
}

/** Counts a refusal; the second one within a second blocks the other key. */
export async function countRefusal(
  [refusals, refusalsKey]: readonly [Limiter, string],
  [limiter, key]: readonly [Limiter, string],
  afterMs: number,
): Promise<boolean> {
  const { consumedPoints } = await consume(refusals, refusalsKey, 1);
  if (consumedPoints === 1) return false;
  await limiter.block(key, Math.ceil(afterMs / 1000));
  return true;
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
