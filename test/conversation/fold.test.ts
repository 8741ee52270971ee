import { describe, expect, it } from 'vitest';
import { fold, isOneTypo, undoTyping, visible } from '../../src/conversation/language/text.ts';
import { fc } from '../support/properties.ts';

describe('fold', () => {
  it.each([
    ['Đổi quà', 'doi qua'],
    ['ĐỔI  QUÀ!!!', 'doi qua'],
    ['đổi-quà', 'doi qua'],
    ['hoà', 'hoa'],
    ['hòa', 'hoa'],
    ['tích điểm'.normalize('NFD'), 'tich diem'],
    ['t\u200bích\u00a0điểm\u202e', 'tich diem'],
    ['  \n\t ', ''],
    ['👍', ''],
  ])('writes %j as %j', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it('gives the same for composed and decomposed text, in either case, once or twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const folded = fold(text);
        expect(fold(folded)).toBe(folded);
        expect(fold(text.normalize('NFD'))).toBe(fold(text.normalize('NFC')));
      }),
    );
  });
});

describe('visible', () => {
  it('drops what nobody sees and keeps at most 1000 characters', () => {
    expect(visible('\u202eTIVI\u200d01\u0000\ufeff \u2066x\u2069')).toBe('TIVI01 x');
    expect(visible('a\nb\u2028c\u00a0\u3000d')).toBe('a b c d');
    expect(visible('x'.repeat(5000))).toHaveLength(1000);
  });

  it('cuts no character in half', () => {
    expect(visible(`${'x'.repeat(999)}😀`)).toBe('x'.repeat(999));
  });
});

describe('undoTyping', () => {
  it.each([
    ['ddooir ddieemr', 'doi diem'],
    ['d9oi63 d9ie6m3', 'doi diem'],
    ['tichs ddieemr', 'tich diem'],
    ['lijch suwr', 'lich su'],
    ['lich5 su73', 'lich su'],
    ['ddoiro quaf', 'doio qua'],
    ['huyr', 'huy'],
    ['dduwowcj', 'duoc'],
    ['d9u7o7c5', 'duoc'],
    ['khoong', 'khong'],
    ['wowcs', 'uoc'],
    ['đổi quà', 'doi qua'],
    ['tivi12', 'tivi12'],
    ['2023', '2023'],
  ])('reads %j as %j', (typed, undone) => {
    expect(undoTyping(typed)).toBe(undone);
  });
});

describe('isOneTypo', () => {
  it.each([
    ['diem', 'diemm', true],
    ['diem', 'dim', true],
    ['diem', 'dien', true],
    ['tich', 'tihc', true],
    ['diem', 'diem', false],
    ['diem', 'dimme', false],
    ['diem', 'im', false],
    ['ab', 'cd', false],
    ['', 'a', true],
  ])('%j and %j: %j', (a, b, expected) => {
    expect(isOneTypo(a, b)).toBe(expected);
    expect(isOneTypo(b, a)).toBe(expected);
  });
});
