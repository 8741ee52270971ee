/**
 * How long ago a message was accepted, by the clocks of two machines, the accepting one and this one: they may differ, so
 * it is only for people who look at times. Undefined where nobody wrote.
 */
export function msSince(acceptedMs: number | undefined): number | undefined {
  return acceptedMs === undefined ? undefined : Math.max(0, Date.now() - acceptedMs);
}

/** The same in seconds, as metrics count it; null where nobody wrote. */
export function secondsSince(acceptedMs: number | undefined): number | null {
  const ms = msSince(acceptedMs);
  return ms === undefined ? null : ms / 1000;
}
