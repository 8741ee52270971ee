import { describe, expect, test } from 'vitest';
import { createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import type { Answer } from '../../src/conversation/language/similarity.ts';
import { LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';
import { questionsOf, vocabulary } from '../support/conversation.ts';
import { Dialogue } from '../support/dialogue.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

/*
 * Questions as customers type them: with marks and without, in the words of a phone, of the South, the North and the
 * middle, in English. Each is answered by what is asked, or by nothing: a wrong answer is worse than none.
 */

const find = questionsOf();
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
});

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
