import { describe, expect, it } from 'vitest';
import { runHistory } from './history.ts';

/** Some seconds of it; `npm run simulate` goes on from there. */
const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1);

describe('The simulator', () => {
  it.each(SEEDS)('finds no promise broken in the history of seed %i', async (seed) => {
    const { breaches, messages } = await runHistory(seed);
    expect(breaches).toEqual([]);
    expect(messages).toBeGreaterThan(100);
  });

  it('runs the same history for the same seed, and another one for another', async () => {
    const [first, again, other] = [await runHistory(5), await runHistory(5), await runHistory(6)];
    expect(again.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
  });
});
