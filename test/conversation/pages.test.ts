import { describe, expect, it } from 'vitest';
import { parsePage } from '../support/conversation.ts';

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
