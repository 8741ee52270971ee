import { describe, expect, it } from 'vitest';
import { codeMeant, parseCode } from '../../src/conversation/language/code.ts';
import { parseEmail } from '../../src/conversation/language/email.ts';
import { parsePhone } from '../../src/conversation/language/phone.ts';
import { AT_ONCE_MS, onCpu } from '../support/cpu.ts';
import { fc } from '../support/properties.ts';

describe('a phone number', () => {
  it.each([
    '0867123456',
    '0867 123 456',
    '0867.123.456',
    '0867-123-456',
    '(0867) 123–456',
    '+84867123456',
    '+84 (0)867 123 456',
    '84867123456',
    '0084 867 123 456',
    '840867123456',
    'O867123456',
    '0867,123,456',
    '０８６７１２３４５６',
    '＋８４867123456',
    ' \u200b0867\u00a0123456\u202c',
    'tel:+84-867-123-456',
  ])('is read from %j', (text) => {
    expect(parsePhone(text)).toEqual({ ok: true, value: '+84867123456' });
  });

  it('without its leading zero is a guess', () => {
    expect(parsePhone('867123456')).toEqual({ ok: true, value: '+84867123456', ask: 'leadingZero' });
  });

  it.each([
    ['01201234567', '+84701234567'],
    ['0121 123 4567', '+84791234567'],
    ['01221234567', '+84771234567'],
    ['01261234567', '+84761234567'],
    ['01281234567', '+84781234567'],
    ['01231234567', '+84831234567'],
    ['01241234567', '+84841234567'],
    ['01251234567', '+84851234567'],
    ['01271234567', '+84811234567'],
    ['01291234567', '+84821234567'],
    ['01621234567', '+84321234567'],
    ['+841631234567', '+84331234567'],
    ['841641234567', '+84341234567'],
    ['00841651234567', '+84351234567'],
    ['01661234567', '+84361234567'],
    ['01671234567', '+84371234567'],
    ['01681234567', '+84381234567'],
    ['01691234567', '+84391234567'],
    ['01861234567', '+84561234567'],
    ['01881234567', '+84581234567'],
    ['1991234567', '+84591234567'],
  ])('of the old eleven digits, %s, is mapped to %s and asked about', (text, value) => {
    expect(parsePhone(text)).toEqual({ ok: true, value, ask: 'mapped' });
  });

  it.each([
    ['024 3825 1234', '+842438251234'],
    ['(028) 3829-5678', '+842838295678'],
    ['+84 236 3821 234', '+842363821234'],
  ])('of a landline, %s, is read', (text, value) => {
    expect(parsePhone(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['+44 7700 900123', '+447700900123'],
    ['+44 (0)20 7946 0958', '+442079460958'],
    ['001 212-555-0123', '+12125550123'],
    ['+65 8123 4567', '+6581234567'],
  ])('from abroad, %s, is read', (text, value) => {
    expect(parsePhone(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 'phone.shape'],
    ['không có', 'phone.shape'],
    ['TIVI000000017', 'phone.shape'],
    ['OOOOOOOOOO', 'phone.shape'],
    ['0412345678', 'phone.shape'],
    ['01301234567', 'phone.shape'],
    ['+999123456789', 'phone.shape'],
    ['086712345', 'phone.short'],
    ['+84 867 1234', 'phone.short'],
    ['024382512', 'phone.short'],
    ['+4479', 'phone.short'],
    ['08671234567', 'phone.long'],
    ['0867123456 0912345678', 'phone.long'],
    ['+44 7700 9001234567', 'phone.long'],
    ['+123456789012345678901', 'phone.long'],
  ])('%j is refused as %s', (text, reason) => {
    expect(parsePhone(text)).toEqual({ ok: false, reason });
  });

  it('is found whatever separates its digits, and reading it again changes nothing', () => {
    const digits = fc.tuple(fc.constantFrom('3', '5', '7', '8', '9'), fc.stringMatching(/^\d{8}$/));
    const separators = fc.array(fc.constantFrom('', '', ' ', '.', '-', '\u200b'), {
      minLength: 10,
      maxLength: 10,
    });
    fc.assert(
      fc.property(
        digits,
        separators,
        fc.constantFrom('0', '+84', '84', '0084'),
        ([first, rest], between, prefix) => {
          const national = `${first}${rest}`;
          const typed = prefix + [...national].map((digit, i) => digit + between[i]).join('');
          expect(parsePhone(typed)).toEqual({ ok: true, value: `+84${national}` });
          expect(parsePhone(`+84${national}`)).toEqual({ ok: true, value: `+84${national}` });
        },
      ),
    );
  });
});

describe('an e-mail address', () => {
  it.each([
    ['garnacho@gmail.com', 'garnacho@gmail.com'],
    ['  <Garnacho@Gmail.COM>. ', 'garnacho@gmail.com'],
    ['mailto:minh.le+shop@example.vn', 'minh.le+shop@example.vn'],
    ['"minh@example.com.vn",', 'minh@example.com.vn'],
    ['minh＠example.vn', 'minh@example.vn'],
    ['m\u200binh@xn--bcher-kva.example', 'minh@xn--bcher-kva.example'],
    ['minh@ymail.com', 'minh@ymail.com'],
    ['minh@mail.com', 'minh@mail.com'],
    ['minh@yahoo.fr', 'minh@yahoo.fr'],
  ])('%j is %j', (text, value) => {
    expect(parseEmail(text)).toEqual({ ok: true, value, suggestion: undefined });
  });

  it.each([
    ['minh@gmail.con', 'minh@gmail.com'],
    ['minh@gmial.com', 'minh@gmail.com'],
    ['minh@gamil.con', 'minh@gmail.com'],
    ['minh@gmail.co', 'minh@gmail.com'],
    ['minh@gmail.comn', 'minh@gmail.com'],
    ['minh@gmail.com.vn', 'minh@gmail.com'],
    ['minh@gmail.vm', 'minh@gmail.com'],
    ['minh@yaho.com', 'minh@yahoo.com'],
    ['minh@yahoo.com.vm', 'minh@yahoo.com.vn'],
    ['minh@yahoo.con.vn', 'minh@yahoo.com.vn'],
    ['minh@hotmal.com', 'minh@hotmail.com'],
    ['minh@outlok.com', 'minh@outlook.com'],
    ['minh@congty.vm', 'minh@congty.vn'],
    ['minh@congty.comn', 'minh@congty.com'],
  ])('%j is taken as typed, with %j suggested', (text, suggestion) => {
    expect(parseEmail(text)).toEqual({ ok: true, value: text, suggestion });
  });

  it.each([
    ['', 'email.shape'],
    ['không có', 'email.shape'],
    ['minh', 'email.shape'],
    ['minh@gmail', 'email.shape'],
    ['minh@@gmail.com', 'email.shape'],
    ['@gmail.com', 'email.shape'],
    ['minh @ gmail.com', 'email.shape'],
    ['minh..le@gmail.com', 'email.shape'],
    ['minh@-gmail.com', 'email.shape'],
    ['minh@127.0.0.1', 'email.shape'],
    ['минх@example.ru', 'email.shape'],
    ['minh@gmail.cơm', 'email.vietnamese'],
    ['đan@gmail.com', 'email.vietnamese'],
    ['hoàng@gmail.com'.normalize('NFD'), 'email.vietnamese'],
    [`minh@${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example.vn`, 'email.long'],
  ])('%j is refused as %s', (text, reason) => {
    expect(parseEmail(text)).toEqual({ ok: false, reason });
  });

  it('accepted is plain ASCII with one @, at most 254 long, and so is what is suggested', () => {
    const typed = fc
      .tuple(fc.string({ maxLength: 20 }), fc.constantFrom('gmail.con', 'Yahoo.com', 'x.vn', 'a b.c', '-.vm'))
      .map(([local, domain]) => `${local}@${domain}`);
    fc.assert(
      fc.property(typed, (text) => {
        const result = parseEmail(text);
        if (!result.ok) return;
        for (const email of [result.value, result.suggestion ?? result.value]) {
          expect(email).toMatch(/^[!-?A-~]+@[!-?A-~]+$/);
          expect(parseEmail(email)).toMatchObject({ ok: true, value: email });
        }
      }),
    );
  });
});

describe('a code', () => {
  it.each([
    ['TIVInpmx8b98pfg', 'TIVInpmx8b98pfg'],
    ['  “TIVI000000017” ', 'TIVI000000017'],
    ["'DAUMAY01'", 'DAUMAY01'],
    ['«a.b_c-d»', 'a.b_c-d'],
    ['TIVI\u200b01', 'TIVI01'],
    ['x'.repeat(64), 'x'.repeat(64)],
  ])('%j is %j', (text, value) => {
    expect(parseCode(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 'code.shape'],
    ['TIVI 000000017', 'code.shape'],
    ['TIVI/01', 'code.shape'],
    ['ＴＩＶＩ０１', 'code.shape'],
    ['КОД123', 'code.shape'],
    ['mã của tôi', 'code.shape'],
    ['ĐAUMAY01', 'code.vietnamese'],
    ['TIVInpmx8b98pfgư', 'code.vietnamese'],
    ['TÍVI01'.normalize('NFD'), 'code.vietnamese'],
    ['abc', 'code.short'],
    ['x'.repeat(65), 'code.long'],
  ])('%j is refused as %s', (text, reason) => {
    expect(parseCode(text)).toEqual({ ok: false, reason });
  });

  it('is never changed inside', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        const result = parseCode(text);
        if (result.ok) {
          expect(text).toContain(result.value);
          expect(result.value).toMatch(/^[\w.-]{4,64}$/);
        }
      }),
    );
  });
});

describe('a code that was mistyped', () => {
  const beginnings = ['TIVI', 'TULANH', 'MAYGIAT'];
  const numbers = fc.stringMatching(/^\d{4,12}$/);
  /** What else people write for a letter or a digit. */
  const ALIKE: Readonly<Record<string, string>> = { 0: '0Oo', 1: '1Il', I: 'Ii1l', O: 'Oo0' };
  const slipped = (letter: string) =>
    fc.constantFrom(...(ALIKE[letter] ?? letter.toUpperCase() + letter.toLowerCase()));

  it('is told as it was meant, whatever was slipped; a right one is let alone', () => {
    const codes = fc.tuple(fc.constantFrom(...beginnings), numbers).map(([start, number]) => start + number);
    const pairs = codes.chain((code) => fc.tuple(fc.constant(code), fc.tuple(...[...code].map(slipped))));
    fc.assert(
      fc.property(pairs, ([code, letters]) => {
        const written = letters.join('');
        expect(codeMeant(written, beginnings)).toBe(written === code ? undefined : code);
        expect(codeMeant(written, [])).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('is always another one, with a beginning that is known', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        const meant = codeMeant(text, beginnings);
        if (meant === undefined) return;
        expect(meant).not.toBe(text);
        expect(beginnings.some((beginning) => meant.startsWith(beginning))).toBe(true);
      }),
    );
  });
});

describe('any text', () => {
  const patterns = [
    '0',
    '+',
    '+1',
    '00',
    '(',
    '-',
    '.',
    'a',
    'a.',
    'a-',
    '@',
    'a@',
    '"',
    ' ',
    '\t',
    'ề',
    '０',
  ];

  it('is judged at once, however hostile', () => {
    const hostile = fc
      .tuple(fc.constantFrom(...patterns), fc.constantFrom(...patterns), fc.nat(1000))
      .map(([a, b, times]) => a.repeat(times) + b.repeat(1000) + a);
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 1200 })), (text) => {
        const { result, cpuMs } = onCpu(() =>
          [parsePhone, parseEmail, parseCode].map((parse) => parse(text)),
        );
        expect(result.every(({ ok }) => typeof ok === 'boolean')).toBe(true);
        expect(cpuMs).toBeLessThan(AT_ONCE_MS);
      }),
    );
  });
});
