import type { World } from '../engine/world.ts';
import type { Log } from '../observability/log.ts';
import type { Loyalty } from './loyalty.ts';

/** What a money-like call is made with. */
export type Tools = {
  readonly loyalty: Loyalty;
  /** Whether AntCRM has `/contacts` (`ANTCRM_CONTACTS`). */
  readonly contacts: 'on' | 'off';
  /** How long one call may take (`ANTCRM_TIMEOUT_MS`). */
  readonly callTimeoutMs: number;
  readonly log: Log;
  readonly world: World;
};

/** Resolves after `ms`, or as soon as `signal` aborts. */
export const pause = (world: Pick<World, 'sleep'>, ms: number, signal: AbortSignal): Promise<undefined> =>
  world.sleep(ms, signal).then(
    () => undefined,
    () => undefined,
  );

/** How long ago it was called, by whichever clock says more: one of them stands still while the machine is suspended. */
export function elapsed(world: Pick<World, 'monotonicMs' | 'nowMs'>): () => number {
  const [monotonicMs, wallMs] = [world.monotonicMs(), world.nowMs()];
  return () => Math.max(world.monotonicMs() - monotonicMs, world.nowMs() - wallMs);
}
