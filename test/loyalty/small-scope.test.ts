import { beforeAll, describe, expect, it } from 'vitest';
import { enumerate, type Scope } from './small-scope.ts';

/** How many things happen besides the call: with three, tens of millions of cases. */
const MOST = process.env.FAULTS === 'long' ? 3 : 2;
const TWO_MINUTES_MS = 120_000;

describe('Every small history', () => {
  let scope: Scope;
  let tookMs = 0;
  beforeAll(() => {
    const startMs = performance.now();
    scope = enumerate(MOST);
    tookMs = performance.now() - startMs;
  }, 2 * TWO_MINUTES_MS);

  it('is never told falsely, where any evidence could tell', () => {
    expect(scope.wrong).toEqual([]);
  });

  it('was asked about: a million cases and more, each verdict and each doubt among them', () => {
    expect(scope.cases).toBeGreaterThan(1_000_000);
    expect(tookMs).toBeLessThan(TWO_MINUTES_MS);
    for (const is of ['applied', 'refused', 'notApplied', 'undecided'])
      expect([is, scope.verdicts[is]]).toEqual([is, expect.any(Number)]);
    for (const why of ['balance', 'lag', 'several', 'strange', 'unseen'] as const)
      expect([why, scope.undecided[why]]).toEqual([why, expect.any(Number)]);
  });
});
