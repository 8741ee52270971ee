import { beforeAll, describe, expect, it } from 'vitest';
import { sumOf, underFloor } from './counts.ts';
import { type History, runHistory } from './history.ts';
import { find, PLANTED } from './planted.ts';

/** Some seconds of it; `npm run simulate` goes on from there. */
const SEEDS = [1, 12];
/** `npm run simulate -- --planted` looks for all defects. */
const QUICK = [
  'an operation that is being looked up is forgotten with its intent',
  'a wake-up is forgotten',
  'the next intent forgets how calls ended',
];

describe('The simulator', () => {
  const histories: History[] = [];
  beforeAll(async () => {
    for (const seed of SEEDS) histories.push(await runHistory(seed));
  });

  it('finds no promise broken', () => {
    expect(histories.filter(({ breaches }) => breaches.length > 0)).toEqual([]);
  });

  it('took every path often enough to prove something of it', () => {
    const sum = sumOf(histories);
    expect(underFloor(sum)).toEqual([]);
    expect(sum.messages).toBeGreaterThan(1000);
  });

  it('runs the same history for the same seed, and another one for another', async () => {
    const [first, again] = [await runHistory(9, { customers: 10 }), await runHistory(9, { customers: 10 })];
    expect([again.hash, again.counts]).toEqual([first.hash, first.counts]);
    expect(new Set(histories.map((one) => one.hash)).size).toBe(SEEDS.length);
  });

  it.each(PLANTED.filter(({ name }) => QUICK.includes(name)))(
    'finds that $name by "$finds"',
    async (planted) => {
      const { found } = await find(planted, 1, 6);
      expect([...found]).toContain(planted.finds);
    },
  );
});
