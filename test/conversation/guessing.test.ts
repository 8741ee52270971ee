import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/conversation/effect.ts';
import { Dialogue, STAFF, TELEGRAM } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

const MINUTE_MS = 60_000;

/** A customer at the summary of an accumulation whose codes AntCRM takes or refuses, as `good` says. */
function guesser(sender = TELEGRAM) {
  let code = 0;
  let good = false;
  const chat = new Dialogue(sender);
  chat.answers = (effect): Outcome =>
    effect.kind === 'accumulate'
      ? { kind: good ? 'applied' : 'refused', operation: effect.operation }
      : { kind: 'unavailable' };
  return {
    chat,
    /** What the bot says to one more code, from the command on. */
    tries(isGood = false): string[] {
      good = isGood;
      code += 1;
      chat.text(`tích điểm TIVI${String(code).padStart(9, '0')} 0912345678 minh@example.vn`);
      return chat.keys.includes('accumulate.summary') ? chat.press('confirm').keys : chat.keys;
    },
  };
}

describe('guessing codes', () => {
  test('is slowed down from the fifth wrong one on, longer each time, up to an hour', () => {
    const { chat, tries } = guesser();
    for (let n = 0; n < 4; n++) expect(tries()).toEqual(['accumulate.refused', 'accumulate.askCode']);
    for (const minutes of [1, 5, 30, 60, 60, 60]) {
      expect(tries()).toEqual(['accumulate.refused', 'abuse.tooManyAttempts']);
      expect(chat.question).toMatchObject({ params: { minutes }, asks: 'menu' });
      chat.later(minutes * MINUTE_MS - 1);
      expect(tries()).toEqual(['abuse.tooManyAttempts']);
      chat.later(1);
    }
  });

  test('is stopped before anything is asked for, and nothing else is', () => {
    const { chat, tries } = guesser();
    for (let n = 0; n < 5; n++) tries();
    const called = chat.effects.length;
    expect(chat.text('tích điểm').keys).toEqual(['abuse.tooManyAttempts']);
    expect(chat.send({ kind: 'start', payload: 'TIVI000000099' }).keys).toEqual(['abuse.tooManyAttempts']);
    expect(chat.send({ kind: 'form', code: 'TIVI000000099', phone: '0912345678' }).keys).toEqual([
      'abuse.tooManyAttempts',
    ]);
    expect(chat.text('TIVI000000099').keys).toEqual(['abuse.tooManyAttempts']);
    expect(chat.text('đổi quà').keys).toEqual(['redeem.askGift']);
    expect(chat.effects).toHaveLength(called);
  });

  test('is forgiven with a good code, so that two slips punish nobody', () => {
    const { tries } = guesser();
    for (let round = 0; round < 20; round++) {
      expect(tries()).toContain('accumulate.refused');
      expect(tries()).toContain('accumulate.refused');
      expect(tries(true)).toContain('accumulate.done');
    }
  });

  test('is forgotten a day after the last wrong code', () => {
    const { chat, tries } = guesser();
    for (let n = 0; n < 4; n++) tries();
    chat.later(24 * 60 * MINUTE_MS);
    expect(tries()).toContain('accumulate.askCode');
  });

  test('is not forgotten by asking to be forgotten', () => {
    const { chat, tries } = guesser();
    for (let n = 0; n < 5; n++) tries();
    expect(chat.text('/forget').keys).toEqual(['privacy.erased']);
    expect(tries()).toEqual(['abuse.tooManyAttempts']);
  });

  test('counts what was refused late, too, and holds up a summary that was shown meanwhile', () => {
    const { chat, tries } = guesser();
    for (let n = 0; n < 4; n++) tries();
    chat.answers = (effect): Outcome =>
      effect.kind === 'accumulate'
        ? {
            kind: 'unknown',
            operation: effect.operation,
            lookup: {
              ...{ kind: 'accumulate', by: { kind: 'phone', value: '+84912345678' }, code: 'X' },
              ...{ fromMs: chat.nowMs, deadlineMs: chat.nowMs, baseline: [], locks: [] },
            },
          }
        : {
            kind: 'checked',
            operation: effect.kind === 'check' ? effect.operation : '',
            found: 'refused',
          };
    chat.text('tích điểm TIVI000000090 0912345678 minh@example.vn').press('confirm');
    chat.text('tích điểm TIVI000000091 0912345678 minh@example.vn');
    const summary = chat.question;
    for (const ms of [5000, 15_000, 40_000, 240_000]) chat.later(ms).wake();
    expect(chat.keys).toEqual(['operation.resolved.notApplied']);
    chat.send({ kind: 'choice', choice: summary.choices?.[0]?.id ?? '', view: summary.view });
    expect(chat.keys).toEqual(['abuse.tooManyAttempts', 'accumulate.summary']);
  });

  test('is counted for staff, too: a stolen token must not be worth more', () => {
    const { tries } = guesser(STAFF);
    for (let n = 0; n < 5; n++) tries();
    expect(tries()).toEqual(['abuse.tooManyAttempts']);
  });

  test('gets no more than its share of calls, whatever is tried when', () => {
    const move = fc.record({ good: fc.constant(false), waitMs: fc.integer({ min: 0, max: 90 * MINUTE_MS }) });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const { chat, tries } = guesser();
        const calledAtMs: number[] = [];
        for (const { good, waitMs } of moves) {
          chat.later(waitMs);
          const before = chat.effects.length;
          tries(good);
          if (chat.effects.length > before) calledAtMs.push(chat.nowMs);
        }
        const waits = calledAtMs.slice(1).map((atMs, index) => atMs - (calledAtMs[index] ?? 0));
        waits.forEach((wait, index) => {
          const least = [0, 0, 0, 0, 1, 5, 30][index] ?? 60;
          expect(wait).toBeGreaterThanOrEqual(least * MINUTE_MS);
        });
      }),
      { numRuns: 100 },
    );
  });
});
