import {
  type EffectContext,
  type Intent,
  LeaseLost,
  type Lookup,
  TurnInterrupted,
} from '../conversation/effect.ts';
import type { World } from '../engine/world.ts';
import type { Log } from '../observability/log.ts';
import { measureSkew } from './clock.ts';
import type { AntCrm, Moment, Reads } from './port.ts';

/** What a money-like call is made with. */
export type Tools = {
  readonly antcrm: AntCrm;
  /** Whether AntCRM has `/contacts` (`ANTCRM_CONTACTS`). */
  readonly contacts: 'on' | 'off';
  /** How long one call may take (`ANTCRM_TIMEOUT_MS`). */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly world: World;
};

type Clocks = Pick<World, 'monotonicMs' | 'nowMs'>;

/** Writes the intent. After `go` the call must follow, stopping or not; throws where no call may be begun. */
export async function intend(
  context: EffectContext,
  operation: string,
  intent: Intent,
): Promise<'go' | 'unreplicated'> {
  assertMayBegin(context);
  const intended = await context.intend(operation, intent);
  if (intended === 'go' && context.signal.aborted) throw new LeaseLost();
  return intended;
}

/** AntCRM's reads, none of which begins once the lease is lost or the process is stopping: they throw then. */
export function readsFor(context: EffectContext, antcrm: Reads): Reads {
  const begun = (): Reads => {
    assertMayBegin(context);
    return antcrm;
  };
  return { history: (query) => begun().history(query), contact: (by) => begun().contact(by) };
}

export function assertMayBegin(context: EffectContext): void {
  if (context.signal.aborted) throw new LeaseLost();
  if (context.stopping()) throw new TurnInterrupted();
}

/** What the work comes to; undefined where it takes longer than `ms`, or the lease is lost meanwhile. */
export async function within<T>(
  ms: number,
  { world }: Pick<Tools, 'world'>,
  { signal }: Pick<EffectContext, 'signal'>,
  work: (over: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const done = new AbortController();
  const over = AbortSignal.any([signal, done.signal]);
  try {
    return await Promise.race([work(over), pause(ms, { world }, over)]);
  } finally {
    done.abort();
  }
}

/** Resolves after `ms`, or as soon as `signal` aborts. */
export const pause = (ms: number, { world }: Pick<Tools, 'world'>, signal: AbortSignal): Promise<undefined> =>
  world.sleep(ms, signal).then(
    () => undefined,
    () => undefined,
  );

/** When a call is made, as its lookup needs it. */
export function callOf(
  context: EffectContext,
  tools: Tools,
): Pick<Lookup, 'calledMs' | 'deadlineMs' | 'skew'> {
  const calledMs = context.nowMs();
  return { calledMs, deadlineMs: calledMs + tools.timeoutMs, skew: measureSkew(tools, context) };
}

export function momentIn(ms: number, world: Clocks): Moment {
  return { monotonicMs: world.monotonicMs() + ms, wallMs: world.nowMs() + ms };
}

/** How long ago it was called, by whichever clock says more: one of them stands still while the machine is suspended. */
export function elapsed(world: Clocks): () => number {
  const [monotonicMs, wallMs] = [world.monotonicMs(), world.nowMs()];
  return () => Math.max(world.monotonicMs() - monotonicMs, world.nowMs() - wallMs);
}
