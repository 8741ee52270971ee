import { describe, expect, it } from 'vitest';
import { parseCode } from '../../src/conversation/language/code.ts';
import { parseEmail } from '../../src/conversation/language/email.ts';
import { parsePhone } from '../../src/conversation/language/phone.ts';
import { fold } from '../../src/conversation/language/text.ts';
import { commands, PERIOD_NAMES, words as said, understand } from '../support/conversation.ts';
import { AT_ONCE_MS, onCpu } from '../support/cpu.ts';
import { fc } from '../support/properties.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

describe('an act', () => {
  it('is what a text says by itself', () => {
    expect(misread(sentencesOf('acts.txt'), (text) => understand(text).act)).toEqual([]);
    expect(misread(sentencesOf('acts.txt', 'no act'), (text) => understand(text).act)).toEqual([]);
  });

  it('to edit names the slot', () => {
    const named = (text: string) => understand(text).names;
    expect(named('đổi số điện thoại')).toBe('phone');
    expect(named('sửa email giúp mình')).toBe('email');
    expect(named('sửa mã')).toBe('code');
    expect(named('edit')).toBeUndefined();
  });
});

/** What a text says, in the words of `test/language/understood.txt`. */
function inWords(text: string): string {
  const { act = 'no act', type, period, codes = [], phone, phoneAsk, email, ...rest } = understand(text);
  const said = [
    type,
    rest.gifts && 'of gifts',
    period && `"${period}"`,
    ...codes,
    phone,
    phoneAsk && `(${phoneAsk})`,
    email,
  ];
  const meant = [
    rest.emailSuggestion && `(${rest.emailSuggestion})`,
    rest.mangled && `mangled ${rest.mangled}`,
  ];
  const also = [
    rest.reference && `#${rest.reference}`,
    rest.noEmail && 'no e-mail',
    rest.rest && `… ${rest.rest}`,
  ];
  return [act, ...said, ...meant, ...also]
    .filter((one) => one !== undefined && one !== false && one !== '')
    .join(', ');
}

describe('what a text says', () => {
  it('is all that it says, and no more', () => {
    expect(misread(sentencesOf('understood.txt'), inWords)).toEqual([]);
  });

  it.each(['code', 'reference'] as const)('is a %s where there is one', (what) => {
    expect(misread(sentencesOf('understood.txt', what), (text) => understand(text)[what])).toEqual([]);
  });

  it('is that there is no e-mail, only where it says so', () => {
    const [beside, alone] = ['no e-mail, beside the rest', 'no e-mail'].map((title) =>
      sentencesOf('understood.txt', title),
    );
    const noEmail = (text: string) => (understand(text).noEmail ? 'none' : 'nothing');
    expect(misread(beside ?? [], (text) => noEmail(`tich diem TIVI000000017 0912345678 ${text}`))).toEqual(
      [],
    );
    expect(misread(alone ?? [], noEmail)).toEqual([]);
  });

  it('are found in every order', () => {
    const parts = ['tích điểm', 'TIVI000000017', '0912345678', 'minh@example.vn'];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(parts, { minLength: 4 }),
        fc.constantFrom(' ', ', ', '\n'),
        (some, gap) => {
          expect(inWords(some.join(gap))).toBe(
            'start accumulate, TIVI000000017, +84912345678, minh@example.vn',
          );
        },
      ),
    );
  });
});

describe('the vocabulary', () => {
  it('gives no phrase two meanings', () => {
    const acts = new Map<string, Set<string>>();
    for (const { text, act } of said.examples.filter((one) => one.isPhrase))
      acts.set(fold(text), (acts.get(fold(text)) ?? new Set()).add(act));
    for (const phrase of [...said.list('small'), ...PERIOD_NAMES.map(fold)]) acts.get(phrase)?.add('another');
    expect([...acts].filter(([, all]) => all.size > 1)).toEqual([]);
  });

  it('understands each of its examples as the command under which it stands, unless longer ones say otherwise', () => {
    const missed = said.examples.filter(
      ({ text, act, isPhrase }) => isPhrase && understand(text).act !== act,
    );
    expect(missed.map(({ text, act, locale, line }) => [`${locale}.md:${line}`, text, act])).toEqual([]);
  });

  it('gives every command one meaning', () => {
    const names = commands.map(({ written }) => new Set(Object.values(written)));
    expect(names.reduce((all, one) => all.union(one), new Set()).size).toBe(
      names.reduce((sum, { size }) => sum + size, 0),
    );
  });
});

describe('any text', () => {
  const words = fc.constantFrom(
    'tích điểm',
    'đổi quà',
    'không',
    'được',
    'lịch sử',
    'TIVI01abc',
    '0912345678',
    '+1',
    '00',
    '9',
    'a@b.vn',
    '@',
    '/tichdiem',
    '-',
    '.'.repeat(50),
    '"',
    'ề',
    '1/8/2023',
    'ddieemr',
    'abcdefgh',
  );
  const texts = fc.oneof(
    fc.array(words, { maxLength: 200 }).map((all) => all.join(' ')),
    fc.tuple(words, fc.nat(1000)).map(([word, times]) => word.repeat(times)),
    fc.string({ unit: 'binary', maxLength: 1200 }),
  );

  it('is understood at once, and its slots are valid ones', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { result, cpuMs } = onCpu(() => understand(text));
        const { code, phone, email, emailSuggestion, reference } = result;
        if (code !== undefined) expect(parseCode(code)).toEqual({ ok: true, value: code });
        if (phone !== undefined) expect(parsePhone(phone)).toEqual({ ok: true, value: phone });
        for (const address of [email, emailSuggestion])
          if (address !== undefined) expect(parseEmail(address)).toMatchObject({ ok: true, value: address });
        if (reference !== undefined) expect(reference).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
        expect(cpuMs).toBeLessThan(AT_ONCE_MS);
      }),
      { numRuns: 300 },
    );
  });

  it('means the same composed or decomposed, with invisible characters or without', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(understand(`\u202e${text.slice(0, 500)}\u200b`)).toEqual(understand(text.slice(0, 500)));
      }),
    );
    for (const text of ['Lịch sử đổi quà 30 ngày', 'Điểm của tôi', 'đừng đổi quà', 'đợi chút'])
      expect(understand(text.normalize('NFD'))).toEqual(understand(text));
  });
});
