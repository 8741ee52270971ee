import { describe, expect, test } from 'vitest';
import { createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import type { Answer } from '../../src/conversation/language/similarity.ts';
import { LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';
import { questionsOf, vocabulary } from '../support/conversation.ts';
import { Dialogue, STAFF, TEAMS } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

/*
 * Questions as customers type them: with marks and without, in the words of a phone, of the South, the North and the
 * middle, in English. Each is answered by what is asked, or by nothing: a wrong answer is worse than none.
 */

const find = questionsOf();
const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';
const rows = sentencesOf('questions.txt');
const NO_QUESTIONS = rows.flatMap(([text, id]) => (id === 'none' ? [text] : []));
const ASKED = rows.filter(([, id]) => id !== 'none' && id !== 'unknown');
const UNKNOWN = rows.flatMap(([text, id]) => (id === 'unknown' ? [text] : []));
describe('a question', () => {
  test('is answered by what it asks, and what only the operator knows by nothing', () => {
    expect(misread(ASKED, (text) => find(text)?.id)).toEqual([]);
    expect(UNKNOWN.filter((text) => find(text)?.id !== undefined)).toEqual([]);
  });

  test('is none where something that the bot does is asked for, nor what begins or answers anything', () => {
    const phrases = vocabulary.examples.filter(({ act, isPhrase }) => isPhrase && !act.startsWith('ask '));
    const others = [...NO_QUESTIONS, ...phrases.map(({ text }) => text)];
    expect(others.filter((text) => find(text))).toEqual([]);
  });

  test('means the same with marks and without, in any case, with any polite words around', () => {
    const sure = ASKED.filter(([text]) => /^[\p{L} ?]+$/u.test(text) && find(text));
    fc.assert(
      fc.property(
        fc.constantFrom(...sure),
        fc.constantFrom('', 'shop ơi ', 'cho mình hỏi ', 'hi, '),
        fc.constantFrom('', ' vậy ạ', ' nhé', '??'),
        fc.boolean(),
        ([text, id], before, after, isLoud) => {
          const asked = `${before}${text.replace(/\?$/, '')}${after || '?'}`;
          expect(find(isLoud ? asked.toUpperCase() : asked)?.id).toBe(id);
        },
      ),
    );
  });
});

/** What leads to each question, the bot's way to say it, an answer, and what comes of it. */
const WHERE: readonly (readonly [string, () => Dialogue, next: string, then: string])[] = [
  ['a code', () => new Dialogue().text('tích điểm'), 'TIVI000000017', 'accumulate.askPhone'],
  ['a phone', () => new Dialogue().text('tích điểm TIVI000000017'), '0912345678', 'accumulate.askEmail'],
  ['an e-mail', () => new Dialogue().text('TIVI000000017 0912345678'), 'bỏ qua', 'accumulate.summary'],
  ['a summary', () => new Dialogue().text(SUMMED), 'ok', 'confirm.press'],
  ['consent', () => new Dialogue().text(SUMMED).press('confirm'), 'ok', 'privacy.remembered'],
  ['a gift', () => new Dialogue(TEAMS).text('đổi quà'), 'đầu máy', 'redeem.summary'],
  ['a proof', () => new Dialogue().text('đổi quà DAUMAY01'), 'huỷ', 'cancel.done'],
  ['who it is', () => new Dialogue(STAFF).text('xem điểm'), '0867123456', 'points.balance'],
  ['a period', () => new Dialogue(TEAMS).text('lịch sử 32/8/2026'), 'tháng trước', 'history.page'],
];

/** What a question must not change, but for what a yes after it means. */
function kept({ state: { textLocale: _, misses: __, notUnderstood: ___, step, ...rest } }: Dialogue) {
  return { ...rest, step: { ...step, last: undefined } };
}

test.each(WHERE)(
  'where we ask for %s, a question is answered or gets the contact, and ours comes again',
  (where, begin, next, then) => {
    const chat = begin();
    const { state, replies } = chat;
    const [before, { key, view }] = [kept(chat), chat.question];
    for (const [text, question = ''] of [...ASKED, ...UNKNOWN.map((one) => [one])]) {
      const id = `answer.${question}` in WORDING.vi ? question : undefined;
      Object.assign(chat, { state, replies }).text(text);
      expect([text, chat.keys, chat.question.view]).toEqual([text, [id ? 'answer' : 'unsure', key], view]);
      // Why a phone must be shared is another answer than why one is asked for.
      const answer = where === 'a proof' && id === 'phone.why' ? 'proof.why' : id;
      expect(chat.last?.question).toEqual({ answer });
      expect(kept(chat)).toEqual(before);
    }
    expect(begin().text('có mất phí không?').text('mấy giờ mở cửa').text(next).keys).toContain(then);
  },
);

test("the operator's answers take the place of built-in ones by their id, come on top, and are said as written", () => {
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
    'điểm hết hạn khi nào',
  ];
  expect(asked.map((text) => findAmong(text)?.id)).toEqual(['hours', 'warranty', 'fee', 'expiry']);

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
