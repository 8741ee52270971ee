import { describe, expect, it } from 'vitest';
import type { Wording } from '../src/conversation/message.ts';
import type { Line } from '../src/conversation/reply.ts';
import { createWords, WORDING } from '../src/i18n.ts';

const resources: Wording = {
  ...WORDING,
  vi: {
    'points.balance': 'Bạn có {{points, number}} điểm.',
    'points.balance_unknown': 'Chưa biết số điểm.',
    'history.count_other': '{{count, number}} mục',
    'history.record': '{{at, datetime}} · {{what}}',
    'history.period': 'Từ {{from, date}}',
    hello: 'Chào {{name}}!',
    ask: '{{slot}} của bạn là gì?',
    'slot.phone': 'Số điện thoại',
  },
  en: {
    'points.balance': 'You have {{points, number}} points.',
    'points.balance_unknown': 'Your points are not known yet.',
    'history.count_one': '{{count, number}} record',
    'history.count_other': '{{count, number}} records',
    'history.record': '{{at, datetime}} · {{what}}',
    'history.period': 'From {{from, date}}',
    hello: 'Hello {{name}}!',
    ask: 'What is your {{slot}}?',
    'slot.phone': 'phone number',
  },
};
const words = createWords({ timeZone: 'Asia/Ho_Chi_Minh', resources });
const vi = (line: Line) => words.line(line, 'vi');
const en = (line: Line) => words.line(line, 'en');
const at = Date.UTC(2026, 10, 25, 8, 47);

describe('numbers and dates', () => {
  it('groups digits as each language does', () => {
    expect(vi({ key: 'points.balance', params: { points: 1234567 } })).toBe('Bạn có 1.234.567 điểm.');
    expect(en({ key: 'points.balance', params: { points: 1234 } })).toBe('You have 1,234 points.');
  });

  it('writes times day first, in the time zone, the same in both languages', () => {
    const line = { key: 'history.record', params: { at, what: 'Tivi' } };
    expect([vi(line), en(line)]).toEqual(['25/11/2026 15:47 · Tivi', '25/11/2026 15:47 · Tivi']);
    expect(en({ key: 'history.period', params: { from: at } })).toBe('From 25/11/2026');
  });
});

describe('variants', () => {
  it('picks the variant of a context, and of a count', () => {
    expect(vi({ key: 'points.balance', context: 'unknown' })).toBe('Chưa biết số điểm.');
    expect([1, 2000].map((count) => en({ key: 'history.count', params: { count } }))).toEqual([
      '1 record',
      '2,000 records',
    ]);
    expect(vi({ key: 'history.count', params: { count: 1 } })).toBe('1 mục');
  });

  it('renders a nested line, and picks the language of a bilingual text', () => {
    expect(vi({ key: 'ask', params: { slot: { key: 'slot.phone' } } })).toBe('Số điện thoại của bạn là gì?');
    expect(en({ key: 'hello', params: { name: { vi: 'Đầu máy', en: 'Player' } } })).toBe('Hello Player!');
  });

  it('puts the lines of a reply under its text', () => {
    const record = { key: 'history.record', params: { at, what: 'Tivi' } };
    const reply = { key: 'hello', params: { name: 'Garnacho' }, lines: [record, record] };
    expect(words.text(reply, 'vi')).toBe('Chào Garnacho!\n25/11/2026 15:47 · Tivi\n25/11/2026 15:47 · Tivi');
  });
});

describe('text from outside', () => {
  const hello = (name: string) => en({ key: 'hello', params: { name } });

  it('is shown as it is: never filled, nested or escaped', () => {
    for (const name of ['{{name}}', '{{points, number}}', '$t(slot.phone)', '<b>&amp;</b>', '$&', '*_`[']) {
      expect(hello(name)).toBe(`Hello ${name}!`);
    }
  });

  it('loses control, bidirectional and zero-width characters and line breaks', () => {
    expect(hello('a\u202Eb\u200Bc\u0000d\u2066e\uFEFFf')).toBe('Hello abcdef!');
    expect(hello('Garnacho\nYou won\u2028!')).toBe('Hello Garnacho You won !!');
    expect(hello('half \uD83D')).toBe('Hello half !');
  });

  it('is cut at 200 characters, never through the middle of one', () => {
    expect(hello('x'.repeat(500))).toBe(`Hello ${'x'.repeat(199)}…!`);
    expect(hello(`${'x'.repeat(198)}🌸🌸`)).toBe(`Hello ${'x'.repeat(198)}…!`);
  });
});

describe('missing wording', () => {
  it('throws for a missing key, param or variant, so that tests find it', () => {
    expect(() => vi({ key: 'no.such' })).toThrow('no.such');
    expect(() => vi({ key: 'hello' })).toThrow('{{name}}');
    expect(() => vi({ key: 'points.balance' })).toThrow('{{points, number}}');
  });

  it('is shown and reported where a process must go on', () => {
    const missing: string[] = [];
    const lenient = createWords({ timeZone: 'UTC', resources, onMissing: (what) => missing.push(what) });
    expect(lenient.line({ key: 'no.such' }, 'en')).toBe('no.such');
    expect(lenient.line({ key: 'hello' }, 'en')).toBe('Hello {{name}}!');
    expect(lenient.line({ key: 'points.balance' }, 'en')).toBe('You have {{points, number}} points.');
    expect(missing).toHaveLength(3);
  });

  it('never borrows from the other language', () => {
    const half = createWords({ timeZone: 'UTC', resources: { ...WORDING, vi: { only: 'chỉ' }, en: {} } });
    expect(() => half.line({ key: 'only' }, 'en')).toThrow('only');
  });
});
