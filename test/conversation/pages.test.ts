import { describe, expect, it, test } from 'vitest';
import type { HistoryRecord } from '../../src/conversation/effect.ts';
import { parsePage } from '../support/conversation.ts';
import { Dialogue, NOW, TEAMS } from '../support/dialogue.ts';

/** A customer who looks at a list of so many records, five a page. */
function browsing(count: number, { partial = false } = {}): Dialogue {
  const chat = new Dialogue(TEAMS);
  const { answers } = chat;
  const all: HistoryRecord[] = Array.from({ length: count }, (_, at) => ({
    type: 'gift',
    atMs: NOW - at,
    score: 10,
    what: `Loa ${at + 1}`,
    failed: false,
  }));
  chat.answers = (effect) => {
    if (effect.kind !== 'history') return answers(effect);
    const { skip, take, sum } = effect;
    return {
      kind: 'history',
      records: all.slice(skip, skip + take),
      more: count > skip + take,
      ...(sum && { sum: { score: 10 * count, count, partial } }),
    };
  };
  return chat.text('lịch sử quà tất cả');
}

const shown = (chat: Dialogue) => [chat.keys[0], chat.question.params?.page];

describe('a page that is asked for', () => {
  it.each([
    ['2', 2],
    ['trang 2', 2],
    ['trang hai nhé', 2],
    ['cho mình xem trang 12', 12],
    ['go to page 3 please', 3],
    ['page two', 2],
    ['trang sáu', 6],
    ['trang đầu', 'first'],
    ['về trang đầu', 'first'],
    ['first page', 'first'],
    ['trang cuối', 'last'],
    ['trang cuoi cung', 'last'],
    ['last page please', 'last'],
    ['nữa', 'next'],
    ['còn nữa không', 'next'],
    ['keep going', 'next'],
    ['0', undefined],
    ['2 cái', undefined],
    ['trang', undefined],
    ['đầu tháng', undefined],
    ['cuối tuần', undefined],
    ['0912345678', undefined],
  ])('%s is %s', (text, page) => {
    expect(parsePage(text)).toBe(page);
  });
});

test.each(['trang cuối', 'last page', 'trang cuối nha'])(
  'the last page is found, however long the list is: %s',
  (text) => {
    for (const [count, last] of [
      [3, 1],
      [5, 1],
      [6, 2],
      [23, 5],
      [100, 20],
    ] as const) {
      const chat = browsing(count).text(text);
      expect(shown(chat)).toEqual(['history.page', last]);
      expect(chat.question.lines?.[0]?.params?.what).toBe(`Loa ${last * 5 - 4}`);
      expect(chat.text('nữa').keys).toEqual(['history.end']);
      expect(shown(chat.text('trang đầu'))).toEqual(['history.page', 1]);
    }
  },
);

test('a page beyond the end says how many there are, and what is shown stays', () => {
  const chat = browsing(23).text('2').text('trang 9');
  expect(chat.question).toMatchObject({ key: 'history.end', context: 'pages', params: { pages: 5 } });
  expect(shown(chat.text('nữa'))).toEqual(['history.page', 3]);
  expect(browsing(2).text('page 2').question).toMatchObject({ context: 'pages', params: { pages: 1 } });
});

test('of a list that nobody counts to its end, the last page is not guessed', () => {
  const chat = browsing(100, { partial: true }).text('2').text('trang cuối');
  expect(chat.question).toMatchObject({ key: 'history.end', context: 'many', params: { pages: 20 } });
  expect(chat.question.choices?.map(({ id }) => id)).toContain('period:7d');
  expect(shown(chat.text('tiếp'))).toEqual(['history.page', 3]);
});

test('before the first page there is none', () => {
  const chat = browsing(23);
  expect(chat.text('quay lại').keys).toEqual(['history.first']);
  expect(shown(chat.text('tiếp'))).toEqual(['history.page', 2]);
  expect(shown(chat.text('quay lại'))).toEqual(['history.page', 1]);
});

test('an empty list has no other page', () => {
  const chat = browsing(0);
  for (const text of ['2', 'trang cuối', 'nữa'])
    expect([text, ...chat.text(text).keys]).toEqual([text, text === 'nữa' ? 'history.end' : 'history.empty']);
});

test('a last page that cannot be read can be asked for again', () => {
  const chat = browsing(23).text('2');
  const { answers } = chat;
  chat.answers = () => ({ kind: 'unavailable' });
  expect(chat.text('trang cuối').keys).toEqual(['service.unavailable']);
  chat.answers = (effect) => {
    const outcome = answers(effect);
    return outcome.kind === 'history' ? { ...outcome, sum: undefined } : outcome;
  };
  expect(chat.press('retry').keys).toEqual(['service.unavailable']);
  chat.answers = answers;
  expect(shown(chat.press('retry'))).toEqual(['history.page', 5]);
});
