import { expect, test } from 'vitest';
import { confusionsOf, judgeFolds, sharesOf } from '../../src/cli/folds.ts';
import { Model, type ModelText } from '../../src/conversation/language/model.ts';
import { vocabulary } from '../support/conversation.ts';

/* How well lines are understood that were not learnt, and what learning them may cost. */

/** More lines of one heading that are taken for another say that the two headings overlap. */
const MOST_CONFUSED = 16;
const MOST_NAMED = 10;

test('lines that were not learnt are understood, few are misunderstood, and no two headings overlap', () => {
  const judged = judgeFolds();
  const { right, wrong } = sharesOf(judged);
  expect(right).toBeGreaterThanOrEqual(0.67);
  expect(wrong).toBeLessThanOrEqual(0.065);
  const [worst, ...others] = confusionsOf(judged).slice(0, MOST_NAMED);
  const named = [worst, ...others].map(
    (one) => `${one?.pair}: ${one?.lines.map(({ text }) => text).join(' | ')}`,
  );
  expect(worst?.lines.length, named.join('\n')).toBeLessThanOrEqual(MOST_CONFUSED);
  // Computing alone: the limit only ends what hangs, also on a busy machine.
}, 600_000);

const toText = (text: string): ModelText => ({ words: text.toLowerCase().split(' '), spelt: [], denied: [] });
const lessonsOf = (every: number) =>
  vocabulary.examples
    .filter((_, at) => at % every === 0)
    .map(({ act, text }) => ({ act, variants: [toText(text)] as const }));

test('the weights of the model take less than ten megabytes', () => {
  expect(new Model(lessonsOf(1)).bytes).toBeLessThan(10_000_000);
});

test('learning takes as long as its lines are many: four times the lines, less than ten times as long', () => {
  const timeOf = (every: number) => {
    const lessons = lessonsOf(every);
    const times = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      new Model(lessons);
      return process.cpuUsage(before).user;
    });
    return Math.min(...times);
  };
  timeOf(4);
  expect(timeOf(1)).toBeLessThan(10 * timeOf(4));
}, 60_000);
