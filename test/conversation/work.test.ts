import { Session } from 'node:inspector';
import { beforeAll, expect, test, vi } from 'vitest';

/*
 * What a text costs, counted and not timed: how often each block of the conversation ran, by V8's own counts.
 * A pattern goes through its text once (`test/patterns.test.ts`), and built-in functions are quick on 1,000
 * characters.
 */

const SOURCES = /\/src\/conversation\//;
/** Of 1,000 characters: some 20 ms. */
const MOST = 500_000;
/** What costs less may grow as it likes: no text is longer. */
const CHEAP = 100_000;
const OPENINGS = 'chào|tích điểm|đổi quà|lịch sử|tích điểm TIVI000000017 0912345678|gặp nhân viên'.split('|');
/** What grows, what nearly begins something, and what patterns go back over. */
const UNITS =
  '㏂|ﷺ|ﷺﷺﷺﷺ |㏂ |a|1|1 |a |a@|@|@ |a.|a@b.vn |/|www.|a.b/|+84 |0912345678 |-|1/|(|TIVI 1 |trong |không |không phải |mã |đổi quà |' +
  '²|ｆ|a\u0301|\u0301|, |https://a.vn/x |👍|.|TIVI0000001 |loa |2 loa |?|ab1 |x/ab12cd\\|một |bỏ mã 1 |1-|no |to |ok |tháng |1/8 |' +
  'từ |mã ở đâu ? |ddaau |and |dd9 |ề|gặp nhân viên |bỏ cái đầu ';
const repeated = UNITS.split('|').map((unit) => [unit, () => unit] as const);
const fresh = [
  ['fresh words', (n: number) => `w${(n * 7919).toString(36)} `],
  ['fresh codes', (n: number) => `TIVI${n * 7919} `],
] as const;

let workOf: (unit: (n: number) => string, length: number, opening: string, pictures?: number) => number;

beforeAll(async () => {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  // Blocks are counted in what is loaded from now on.
  vi.resetModules();
  const { Dialogue } = await import('../support/dialogue.ts');
  const states = new Map(OPENINGS.map((opening) => [opening, new Dialogue().text(opening).state]));
  const stateAfter = (opening: string) => states.get(opening) ?? expect.fail(opening);
  workOf = (unit, length, opening, pictures = 0) => {
    let text = '';
    for (let n = length; text.length + unit(n).length <= length; n++) text += unit(n);
    const dialogue = new Dialogue();
    dialogue.state = stateAfter(opening);
    const read = { kind: 'read', texts: Array.from({ length: 16 }, () => text) } as const;
    if (pictures === 0) dialogue.text(text);
    else dialogue.send({ kind: 'photo', pictures: Array.from({ length: pictures }, () => read) });
    let count = 0;
    session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      const ours = result.filter(({ url }) => SOURCES.test(url)).flatMap(({ functions }) => functions);
      for (const { ranges } of ours) for (const range of ranges) count += range.count;
    });
    return count;
  };
  // What is made at the first text is no text's.
  for (const [, unit] of repeated) workOf(unit, 50, 'chào');
  return () => session.disconnect();
});

test('pictures full of long codes cost at most as much as some texts', () => {
  const unit = () => 'từ ';
  expect(workOf(unit, 1000, 'chào', 10)).toBeLessThan(6 * workOf(unit, 1000, 'chào'));
});

test.each(OPENINGS.map((opening, at) => ({ opening, at })))(
  'after "$opening", double the length costs at most two and a half times as much',
  ({ opening, at }) => {
    const isLong = process.env.FAULTS === 'long';
    // Each unit after half of the openings; in the long form after all.
    const units = [...repeated, ...fresh].filter((_, n) => isLong || (n + at) % 2 === 0);
    const costs = units.map(([name, unit]) => {
      const whole = workOf(unit, 1000, opening);
      return { name, whole, times: whole < CHEAP ? 1 : whole / workOf(unit, 500, opening) };
    });
    expect(costs.filter(({ whole, times }) => whole > MOST || times > 2.5)).toEqual([]);
  },
);
