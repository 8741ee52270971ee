import { describe, expect, it } from 'vitest';
import { sumOf, underFloor } from './counts.ts';
import { type History, runHistory } from './history.ts';

/** Some seconds of it; `npm run simulate` goes on from there. */
const SEEDS = Array.from({ length: 6 }, (_, at) => at + 1);

describe('The simulator', () => {
  const histories: History[] = [];

  it.each(SEEDS)('finds no promise broken in the history of seed %i', async (seed) => {
    const history = await runHistory(seed);
    expect(history.breaches).toEqual([]);
    histories.push(history);
  });

  it('took every path often enough to prove something of it', () => {
    const messages = histories.reduce((sum, one) => sum + one.messages, 0);
    expect(underFloor(sumOf(histories.map(({ counts }) => counts)), messages)).toEqual([]);
    expect(messages).toBeGreaterThan(1000);
  });

  it('runs the same history for the same seed, and another one for another', async () => {
    const { hash, counts } = await runHistory(5);
    expect(histories).toContainEqual(expect.objectContaining({ seed: 5, hash, counts }));
    const hashes = new Set(histories.map((one) => one.hash));
    expect(hashes.size).toBe(SEEDS.length);
  });
});
