import { describe, expect, test } from 'vitest';
import { createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import type { Answer } from '../../src/conversation/language/questions.ts';
import { SAYINGS, WORDING } from '../../src/i18n.ts';
import { questionsOf, words as said } from '../support/conversation.ts';
import { AT_ONCE_MS, onCpu } from '../support/cpu.ts';
import { Dialogue, STAFF, TEAMS } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

const find = questionsOf();

const ASKED: readonly (readonly [id: string, ...texts: string[]])[] = [
  ['code.where', 'mã ở đâu?', 'ma o dau', 'shop ơi mã in ở đâu vậy ạ', 'mã là gì vậy', 'where is the code?'],
  [
    'code.wrong',
    'mã sai chỗ nào?',
    'sao mã mình nhập không được',
    'mã sai ở đâu vậy',
    'what is wrong with the code?',
  ],
  ['fee', 'có mất phí không?', 'co mat phi k', 'cos maast phis khoong', 'is it free', 'do I have to pay?'],
  ['fee', 'tích điểm có mất tiền không vậy'],
  ['points.when', 'bao giờ có điểm?', 'bao lâu thì được cộng điểm vậy', 'when will I get my points?'],
  ['phone.why', 'sao phải cho số điện thoại?', 'sao can sdt', 'số điện thoại để làm gì?'],
  ['phone.why', 'why do you need my phone number?'],
  ['gift.where', 'giờ lấy quà ở đâu', 'khi nào nhận được quà vậy shop', 'where do I pick up my gift?'],
  ['points.how', 'làm sao để có điểm', 'how do I get points?'],
  [
    'points.worth',
    'mã này được bao nhiêu điểm',
    'mua 1 tivi được mấy điểm vậy',
    'how many points is this code worth?',
  ],
  ['gift.how', 'đổi quà ở đâu', 'đổi quà như thế nào', 'how do I redeem?', 'where can I redeem?'],
  ['hours', 'mấy giờ mở cửa', 'cửa hàng mở cửa lúc mấy giờ', 'what time do you open?'],
];
const TEXTS = ASKED.flatMap(([id, ...texts]) => texts.map((text) => [text, id] as const));

describe('a question', () => {
  test.each(TEXTS)('%j is answered by %s, whatever its words could mean besides', (text, id) => {
    expect(find(text)).toMatchObject({ id, sure: true });
  });

  test.each([
    'hôm nay trời thế nào?',
    'còn bao nhiêu điểm vậy shop',
    'điểm của mình đâu',
    'có được đổi quà không',
    'bao nhiêu điểm',
    'tuần này tích được bao nhiêu điểm',
    'how many points did I get last week',
    'how many points do I have?',
    'có không',
    'mã TIVI000000017',
    'lấy quà',
    '?',
    '',
  ])('%j is none that is surely known', (text) => {
    expect(find(text)?.sure).not.toBe(true);
  });

  test('is never what begins or answers anything', () => {
    const phrases = said.examples.flatMap(({ text, isPhrase }) => (isPhrase ? [text] : []));
    expect(phrases.filter((phrase) => find(phrase)?.sure)).toEqual([]);
  });

  test('is found in any text at once', () => {
    const words = fc.constantFrom('mã', 'ở', 'đâu', 'sao', 'phí', 'không', 'quà', '?', 'abcdefgh', 'ddaau');
    const texts = fc.oneof(
      fc.array(words, { maxLength: 300 }).map((all) => all.join(' ')),
      fc.string({ unit: 'binary', maxLength: 1200 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(onCpu(() => find(text)).cpuMs).toBeLessThan(AT_ONCE_MS);
      }),
    );
  });

  test('means the same with marks and without, in any case, with any polite words around', () => {
    const sure = TEXTS.filter(([text]) => /^[\p{L} ?]+$/u.test(text));
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

describe('where the bot waits for an answer', () => {
  const asking: readonly (readonly [string, () => Dialogue, next: string, then: string])[] = [
    ['a code', () => new Dialogue().text('tích điểm'), 'TIVI000000017', 'accumulate.askPhone'],
    ['a phone', () => new Dialogue().text('tích điểm TIVI000000017'), '0912345678', 'accumulate.askEmail'],
    [
      'an e-mail',
      () => new Dialogue().text('tích điểm TIVI000000017 0912345678'),
      'bỏ qua',
      'accumulate.summary',
    ],
    ['a gift', () => new Dialogue(TEAMS).text('đổi quà'), 'đầu máy', 'redeem.summary'],
    ['who it is', () => new Dialogue(STAFF).text('xem điểm'), '0867123456', 'points.balance'],
    ['a period', () => new Dialogue(TEAMS).text('lịch sử 32/8/2026'), 'tháng trước', 'history.page'],
  ];

  test.each(asking)(
    '%s: a question is answered and its own comes again, nothing lost',
    (_, begin, next, then) => {
      for (const [text, id] of TEXTS) {
        const chat = begin();
        const { textLocale: _, ...before } = chat.state;
        const question = chat.question;
        chat.text(text);
        expect([text, chat.keys]).toEqual([text, ['answer', question.key]]);
        expect(chat.question.view).toBe(question.view);
        const { textLocale: __, ...after } = chat.state;
        expect(after).toEqual(before);
        expect(chat.last?.question).toEqual({ answer: id });
        expect(chat.text(next).keys.at(-1) === then || chat.keys[0] === then).toBe(true);
      }
    },
  );

  test.each(asking)('%s: a question that has no answer is no wrong answer', (_, begin) => {
    const chat = begin();
    const question = chat.question.key;
    const { tries } = { tries: 0, ...chat.state.step };
    chat.text('mai có mưa không bạn?');
    expect(chat.keys).toEqual(['unsure', question]);
    expect(chat.replies[0]).toMatchObject({ context: 'question', lines: [{ key: 'help.support' }] });
    expect(chat.last?.question).toEqual({});
    expect(chat.state.step).toMatchObject({ tries });
  });

  test('a value in a question is what was asked for', () => {
    expect(new Dialogue().text('tích điểm').text('mã TIVI000000017 sai chỗ nào?').keys).toEqual([
      'accumulate.askPhone',
    ]);
    expect(new Dialogue().text('tích điểm TIVI000000017').text('số 0912345678 được không?').keys).toEqual([
      'accumulate.askEmail',
    ]);
  });

  test('the summary stays, its button alive', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    expect(chat.text('có mất phí không?').keys).toEqual(['answer', 'accumulate.summary']);
    expect(chat.press('confirm').keys[0]).toBe('accumulate.done');
  });

  test('the question whether to remember stays open', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn').press('confirm');
    expect(chat.text('bao giờ có điểm?').keys).toEqual(['answer', 'privacy.consent']);
    expect(chat.press('consent:accept').keys).toEqual(['privacy.remembered']);
  });

  test('a page stays, and what was said out of the blue is kept', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text('giờ lấy quà ở đâu');
    expect(chat.keys).toEqual(['answer']);
    expect(chat.text('tiếp').keys).toEqual(['history.page']);
    const kept = new Dialogue().text('0912345678').text('có mất phí không?');
    expect(kept.question.asks).toBe('menu');
    expect(kept.text('tích điểm TIVI000000017').keys).toEqual(['accumulate.askEmail']);
  });
});

describe('what only the shop knows', () => {
  test.each(['giờ lấy quà ở đâu', 'mấy giờ mở cửa'])('comes with whom to ask: %s', (text) => {
    expect(new Dialogue().text(text).question.lines).toEqual([
      { key: 'help.support', params: { contact: '1900 0000' } },
    ]);
    const alone = new Dialogue(undefined, { supportContact: undefined });
    expect(alone.text(text).question).toMatchObject({ key: 'answer', lines: [] });
  });
});

describe("the operator's answers", () => {
  const added: readonly Answer[] = [
    {
      id: 'hours',
      asks: { vi: ['mấy giờ mở cửa'], en: ['when do you open'] },
      answer: { vi: '8 giờ', en: '8 am' },
    },
    {
      id: 'warranty',
      asks: { vi: ['bảo hành bao lâu'], en: ['how long is the warranty'] },
      answer: { vi: 'Hai năm', en: 'Two years' },
    },
  ];

  test('replace built-in ones by their id, and come on top', () => {
    const findAmong = questionsOf(added);
    expect(findAmong('mấy giờ mở cửa ạ?')).toMatchObject({ id: 'hours' });
    expect(findAmong('cửa hàng đóng cửa mấy giờ?')).toBeUndefined();
    expect(findAmong('Bảo hành bao lâu vậy?')).toMatchObject({ id: 'warranty', sure: true });
    expect(findAmong('có mất phí không?')).toMatchObject({ id: 'fee' });
  });

  test('come before what nobody but the operator knows', () => {
    const expiry: Answer = {
      id: 'expiry',
      asks: { vi: ['điểm hết hạn lúc nào'], en: ['when do my points lapse'] },
      answer: { vi: 'Cuối năm', en: 'At the end of the year' },
    };
    const asked = 'điểm hết hạn khi nào';
    expect(find(asked)).toMatchObject({ sure: true });
    expect(find(asked)?.id).toBeUndefined();
    expect(questionsOf([expiry])(asked)).toMatchObject({ id: 'expiry' });
  });

  test('are said as they were written', () => {
    const { step } = createConversation({ flows, wording: WORDING, sayings: SAYINGS, answers: added });
    const chat = new Dialogue();
    const message = { kind: 'text', text: 'bảo hành bao lâu?' } as const;
    const decision = step(chat.state, { kind: 'message', message }, chat.context());
    expect(decision.replies).toMatchObject([{ key: 'answer', params: { text: { vi: 'Hai năm' } } }]);
    expect(decision.question).toEqual({ answer: 'warranty' });
  });
});
