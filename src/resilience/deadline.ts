import type { Runtime } from '../runtime.ts';

type Clocks = Pick<Runtime, 'monotonicMs' | 'nowMs'>;

/**
 * A moment on both clocks, ms. The first clock to reach it counts: the monotonic clock may stand still while
 * the machine is suspended, and the wall clock may be put back.
 */
export type Deadline = { readonly monotonicMs: number; readonly wallMs: number };

/** The moment `ms` from now. */
export function deadlineIn(ms: number, clocks: Clocks): Deadline {
  return { monotonicMs: clocks.monotonicMs() + ms, wallMs: clocks.nowMs() + ms };
}

/** Whether one of the clocks has reached the deadline. */
export function isOver(deadline: Deadline, clocks: Clocks): boolean {
  return clocks.monotonicMs() >= deadline.monotonicMs || clocks.nowMs() >= deadline.wallMs;
}

/**
 * What `work` resolves to; undefined where that takes longer than `ms`, or a `signal` is aborted first. Then
 * the work goes on by itself. Rejects as the work does.
 *
 * @example
 * const points = await waitAtMost(1000, readPoints(phone), { runtime, signal });
 */
export async function waitAtMost<Result>(
  ms: number,
  work: Promise<Result>,
  { runtime, signal }: { readonly runtime: Pick<Runtime, 'timer'>; readonly signal?: AbortSignal },
): Promise<Result | undefined> {
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  const end = (): void => resolve(undefined);
  const timer = runtime.timer(ms, end);
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  try {
    return await Promise.race([work, ended]);
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', end);
  }
}
