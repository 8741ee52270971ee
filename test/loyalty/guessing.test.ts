import { describe, expect, it } from 'vitest';
import { GuessLimit } from '../../src/loyalty/guess-limit.ts';
import type { CallOutcome } from '../../src/loyalty/port.ts';

/** A process's calls one after the other, on a clock of its own; codes are good as the test says. */
function process() {
  let nowMs = 0;
  let asked = 0;
  let kind: CallOutcome['kind'] = 'refused';
  const alarms: string[] = [];
  const limit = new GuessLimit({ monotonicMs: () => nowMs }, () => alarms.push('code_guessing'));
  async function accumulate(): Promise<CallOutcome> {
    if (!limit.take()) return { kind: 'unavailable' };
    asked += 1;
    await Promise.resolve();
    limit.note(kind);
    return { kind };
  }
  return {
    alarms,
    get asked() {
      return asked;
    },
    later(ms: number) {
      nowMs += ms;
    },
    async tries(count: number, outcome: CallOutcome['kind']) {
      kind = outcome;
      for (let n = 0; n < count; n++) await accumulate();
    },
    together: (count: number) => Promise.all(Array.from({ length: count }, accumulate)),
  };
}

describe('codes guessed by many', () => {
  it('get no further than sixty in one go and one a second, with an alarm', async () => {
    const bot = process();
    await bot.tries(500, 'refused');
    expect(bot.asked).toBe(60);
    expect(bot.alarms).toEqual(['code_guessing']);
    bot.later(10_000);
    await bot.tries(500, 'refused');
    expect(bot.asked).toBe(70);
  });

  it('do not all pass because they are sent at once', async () => {
    const bot = process();
    const outcomes = await bot.together(500);
    expect(bot.asked).toBe(60);
    expect(outcomes.filter(({ kind }) => kind === 'unavailable')).toHaveLength(440);
  });

  it('are told from a busy day, on which every other code is mistyped', async () => {
    const bot = process();
    for (let n = 0; n < 1000; n++) {
      await bot.tries(1, 'refused');
      await bot.tries(1, 'applied');
    }
    expect(bot.asked).toBe(2000);
    expect(bot.alarms).toEqual([]);
  });

  it('are not what an outage is', async () => {
    const bot = process();
    await bot.tries(500, 'unknown');
    await bot.tries(500, 'unavailable');
    expect(bot.asked).toBe(1000);
  });
});
