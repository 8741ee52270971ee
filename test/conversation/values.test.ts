import { describe, expect, it } from 'vitest';
import { codeMeant, parseCode } from '../../src/conversation/language/code.ts';
import { parseEmail } from '../../src/conversation/language/email.ts';
import { parsePhone } from '../../src/conversation/language/phone.ts';
import { AT_ONCE_MS, onCpu } from '../support/cpu.ts';
import { fc } from '../support/properties.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

/** What a value is read as, in the words of `test/language/values.txt`. */
function read({ parse, text }: { readonly parse: (text: string) => Read; readonly text: string }): string {
  const result = parse(text);
  if (!result.ok) return result.reason;
  const { value, ask, suggestion } = result;
  if (suggestion !== undefined) return `${value === text ? 'as typed' : value}, ${suggestion} suggested`;
  return ask === undefined ? value : `${value} ${ask}`;
}
type Read =
  | {
      readonly ok: true;
      readonly value: string;
      readonly ask?: string | undefined;
      readonly suggestion?: string | undefined;
    }
  | { readonly ok: false; readonly reason: string };

describe('a value as it is typed', () => {
  it.each([
    ['phone', parsePhone],
    ['email', parseEmail],
    ['code', parseCode],
  ] as const)('is read as what it is, or told what is wrong with it: %s', (name, parse) => {
    expect(misread(sentencesOf('values.txt', name), (text) => read({ parse, text }))).toEqual([]);
  });

  it('may be of any length', () => {
    expect(parseCode('x'.repeat(64))).toEqual({ ok: true, value: 'x'.repeat(64) });
    expect(parseCode('x'.repeat(65))).toEqual({ ok: false, reason: 'code.long' });
    const long = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(60)).join('.');
    expect(parseEmail(`minh@${long}.example.vn`)).toEqual({ ok: false, reason: 'email.long' });
  });
});

describe('a phone number', () => {
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
