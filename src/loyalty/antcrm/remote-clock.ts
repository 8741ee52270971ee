import type { RemoteClock } from '../loyalty.ts';

/** An answer's `Date`, epoch ms (null: it had none), and between which moments of `performance.now()` it was written. */
export type Dated = { readonly dateMs: number | null; readonly sentMs: number; readonly answeredMs: number };

/** `Date` has whole seconds, cut off: on average half of one is missing. */
const HALF_SECOND_MS = 500;
const MIN_ERROR_MS = 1000;
/** An answer that took longer tells less than the quicker ones before it. */
const QUICK_MS = 2000;
/** Few, so that most of them are new soon after AntCRM's clock was corrected. */
const KEPT = 5;
const KEPT_MS = 10 * 60 * 1000;

type Measurement = { readonly aheadMs: number; readonly errorMs: number; readonly atMs: number };

/**
 * Measures AntCRM's clock by the answers that it gives anyway: the median of the last few, so that one wrong answer (of a
 * proxy, perhaps) changes little. `now`: `performance.now()`.
 */
export function createRemoteClock(now: () => number = () => performance.now()) {
  let kept: readonly Measurement[] = [];
  /** When it last answered without a `Date`. */
  let untoldMs = Number.NEGATIVE_INFINITY;

  const isFresh = (atMs: number): boolean => now() - atMs < KEPT_MS;

  function note({ dateMs, sentMs, answeredMs }: Dated): void {
    if (dateMs === null) {
      untoldMs = answeredMs;
      return;
    }
    const tookMs = answeredMs - sentMs;
    const fresh = kept.filter(({ atMs }) => isFresh(atMs));
    if (tookMs > QUICK_MS && fresh.length > 0) return;
    const measurement = {
      aheadMs: dateMs + HALF_SECOND_MS - (sentMs + answeredMs) / 2,
      errorMs: HALF_SECOND_MS + tookMs / 2,
      atMs: answeredMs,
    };
    kept = [...fresh, measurement].slice(-KEPT);
  }

  function read(): RemoteClock {
    const fresh = kept.filter(({ atMs }) => isFresh(atMs));
    if (fresh.length === 0) return { kind: isFresh(untoldMs) ? 'untold' : 'unasked' };
    const errorMs = Math.max(MIN_ERROR_MS, ...fresh.map((one) => one.errorMs));
    return { kind: 'known', aheadMs: median(fresh.map(({ aheadMs }) => aheadMs)), errorMs };
  }

  return { note, read };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
