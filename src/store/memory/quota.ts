import { realWorld, type World } from '../../engine/world.ts';
import { bucketOf, type OpenQuota, type Quota, SCARCE_MS, TOGETHER_MS } from '../quota.ts';

/** For one process. `store/redis/pace.lua` is the same for all of them. */
export function createMemoryQuota(perSecond: number, world: Pick<World, 'monotonicMs'> = realWorld): Quota {
  const { relaxedMs, tightMs, burstMs } = bucketOf(perSecond);
  /** When the bucket is empty, since when none found room, when the next place in the line is. */
  let fullMs = 0;
  let scarceMs: number | undefined;
  let lineMs = 0;
  let refusal = { atMs: Number.NEGATIVE_INFINITY, waitMs: 0 };
  let pausedUntilMs = 0;

  return {
    async take({ sent, wanted, withinMs }) {
      const nowMs = world.monotonicMs();
      fullMs = Math.max(nowMs, fullMs) + sent * relaxedMs;
      const aheadMs = fullMs - nowMs - burstMs;
      if (aheadMs + relaxedMs <= 0) scarceMs = undefined;
      const isTight = scarceMs !== undefined && nowMs - scarceMs >= SCARCE_MS;
      const stepMs = isTight ? tightMs : relaxedMs;
      const fitting = Math.floor((withinMs - aheadMs) / stepMs);
      const granted = Math.max(0, Math.min(wanted, fitting));
      fullMs += granted * stepMs;
      const afterMs = fullMs - nowMs - burstMs;
      scarceMs = afterMs > 0 ? (scarceMs ?? nowMs) : undefined;
      return { granted, aheadMs, stepMs, room: Math.max(0, Math.floor(-afterMs / relaxedMs)) };
    },
    async line() {
      const nowMs = world.monotonicMs();
      const placeMs = Math.max(nowMs, lineMs);
      lineMs = placeMs + tightMs;
      return placeMs - nowMs;
    },
    async refused(afterMs) {
      const nowMs = world.monotonicMs();
      const isSecond = nowMs - refusal.atMs < TOGETHER_MS;
      const waitMs = isSecond ? Math.min(refusal.waitMs, afterMs) : afterMs;
      refusal = { atMs: nowMs, waitMs };
      if (!isSecond) return 0;
      if (pausedUntilMs <= nowMs) {
        // What was taken already leaves as much later.
        fullMs = Math.max(fullMs, nowMs + burstMs) + waitMs;
        pausedUntilMs = nowMs + waitMs;
      }
      return pausedUntilMs - nowMs;
    },
  };
}

export const openMemoryQuota: OpenQuota = (_name, perSecond) => createMemoryQuota(perSecond);
