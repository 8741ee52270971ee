const MAX_PAUSE_MS = 60_000;

/** A pause that doubles with each failure, up to a minute; with jitter, so that many callers do not come back at once. */
export function backoffMs(failures: number, firstMs: number): number {
  return Math.min(firstMs * 2 ** failures, MAX_PAUSE_MS) * (0.5 + Math.random() / 2);
}

/** A whole number of seconds, 1 to `maxS`, at random: for a `Retry-After` that many callers get at once. */
export function anySeconds(maxS: number): number {
  return 1 + Math.floor(Math.random() * maxS);
}
