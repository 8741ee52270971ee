import { describe, expect, it } from 'vitest';
import { runHistory } from './history.ts';

/** Some seconds of it; `npm run simulate` goes on from there. */
const SEEDS = Array.from({ length: 8 }, (_, at) => at + 1);

describe('The simulator', () => {
  const hashes = new Set<string>();

  it.each(SEEDS)('finds no promise broken in the history of seed %i', async (seed) => {
    const { breaches, messages, hash } = await runHistory(seed);
    expect(breaches).toEqual([]);
    expect(messages).toBeGreaterThan(100);
    hashes.add(hash);
  });

  it('runs the same history for the same seed, and another one for another', async () => {
    const { hash } = await runHistory(5);
    expect(hashes.has(hash)).toBe(true);
    expect(hashes.size).toBe(SEEDS.length);
  });
});
