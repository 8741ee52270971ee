import { describe, expect, it, test } from 'vitest';
import { createConversation } from '../../src/conversation/conversation.ts';
import { maskText } from '../../src/conversation/dialogue/privacy.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import type { Answer } from '../../src/conversation/language/interpret.ts';
import { fold, remembered, visible } from '../../src/conversation/language/tokens.ts';
import { maskCode, maskEmail, maskPhone } from '../../src/conversation/prompts/format.ts';
import { parseCode } from '../../src/conversation/values/code.ts';
import { parseEmail, parsePhone } from '../../src/conversation/values/contact.ts';
import { LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';
import { judge, questionsOf, understand } from '../support/conversation.ts';
import { Dialogue } from '../support/dialogue.ts';
import { either, fc } from '../support/properties.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

/* What texts are read as, by the rows of `test/language/*.txt`; and what is so of any text. */

type Read =
  | { readonly ok: true; readonly value: string; readonly ask?: unknown; readonly suggestion?: unknown }
  | { readonly ok: false; readonly reason: string };

/** A value in words: what it is read as, and what is asked about it; or what is wrong with it. */
const valueBy = (parse: (text: string) => Read) => (text: string) => {
  const result = parse(text);
  if (!result.ok) return result.reason;
  const { value, ask, suggestion } = result;
  if (suggestion !== undefined) return `${value === text ? 'as typed' : value}, ${suggestion} suggested`;
  return ask === undefined ? value : `${value} ${ask}`;
};

/** What a text says by itself, in words. */
function inWords(text: string): string {
  const { act = 'no act', type, period, codes = [], phone, phoneAsk, email, ...rest } = understand(text);
  const all = [act, type, period, ...codes];
  const values = [
    rest.emailSuggestion && `(${rest.emailSuggestion})`,
    rest.mangled && `mangled ${rest.mangled}`,
  ];
  const also = [
    rest.reference && `#${rest.reference}`,
    rest.noEmail && 'no e-mail',
    rest.rest && `… ${rest.rest}`,
  ];
  return [...all, phone, phoneAsk && `(${phoneAsk})`, email, ...values, ...also].filter(Boolean).join(', ');
}

const mask = (text: string) =>
  text.startsWith('+') ? maskPhone(text) : text.includes('@') ? maskEmail(text) : maskCode(text);
const noEmail = (text: string) => (understand(text).noEmail ? 'none' : 'nothing');

const find = questionsOf();

test.each<[file: string, title: string, read: (text: string) => string | undefined]>([
  ['values.txt', 'phone', valueBy(parsePhone)],
  ['values.txt', 'email', valueBy(parseEmail)],
  ['values.txt', 'code', valueBy(parseCode)],
  ['understood.txt', '', inWords],
  ['understood.txt', 'code', (text) => understand(text).code],
  ['understood.txt', 'reference', (text) => understand(text).reference],
  ['understood.txt', 'no e-mail', noEmail],
  [
    'understood.txt',
    'no e-mail, beside the rest',
    (text) => noEmail(`tich diem TIVI000000017 0912345678 ${text}`),
  ],
  ['texts.txt', 'visible', visible],
  ['texts.txt', 'masked', mask],
  [
    'texts.txt',
    'masked sentence of Garnacho Bình',
    (text) => maskText(text, 'Garnacho Bình'.normalize('NFD')),
  ],
])('%s: %s', (file, title, read) => {
  expect(misread(sentencesOf(file, title), read)).toEqual([]);
});

describe('sentences that the model has not learnt', () => {
  /** The rows that are not right, each with what was understood. */
  const missed = (rows: readonly (readonly string[])[], prefix = '') =>
    rows.flatMap(([text = '', act = '']) => {
      const { as, verdict } = judge(text, `${prefix}${act}`);
      return verdict === 'right' || verdict === 'offered' ? [] : [{ text, act, as, verdict }];
    });
  const wrong = (rows: ReturnType<typeof missed>) => rows.filter(({ verdict }) => verdict === 'wrong');

  it.each([
    ['acts', sentencesOf('acts.txt'), ''],
    ['usual questions', sentencesOf('questions.txt').filter(([, id]) => id !== 'none'), 'ask '],
  ])('are understood or offered in nine of ten, and wrong in one of twenty: %s', (_, rows, prefix) => {
    const some = missed(rows, prefix);
    expect(some.length, JSON.stringify(some, null, 1)).toBeLessThanOrEqual(rows.length / 10);
    expect(wrong(some).length, JSON.stringify(wrong(some), null, 1)).toBeLessThanOrEqual(rows.length / 20);
  });

  it('begin, end, erase and open nothing, and get no answer of another question, if they mean nothing', () => {
    const none = sentencesOf('questions.txt').filter(([, id]) => id === 'none');
    const answered = none.filter(
      ([text = '']) => find(text) !== undefined && !find(text)?.startsWith('gift.'),
    );
    expect(answered.length, JSON.stringify(answered)).toBeLessThanOrEqual(none.length / 10);
    const deeds = sentencesOf('acts.txt', 'no act').filter(([text = '']) =>
      /^(?:start|cancel|remove|yes|show person|show erasing|speak|change)/.test(understand(text).act ?? ''),
    );
    expect(deeds).toEqual([]);
  });
});

it('may be of any length: what is too long is cut or told, and no character in half', () => {
  expect(visible('x'.repeat(5000))).toHaveLength(1000);
  expect(visible(`${'x'.repeat(999)}😀`)).toBe('x'.repeat(999));
  expect(parseCode('x'.repeat(64))).toEqual({ ok: true, value: 'x'.repeat(64) });
  expect(parseCode('x'.repeat(65))).toEqual({ ok: false, reason: 'code.long' });
  const long = 'abcd'.split('').map((letter) => letter.repeat(60));
  expect(parseEmail(`minh@${long.join('.')}.example.vn`)).toEqual({ ok: false, reason: 'email.long' });
});

/** Texts of what there is in messages, and of what makes patterns slow. */
const PARTS = either(
  'tích điểm | đổi quà | không | được | lịch sử | TIVI01abc | 0912345678 | +1 | 00 | 9 | a@b.vn | @ | a@ | /tichdiem | - | ' +
    '......................... | " | ề | ０ | ( | a. | a- | 1/8/2023 | ddieemr | abcdefgh | \t',
);
const texts = fc.oneof(
  fc.array(PARTS, { maxLength: 200 }).map((all) => all.join(' ')),
  fc.tuple(PARTS, PARTS, fc.nat(1000)).map(([a, b, times]) => a.repeat(times) + b.repeat(1000) + a),
  fc.string({ unit: 'binary', maxLength: 1200 }),
);

describe('any text', () => {
  it('has valid slots only, however hostile', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { code, phone, email, emailSuggestion, reference } = understand(text);
        if (code !== undefined) expect(parseCode(code)).toEqual({ ok: true, value: code });
        if (phone !== undefined) expect(parsePhone(phone)).toEqual({ ok: true, value: phone });
        for (const address of [email, emailSuggestion])
          if (address !== undefined) expect(parseEmail(address)).toMatchObject({ ok: true, value: address });
        if (reference !== undefined) expect(reference).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
      }),
      { numRuns: 300 },
    );
  });

  it('means the same composed or decomposed, with invisible characters or without, folded once or twice', () => {
    fc.assert(
      fc.property(texts, (any) => {
        const text = any.slice(0, 200);
        expect(understand(`\u202e${text}\u200b`)).toEqual(understand(text));
        expect(fold(fold(text))).toBe(fold(text));
        expect(fold(text.normalize('NFD'))).toBe(fold(text.normalize('NFC')));
      }),
    );
    for (const text of ['Lịch sử đổi quà 30 ngày', 'Điểm của tôi', 'đừng đổi quà', 'đợi chút'])
      expect(understand(text.normalize('NFD'))).toEqual(understand(text));
  });

  it('is never shown whole by a mask', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 80 }), (value) => {
        for (const one of [maskPhone, maskEmail, maskCode]) {
          expect(one(value)).toContain('***');
          expect(one(value).replaceAll('*', '').length).toBeLessThan(value.length + 6);
        }
        if (!value.includes('@')) expect(maskEmail(value)).toBe('***');
      }),
    );
  });
});

test("the operator's answers replace built-in ones by their id, rank higher, and are sent as written", () => {
  const answers: readonly Answer[] = [
    { id: 'hours', asks: { vi: [], en: [] }, answer: { vi: '8 giờ', en: '8 am' } },
    {
      id: 'warranty',
      asks: { vi: ['bảo hành bao lâu'], en: ['how long is the warranty'] },
      answer: { vi: 'Hai năm', en: 'Two years' },
    },
    {
      id: 'expiry',
      asks: { vi: ['điểm hết hạn lúc nào'], en: [] },
      answer: { vi: 'Cuối năm', en: 'In December' },
    },
  ];
  const findAmong = questionsOf(answers);
  const asked = [
    'cửa hàng đóng cửa mấy giờ?',
    'Bảo hành bao lâu vậy?',
    'có mất phí không?',
    'điểm hết hạn lúc nào vậy?',
  ];
  expect(asked.map(findAmong)).toEqual(['hours', 'warranty', 'fee', 'expiry']);

  const conversation = createConversation({
    flows,
    wording: WORDING,
    languageTexts: LANGUAGE_TEXTS,
    answers,
  });
  const chat = new Dialogue(undefined, {}, conversation).text('bảo hành bao lâu?');
  expect(chat.replies).toMatchObject([{ key: 'answer', params: { text: { vi: 'Hai năm' } } }]);
  expect(chat.last?.question).toEqual({ answer: 'warranty' });
});

test.each([
  ['garnacho', 1],
  ['minh@example.vn', 2],
  ['minh＠example.vn', 2],
  ['0867123456', 2],
  ['０８６７１２３４５６', 2],
  ['a-word-that-is-too-long', 2],
])('the word "%s" is read %i times out of two: what may be personal is not kept', (word, times) => {
  let count = 0;
  const read = remembered(() => ++count);
  read(word);
  read(word);
  expect(count).toBe(times);
});
