/**
 * Seeds that broke a promise once, each in the version of its day: `npm test` runs them all. A seed gives
 * another history once the code or the rates have changed, so what it showed also has a test of its own.
 */
export const BROKEN_SEEDS = [
  // A receipt was dropped after leases that ended before its sending began: test/engine/kept-replies.test.ts.
  4244, 9000393, 9000611, 555039, 556101, 638043027,
  // After a failover an operation that had ended took its lock again, for two hours: test/engine/record.test.ts.
  9000457,
  // A failover lost an outcome that too few replicas had, and not the end of its lock: test/engine/kept-replies.test.ts.
  9000646,
];
