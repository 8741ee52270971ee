/**
 * How long ago a message was accepted, by the clocks of the machines that accepted and that asks: they may differ, so it is
 * for people who look at times, and nothing is decided by it. Null where nobody wrote.
 */
export function secondsSince(acceptedMs: number | undefined): number | null {
  return acceptedMs === undefined ? null : Math.max(0, Date.now() - acceptedMs) / 1000;
}
