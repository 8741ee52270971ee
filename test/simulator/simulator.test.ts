import { beforeAll, describe, expect, it } from 'vitest';
import { BROKEN_SEEDS } from './broken-seeds.ts';
import { sumOf, underFloor } from './counts.ts';
import { type History, runHistory } from './history.ts';
import { find, PLANTED } from './planted.ts';
import { tellStory } from './story.ts';

/** Some seconds of it; `npm run simulate` goes on from there. */
const SEEDS = [3, 14];
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

  it.each(BROKEN_SEEDS)('finds no promise broken with seed %i, which broke one once', async (seed) => {
    const history = await runHistory(seed);
    histories.push(history);
    expect(history.breaches).toEqual([]);
  });

  it('took every path at least as often as its floor', () => {
    const sum = sumOf(histories);
    expect(underFloor(sum)).toEqual([]);
    expect(sum.messages).toBeGreaterThan(1000);
  });

  it('runs the same history for the same seed, and another one for another', async () => {
    const first = await runHistory(9, { customers: 10 });
    const again = await runHistory(9, { customers: 10 });
    expect([again.hash, again.counts]).toEqual([first.hash, first.counts]);
    expect(new Set(histories.map((history) => history.hash)).size).toBe(histories.length);
  });

  it('prints with a breach what happened to its conversation, and when processes ended meanwhile', () => {
    const events = [
      { atMs: 500, what: 'process 1/2 is killed' },
      { atMs: 1000, what: 'chat-1 sends update-7: presses confirm:Q62B225ZZK' },
      { atMs: 1500, what: 'chat-2 sends update-8: writes "menu"' },
      { atMs: 2000, what: 'process 0/1 is killed' },
      { atMs: 2500, what: 'AntCRM applies Q62B225ZZK: the gift LOA01' },
      { atMs: 3000, what: 'chat-1 gets reply 3: redeem.done' },
      { atMs: 3500, what: 'the store fails over and loses its last 4 writes' },
    ];
    const story = tellStory(events, [{ invariant: 'called once', what: 'Q62B225ZZK was called 2 times' }]);
    expect(story.map((line) => line.trim())).toEqual([
      '1.000 s  chat-1 sends update-7: presses confirm:Q62B225ZZK',
      '2.000 s  process 0/1 is killed',
      '2.500 s  AntCRM applies Q62B225ZZK: the gift LOA01',
      '3.000 s  chat-1 gets reply 3: redeem.done',
    ]);
  });

  it.each(PLANTED.filter(({ name }) => QUICK.includes(name)))(
    'finds that $name by "$finds"',
    async (planted) => {
      const { found } = await find(planted, 1, 6);
      expect([...found]).toContain(planted.finds);
    },
  );
});
