import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/conversation/effect.ts';
import { Dialogue, TEAMS } from '../support/dialogue.ts';

/*
 * What customers write at the summary of an accumulation, in their own words.
 */

const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';
const atSummary = () => new Dialogue().text(SUMMED);

describe('a yes', () => {
  const YES = [
    ...[
      'xác nhận đi',
      'xác nhận giúp mình',
      'dung roi',
      'đúng òi',
      'ừa',
      'ok e',
      'uki',
      '👌',
      '👌🏽',
      'được thôi',
    ],
    ...['looks good', "that's right", 'yes, looks good', 'ok giúp mình nha', 'đúng hết rồi', 'chuẩn rồi'],
  ];

  test.each(YES)('%s earns', (text) => {
    expect(atSummary().text(text).keys).toEqual(['accumulate.done', 'privacy.consent']);
  });

  test.each(YES)('%s spends nothing', (text) => {
    const chat = new Dialogue(TEAMS).text('đổi quà DAUMAY01').text(text);
    expect(chat.keys).toEqual(['confirm.press']);
    expect(chat.calls).toEqual([]);
  });
});

describe('an objection', () => {
  test.each([
    ['sai mã', 'accumulate.askCode'],
    ['mã chưa đúng', 'accumulate.askCode'],
    ['sai số điện thoại', 'accumulate.askPhone'],
    ['sai số', 'accumulate.askPhone'],
    ['nhầm số rồi', 'accumulate.askPhone'],
    ['wrong number', 'accumulate.askPhone'],
    ['sai email', 'email.wanted'],
    ['ok mà sai email', 'email.wanted'],
    ['wrong e-mail', 'email.wanted'],
  ])('%s asks for it again, and keeps the rest', (text, key) => {
    const chat = atSummary();
    const { draft } = chat.state;
    expect(chat.text(text).keys).toEqual([key]);
    expect(chat.state.draft).toEqual(draft);
  });

  test.each(['không email', 'bỏ email', 'no email'])('%s leaves the e-mail out', (text) => {
    expect(atSummary().text(text).state.draft.email).toBeNull();
  });

  test.each([
    'dạ không',
    'sai',
    'sai rồi',
    'không phải',
    'chưa đúng',
    'đúng hay sai',
    'ok thôi',
    'đúng không',
    'ok nhưng mà',
  ])('%s earns nothing, and loses nothing', (text) => {
    const chat = atSummary().text(text);
    expect(chat.question.key).toBe('accumulate.summary');
    expect(chat.calls).toEqual([]);
  });
});

test('"thử lại" after AntCRM was away shows the summary again, and is not the confirmation', () => {
  const chat = atSummary();
  chat.answers = (effect): Outcome => ({
    kind: 'unavailable',
    operation: 'operation' in effect ? effect.operation : '',
  });
  chat.press('confirm').text('thử lại');
  expect(chat.keys).toEqual(['accumulate.summary']);
  expect(chat.calls).toHaveLength(1);
});

test('a yes that cannot be about the summary is pointed at the button, in the words of earning', () => {
  const chat = atSummary();
  chat.current = false;
  expect(chat.text('ok').replies[0]).toMatchObject({ key: 'confirm.press', context: 'accumulate' });
});
