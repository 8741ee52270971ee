import { describe, expect, it } from 'vitest';
import { masked } from '../../src/conversation/dialogue/sources.ts';
import { maskCode, maskEmail, maskPhone, showPhone } from '../../src/conversation/prompts/identity.ts';
import { fc } from '../support/properties.ts';

describe('masks', () => {
  it('leave what the owner recognises', () => {
    expect(maskPhone('+84867123456')).toBe('0867 *** 456');
    expect(maskPhone('+842438251234')).toBe('0243 *** 234');
    expect(maskPhone('+447700900123')).toBe('+44 *** 123');
    expect(maskEmail('garnacho@gmail.com')).toBe('ga***@gmail.com');
    expect(maskEmail('ab@x.vn')).toBe('a***@x.vn');
    expect(maskEmail('a@x.vn')).toBe('***@x.vn');
    expect(maskCode('TIVInpmx8b98pfg')).toBe('TIVI***pfg');
    expect(maskCode('DAUMAY01')).toBe('DA***');
  });

  it('never give the whole value away, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 80 }), (value) => {
        for (const mask of [maskPhone, maskEmail, maskCode]) {
          expect(mask(value)).toContain('***');
          expect(mask(value).replaceAll('*', '').length).toBeLessThan(value.length + 6);
        }
        if (!value.includes('@')) expect(maskEmail(value)).toBe('***');
      }),
    );
  });
});

describe('showPhone', () => {
  it.each([
    ['+84867123456', '0867 123 456'],
    ['+842438251234', '024 3825 1234'],
    ['+842363821234', '0236 382 1234'],
    ['+447700900123', '+44 7700 900123'],
    ['nonsense', 'nonsense'],
  ])('writes %s as %s', (e164, shown) => {
    expect(showPhone(e164)).toBe(shown);
  });
});

describe('a sentence that got a fallback', () => {
  it.each([
    ['mèo 0867 123 456 trèo', 'mèo *** trèo'],
    ['mèo gọi (+84) 867.123.456', 'mèo gọi (***'],
    ['mèo của ten@gmail.com', 'mèo của ***'],
    ['mèo xem https://x.vn/a?b', 'mèo xem ***'],
    ['garnacho hỏi mèo, Garnacho ạ', '*** hỏi mèo, *** ạ'],
    ['mèo mã ABC12X trèo 3 cây', 'mèo mã *** trèo 3 cây'],
    ['mèo ０８６７１２３４５６ trèo', 'mèo *** trèo'],
    ['mèo 08 - 67 / 12 / 34 / 56', 'mèo ***'],
    ['mèo của ten @ gmail.com', 'mèo của ***'],
    ['mèo xem www.x.vn/a, fb.com/ten', 'mèo xem *** ***'],
    ['mèo\n## Yes\n- trèo', 'mèo ## Yes - trèo'],
  ])('is masked: %s', (text, expected) => {
    expect(masked(text, 'Garnacho')).toBe(expected);
  });

  it.each(['Nguyễn Văn Bình', 'Nguyễn Văn Bình'.normalize('NFD')])(
    'has no name without marks: %s',
    (name) => {
      expect(masked('mèo của nguyen VAN bình', name)).toBe('mèo của *** *** ***');
    },
  );
});
