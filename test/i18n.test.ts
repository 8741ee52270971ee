import { expect, it } from 'vitest';
import type { Wording } from '../src/conversation/message.ts';
import type { Line } from '../src/conversation/reply.ts';
import { createWords, WORDING } from '../src/i18n.ts';

const resources: Wording = {
  ...WORDING,
  vi: {
    balance: 'Bạn có {{points, number}} điểm.',
    balance_unknown: 'Chưa biết số điểm.',
    count_other: '{{count, number}} mục',
    record: '{{at, datetime}} · {{what}}',
    hello: 'Chào {{name}}!',
    ask: '{{slot}} của bạn là gì?',
    slot: 'Số điện thoại',
  },
  en: {
    balance: 'You have {{points, number}} points.',
    count_one: '{{count, number}} record',
    count_other: '{{count, number}} records',
    record: '{{at, datetime}} · {{what}}',
    period: 'From {{from, date}}',
    hello: 'Hello {{name}}!',
  },
};
const words = createWords({ timeZone: 'Asia/Ho_Chi_Minh', resources });
const at = Date.UTC(2026, 10, 25, 8, 47);
const record = { key: 'record', params: { at, what: 'Tivi' } };

it.each<['vi' | 'en', Line, string]>([
  // Digits are grouped as each language does. Times are of the time zone, day first, the same in both.
  ['vi', { key: 'balance', params: { points: 1234567 } }, 'Bạn có 1.234.567 điểm.'],
  ['en', { key: 'balance', params: { points: 1234 } }, 'You have 1,234 points.'],
  ['vi', record, '25/11/2026 15:47 · Tivi'],
  ['en', record, '25/11/2026 15:47 · Tivi'],
  ['en', { key: 'period', params: { from: at } }, 'From 25/11/2026'],
  // The variant of a context, and of a count.
  ['vi', { key: 'balance', context: 'unknown' }, 'Chưa biết số điểm.'],
  ['vi', { key: 'count', params: { count: 1 } }, '1 mục'],
  ['en', { key: 'count', params: { count: 1 } }, '1 record'],
  ['en', { key: 'count', params: { count: 2000 } }, '2,000 records'],
  // A line within a line, and a text that has both languages.
  ['vi', { key: 'ask', params: { slot: { key: 'slot' } } }, 'Số điện thoại của bạn là gì?'],
  ['en', { key: 'hello', params: { name: { vi: 'Đầu máy', en: 'Player' } } }, 'Hello Player!'],
])('in %s, %j is "%s"', (locale, line, text) => {
  expect(words.line(line, locale)).toBe(text);
});

it.each([
  // It is never filled, nested or escaped.
  ...['{{name}}', '{{points, number}}', '$t(slot)', '<b>&amp;</b>', '$&', '*_`['].map((text) => [text, text]),
  ['a\u202Eb\u200Bc\u0000d\u2066e\uFEFFf', 'abcdef'],
  ['Garnacho\nYou won\u2028!', 'Garnacho You won !'],
  ['half \uD83D', 'half '],
  [`${'x'.repeat(198)}🌸🌸`, `${'x'.repeat(198)}…`],
])(
  'a text from outside loses what could reorder or break a message, and what is too long: %j',
  (name, shown) => {
    expect(words.line({ key: 'hello', params: { name } }, 'en')).toBe(`Hello ${shown}!`);
  },
);

it('missing wording throws in tests; in production its key is shown and reported', () => {
  const missing: Line[] = [{ key: 'no.such' }, { key: 'hello' }, { key: 'balance' }, { key: 'slot' }];
  for (const line of missing) expect(() => words.line(line, 'en')).toThrow();
  const reported: string[] = [];
  const lenient = createWords({ timeZone: 'UTC', resources, onMissing: (what) => reported.push(what) });
  const shown = ['no.such', 'Hello {{name}}!', 'You have {{points, number}} points.', 'slot'];
  expect(missing.map((line) => lenient.line(line, 'en'))).toEqual(shown);
  expect(reported).toHaveLength(4);
});
