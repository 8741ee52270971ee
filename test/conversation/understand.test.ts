import { describe, expect, it } from 'vitest';
import { parseCode } from '../../src/conversation/language/code.ts';
import { parseEmail } from '../../src/conversation/language/email.ts';
import { parsePhone } from '../../src/conversation/language/phone.ts';
import { fold } from '../../src/conversation/language/text.ts';
import { commands, PERIOD_NAMES, words as said, understand } from '../support/conversation.ts';
import { AT_ONCE_MS, onCpu } from '../support/cpu.ts';
import { fc } from '../support/properties.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

const told = (text: string, expected: ReturnType<typeof understand>) =>
  expect(understand(text)).toEqual({
    rest: '',
    codes: expected.code === undefined ? [] : [expected.code],
    ...expected,
  });

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

describe('the history', () => {
  it.each([
    ['lịch sử tích điểm', { type: 'point' }],
    ['điểm đã tích', { type: 'point' }],
    ['lịch sử đổi quà 30 ngày', { type: 'gift', period: '30 ngay' }],
    ['lịch sử đổi điểm lấy quà', { type: 'gift' }],
    ['quà đã đổi tháng trước', { type: 'gift', period: 'thang truoc' }],
    ['lich su 7 ngay qua', { period: '7 ngay qua' }],
    ['/lichsu đổi quà tất cả', { type: 'gift', period: 'tat ca' }],
    ['gift history last month', { type: 'gift', period: 'last month' }],
    ['my points history this month', { type: 'point', period: 'this month' }],
    ['điểm 30 ngày', { type: 'point', period: '30 ngay' }],
    ['lịch sử tích điểm và đổi quà', { type: 'both' }],
    ['lịch sử đổi quà tuần này', { type: 'gift', period: 'tuan nay' }],
    ['lịch sử từ 1/8/2023 đến 31/8/2023', { period: 'tu 1/8/2023 den 31/8/2023' }],
    ['lịch sử đổi quà 1.8.2023 - 31.8.2023', { type: 'gift', period: '1.8.2023 - 31.8.2023' }],
    ['lịch sử 10 ngày', { period: '10 ngay' }],
    ['lịch sử tích điểm tháng trước nữa', { type: 'point', period: 'thang truoc nua' }],
    ['hôm qua mình tích được gì', { type: 'point', period: 'hom qua' }],
    ['hôm nay mình tích được bao nhiêu', { type: 'point', period: 'hom nay' }],
    ['what did I earn yesterday?', { type: 'point', period: 'yesterday' }],
    ['history 1 - 5 November 2026', { period: '1 - 5 november 2026' }],
    ['history in May', { period: 'in may' }],
    ['lịch sử thnag trước', { period: 'thang truoc' }],
    ['lịch sử hồi tết', { period: 'hoi tet' }],
    ['lich su qua thang 9', { type: 'gift', period: 'thang 9' }],
    ['mình là Tuấn, cho hỏi lịch sử', {}],
  ] as const)('is asked for by %j', (text, expected) => {
    told(text, { act: 'start history', ...expected });
  });

  it('is told by its type alone, too', () => {
    told('tích điểm', { act: 'start accumulate', type: 'point' });
    told('quà', { act: 'start redeem', type: 'gift', gifts: true });
    told('7 ngày', { period: '7 ngay' });
  });
});

describe('slots', () => {
  const all = {
    act: 'start accumulate',
    code: 'TIVI000000017',
    phone: '+84912345678',
    email: 'minh@example.vn',
  } as const;
  it.each([
    'tich diem TIVI000000017 0912345678 minh@example.vn',
    'minh@example.vn, 0912 345 678; TIVI000000017 tích điểm',
    'Tích điểm giúp mình mã: TIVI000000017, sđt: 0912.345.678, email: Minh@example.vn.',
    '/tichdiem@antcrm_bot TIVI000000017 +84 (0)912 345 678 <minh@example.vn>',
    '/tichdiem minh@example.vn sdt0912345678 "TIVI000000017"',
    'tichs ddieemr 84912345678 TIVI000000017 minh@example.vn nhé shop',
    'I want to earn points with code TIVI000000017 for 0912-345-678 and minh@example.vn please',
  ])('are all found in %j', (text) => {
    const { names: _, ...found } = understand(text);
    expect(found).toEqual({ rest: '', codes: ['TIVI000000017'], ...all });
  });

  it('are found in every order', () => {
    const parts = ['tích điểm', 'TIVI000000017', '0912345678', 'minh@example.vn'];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(parts, { minLength: 4 }),
        fc.constantFrom(' ', ', ', '\n'),
        (some, gap) => {
          told(some.join(gap), all);
        },
      ),
    );
  });

  it('that are guesses come with the question', () => {
    told('912345678', { phone: '+84912345678', phoneAsk: 'leadingZero' });
    told('0120 123 4567', { phone: '+84701234567', phoneAsk: 'mapped' });
    told('minh@gmail.con', { email: 'minh@gmail.con', emailSuggestion: 'minh@gmail.com' });
  });

  it('that a Vietnamese keyboard rewrote are named, not repaired', () => {
    told('tích điểm TIVIươ8b98pfg', { act: 'start accumulate', mangled: 'code' });
    told('minh@gmail.cơm', { mangled: 'email' });
  });
});

describe('having no e-mail', () => {
  it.each([
    'không có email',
    'khong co mail',
    'bỏ qua email',
    'no email',
    "I don't have an e-mail",
    'no, no email',
  ])('is told by %j', (text) => {
    expect(understand(`tich diem TIVI000000017 0912345678 ${text}`)).toMatchObject({ noEmail: true });
  });

  it.each(['không, email minh@example.vn', 'không đổi email', 'email', 'không có mã, email'])(
    'is not told by %j',
    (text) => {
      expect(understand(text).noEmail).toBeUndefined();
    },
  );
});

describe('a code', () => {
  it.each([
    ['TIVInpmx8b98pfg', 'TIVInpmx8b98pfg'],
    ['đổi quà DAUMAY01', 'DAUMAY01'],
    ['DAUMAY01 đổi quà', 'DAUMAY01'],
    ['đổi quà LOA01', 'LOA01'],
    ['đổi LOA01', 'LOA01'],
    ['mã LOA01', 'LOA01'],
    ['/redeem VOUCHER', 'VOUCHER'],
    ['/start TIVInpmx8b98pfg', 'TIVInpmx8b98pfg'],
    ['tích điểm 123456789012', '123456789012'],
    ['mình có mã “TIVI000000017”.', 'TIVI000000017'],
  ])('is found in %j', (text, code) => {
    expect(understand(text).code).toBe(code);
  });

  it.each([
    'LOA01',
    'đổi 100000 điểm',
    'đổi quà 100k',
    'lịch sử 2023',
    'd9oi63 d9ie6m3',
    'tháng8 lịch sử',
    '1.000.000',
    '2023-08-01',
    '0412345678',
    'đổi quà nồi cơm',
    '/redeem giúp mình',
    '/redeem help',
    '20/11/2023',
  ])('is not found in %j', (text) => {
    expect(understand(text).code).toBeUndefined();
  });
});

describe('several codes', () => {
  const CODES = ['TIVI000000301', 'TIVI000000302', 'TULANH000000303'];

  it.each([
    'TIVI000000301 TIVI000000302 TULANH000000303',
    'tích điểm TIVI000000301, TIVI000000302 và TULANH000000303 cho 0912 345 678',
    'mã: TIVI000000301;TIVI000000302\nTULANH000000303',
    'earn TIVI000000301 + TIVI000000302 + TULANH000000303, a@example.vn',
    'TIVI000000301 TIVI000000302 TIVI000000301 TULANH000000303',
  ])('are all found, each once, in %j', (text) => {
    expect(understand(text)).toMatchObject({ code: CODES[0], codes: CODES });
  });

  it.each([
    ['thêm mã TIVI000000301 nữa', undefined],
    ['add code TIVI000000301', undefined],
    ['bỏ mã TIVI000000301 đi', 'remove'],
    ['bỏ TIVI000000301', 'remove'],
    ['xoá mã TIVI000000301 giúp mình', 'remove'],
    ['remove code TIVI000000301', 'remove'],
    ['bỏ qua', 'none'],
    ['bỏ đi', 'cancel mild'],
  ])('are added or taken away by name: %j', (text, act) => {
    expect(understand(text).act).toBe(act);
  });
});

describe('a reference', () => {
  it('names one of several codes by a number', () => {
    told('trạng thái k7m2q-9xw4t.2', { act: 'status', code: 'k7m2q-9xw4t.2', reference: 'K7M2Q9XW4T.2' });
  });

  it('is found in any case, with or without its dash, and may be a code as well', () => {
    told('K7M2Q9XW4T', { code: 'K7M2Q9XW4T', reference: 'K7M2Q9XW4T' });
    told('trạng thái k7m2q-9xw4t', { act: 'status', code: 'k7m2q-9xw4t', reference: 'K7M2Q9XW4T' });
    told('status KMQXWTABCD', { act: 'status', reference: 'KMQXWTABCD', rest: 'KMQXWTABCD' });
  });

  it.each(['0912345678', 'the department is closed', 'TIVInpmx8b98pfg', 'K7M2Q9XW4'])(
    'is not found in %j',
    (text) => {
      expect(understand(text).reference).toBeUndefined();
    },
  );
});

describe('the rest', () => {
  it('is what nothing explains, as typed', () => {
    told('đổi quà Nồi Cơm giúp mình', { act: 'start redeem', rest: 'Nồi Cơm' });
    told('hôm nay trời đẹp', { period: 'hom nay', rest: 'trời đẹp' });
    told('@antcrm_bot xem điểm', { act: 'start points', type: 'point' });
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
