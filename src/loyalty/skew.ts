import type { Skew } from '../conversation/effect.ts';
import type { EffectContext } from '../conversation/perform.ts';
import type { World } from '../engine/world.ts';
import type { Loyalty } from './loyalty.ts';

/** A clock further off than this is out of order: nothing follows from a record that is not there. */
const MAX_SKEW_MS = 2 * 60 * 1000;
/** How far off, either way, a clock is assumed to be of which nothing is known. */
const UNKNOWN: Skew = { ms: 0, errorMs: 31 * 60 * 1000 };

/** How far AntCRM's clock is ahead of the store's now; undefined where it is not known. */
export function measureSkew(
  loyalty: Pick<Loyalty, 'clock'>,
  world: Pick<World, 'monotonicMs'>,
  { nowMs }: Pick<EffectContext, 'nowMs'>,
): Skew | undefined {
  const remote = loyalty.clock();
  if (remote.kind !== 'known') return undefined;
  return { ms: Math.round(remote.aheadMs + world.monotonicMs() - nowMs()), errorMs: remote.errorMs };
}

export const isSmall = ({ ms }: Skew): boolean => Math.abs(ms) <= MAX_SKEW_MS;

/** A span of time by the store's clock as the span by AntCRM's that surely holds it. */
export function byRemoteClock(span: Span, skew: Skew = UNKNOWN): Span {
  return { fromMs: span.fromMs + skew.ms - skew.errorMs, toMs: span.toMs + skew.ms + skew.errorMs };
}

/** Both ends count in. */
export type Span = { readonly fromMs: number; readonly toMs: number };
