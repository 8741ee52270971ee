type Bounds = { readonly baseMs: number; readonly maxMs: number };

/**
 * How long to wait before a retry, ms: doubled with each one, of which up to a half is left out at random.
 * `retry` counts from 0, `random` is in [0, 1).
 *
 * @example
 * await runtime.sleep(backoffMs(retry, { baseMs: 100, maxMs: 500 }, runtime.random()));
 */
export function backoffMs(retry: number, { baseMs, maxMs }: Bounds, random: number): number {
  return Math.min(maxMs, baseMs * 2 ** retry) * (0.5 + random / 2);
}
