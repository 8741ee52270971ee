import type { EffectContext, Skew } from '../conversation/effect.ts';
import type { World } from '../engine/world.ts';
import type { AntCrm, RemoteClock } from './port.ts';

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
 * proxy, perhaps) changes little.
 */
export function createRemoteClock(world: Pick<World, 'monotonicMs'>) {
  let kept: readonly Measurement[] = [];
  /** When it last answered without a `Date`. */
  let untoldMs = Number.NEGATIVE_INFINITY;

  const isFresh = (atMs: number): boolean => world.monotonicMs() - atMs < KEPT_MS;

  /** An answer's header `Date`, and between which moments it was written. */
  function note(date: string | undefined, sentMs: number, answeredMs: number): void {
    const dateMs = Date.parse(date ?? '');
    if (Number.isNaN(dateMs)) {
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
    const sorted = fresh.map(({ aheadMs }) => aheadMs).sort((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    const aheadMs = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
    return { kind: 'known', aheadMs, errorMs };
  }

  return { note, read };
}

/** A clock further off than this is out of order: nothing follows from a record that is not there. */
const MAX_SKEW_MS = 2 * 60 * 1000;
/** How far off, either way, a clock is assumed to be of which nothing is known. */
const UNKNOWN: Skew = { ms: 0, errorMs: 31 * 60 * 1000 };

type Clocks = { readonly antcrm: Pick<AntCrm, 'clock'>; readonly world: Pick<World, 'monotonicMs'> };

/** How far AntCRM's clock is ahead of the store's now; undefined where it is not known. */
export function measureSkew(
  { antcrm, world }: Clocks,
  { nowMs }: Pick<EffectContext, 'nowMs'>,
): Skew | undefined {
  const remote = antcrm.clock();
  if (remote.kind !== 'known') return undefined;
  return { ms: Math.round(remote.aheadMs + world.monotonicMs() - nowMs()), errorMs: remote.errorMs };
}

export const isSmall = ({ ms }: Skew): boolean => Math.abs(ms) <= MAX_SKEW_MS;

/** Both ends count in. */
export type Span = { readonly fromMs: number; readonly toMs: number };

/** A span of time by the store's clock as the span by AntCRM's that surely holds it. */
export function byRemoteClock(span: Span, skew: Skew = UNKNOWN): Span {
  return { fromMs: span.fromMs + skew.ms - skew.errorMs, toMs: span.toMs + skew.ms + skew.errorMs };
}
