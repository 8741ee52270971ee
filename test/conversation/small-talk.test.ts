import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/conversation/effect.ts';
import { Dialogue, STAFF, succeed, TEAMS, TELEGRAM } from '../support/dialogue.ts';

/*
 * What customers write beside answers and wishes. Nothing of it is a fault, and nothing is lost by it.
 */

const CODE = 'TIVI000000017';
const atPhone = () => new Dialogue().text(`tích điểm ${CODE}`);
const atEmail = () => new Dialogue().text(`tích điểm ${CODE} 0912345678`);
const atSummary = () => new Dialogue().text(`tích điểm ${CODE} 0912345678 minh@example.vn`);
const atConsent = () => atSummary().press('confirm');

/** Each question of ours, and what explains it. */
const QUESTIONS: readonly (readonly [string, () => Dialogue, explained: string, wrong: string])[] = [
  ['a code', () => new Dialogue().text('tích điểm'), 'code.where', 'code.wrong'],
  ['a code that is offered', () => new Dialogue().text('tivi000000120'), 'code.where', 'code.wrong'],
  ['a phone', atPhone, 'phone.why', 'phone.wrong'],
  ['a phone that is offered', () => atPhone().text('01687123456'), 'phone.why', 'phone.wrong'],
  ['an e-mail', atEmail, 'email.why', 'email.wrong'],
  ['an e-mail that is offered', () => atEmail().text('lan@gmial.com'), 'email.why', 'email.wrong'],
  ['a summary', atSummary, 'confirm.what', 'confirm.what'],
  ['whether to remember', atConsent, 'consent.what', 'consent.what'],
  ['a gift', () => new Dialogue(TEAMS).text('đổi quà'), 'gift.which', 'gift.which'],
  ['a redemption', () => new Dialogue(TEAMS).text('đổi quà DAUMAY01'), 'confirm.what', 'confirm.what'],
  ['a proof', () => new Dialogue().text('đổi quà DAUMAY01'), 'proof.why', 'proof.why'],
  ['who it is, of staff', () => new Dialogue(STAFF).text('xem điểm'), 'phone.why', 'phone.wrong'],
  ['a period', () => new Dialogue(TEAMS).text('lịch sử 32/8/2026'), 'period.how', 'period.how'],
  ['a list', () => new Dialogue(TEAMS).text('lịch sử tích điểm và đổi quà'), 'list.which', 'list.which'],
];

/** The state but for what every message changes. */
function kept({ state }: Dialogue) {
  const { textLocale: _, lastMessageMs: __, ...rest } = state;
  return rest;
}

/** What is said beside our question, which comes again. */
function saidBeside(chat: Dialogue, text: string): string[] {
  const { key, view } = chat.question;
  const before = kept(chat);
  chat.text(text);
  expect([text, chat.question.key, chat.question.view]).toEqual([text, key, view]);
  const { shown: _, ...step } = { shown: true, ...before.step };
  expect(kept(chat)).toMatchObject({ ...before, step });
  return chat.keys.slice(0, -1);
}

describe.each(QUESTIONS)('where we ask for %s', (_, begin, explained, wrong) => {
  test.each([
    'ủa',
    'tại sao',
    'why?',
    'hả?',
    'là sao?',
    'what?',
    'huh',
    '?',
    'không hiểu',
    'gì vậy',
    "I don't understand",
  ])('%s is answered by what it is about, and it stays', (text) => {
    const chat = begin();
    expect(saidBeside(chat, text)).toEqual(['answer']);
    expect(chat.last?.question).toEqual({ answer: explained });
  });

  test.each(['sai chỗ nào?', 'sao sai', 'sao sai vậy', "what's wrong with it?", 'sai ở đâu'])(
    '%s is answered by what may be wrong with an answer to it',
    (text) => {
      const chat = begin();
      expect(saidBeside(chat, text)).toEqual(['answer']);
      const isSummaryOver = explained === 'consent.what' ? 'consent.what' : wrong;
      expect(chat.last?.question).toEqual({ answer: isSummaryOver });
    },
  );

  test.each([
    ['cảm ơn', ['thanks']],
    ['alo', ['greet']],
    ['shop ơi', ['greet']],
    ['có ai không', ['greet']],
    ['is anybody there?', ['greet']],
    ['chờ chút', ['wait']],
    ['hold on', ['wait']],
    ['để mình lấy số đã', ['wait']],
    ['let me find it', ['wait']],
    ['bạn là ai?', ['answer']],
    ['đồ ngu', ['upset']],
    ['vcl bot gì kỳ vậy', ['upset']],
    ['this is useless', ['upset']],
    ['你好', ['language.unknown']],
    ['포인트 적립 어떻게 해요', ['language.unknown']],
    ['…', []],
    ['...', []],
    ['😂😂😂', []],
    ['❤️', []],
    ['haha', []],
    ['mai có mưa không bạn?', ['unsure']],
  ] as const)('%s loses nothing', (text, said) => {
    expect(saidBeside(begin(), text)).toEqual(said);
  });

  test('a sticker loses nothing', () => {
    const chat = begin();
    const { key } = chat.question;
    const before = kept(chat);
    chat.send({ kind: 'unknown', what: 'sticker' });
    expect(chat.keys).toEqual(['unreadable', key]);
    expect(kept(chat).draft).toEqual(before.draft);
  });

  test('a very long text loses nothing that was said before', () => {
    const chat = begin();
    const { draft } = chat.state;
    chat.text('mình kể bạn nghe chuyện này dài lắm '.repeat(200));
    expect(chat.state.draft).toEqual(draft);
    expect(chat.state.step.at).not.toBe('idle');
  });
});

describe('a yes in place of a value', () => {
  const YES = ['ok', 'yes', 'có', 'dạ', '👍', 'ok bạn', 'vâng ạ', 'yes please', 'ừ'];

  test.each(YES)('%s asks for the e-mail, plainly', (text) => {
    const chat = atEmail().text(text);
    expect(chat.keys).toEqual(['email.wanted']);
    expect(chat.question).toMatchObject({ asks: 'email', choices: [{ id: 'skip' }, { id: 'cancel' }] });
    expect(chat.state.step).toMatchObject({ at: 'asking', slot: 'email', tries: 0 });
    expect(chat.text('minh@example.vn').keys).toEqual(['accumulate.summary']);
  });

  test.each(['không', 'no', 'k', 'không cần', 'no email', 'không email', 'hông có mail'])(
    '%s skips it, before and after',
    (text) => {
      expect(atEmail().text(text).keys).toEqual(['accumulate.summary']);
      expect(atEmail().text('có').text(text).keys).toEqual(['accumulate.summary']);
    },
  );

  test.each(YES)('%s asks for the phone, plainly', (text) => {
    const chat = atPhone().text(text);
    expect(chat.question).toMatchObject({ key: 'phone.wanted', context: 'share', asks: 'phone' });
    expect(chat.question.sharePhone).toBe(true);
    expect(chat.text('0912345678').keys).toEqual(['accumulate.askEmail']);
    const teams = new Dialogue({ ...TEAMS, email: undefined }).text(`tích điểm ${CODE}`).text(text);
    expect(teams.question).toMatchObject({
      key: 'phone.wanted',
      form: [{ slot: 'phone' }, { slot: 'email' }],
    });
    expect(teams.question.context).toBeUndefined();
  });

  test.each(YES)('%s asks for anything else once more, without a fault', (text) => {
    expect(new Dialogue().text('tích điểm').text(text).keys).toEqual(['accumulate.askCode']);
    expect(new Dialogue(TEAMS).text('đổi quà').text(text).keys).toEqual(['redeem.askGift']);
    expect(new Dialogue(STAFF).text('xem điểm').text(text).keys).toEqual(['identity.ask']);
    const proof = new Dialogue().text('đổi quà DAUMAY01').text(text);
    expect(proof.question).toMatchObject({ key: 'identity.proofNeeded', context: 'again' });
  });

  test('why a phone must be shared is said once', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').text('sao gõ số không được');
    expect(chat.replies).toMatchObject([
      { params: { text: { key: 'answer.proof.why' } } },
      { key: 'identity.proofNeeded', context: 'again', sharePhone: true },
    ]);
  });

  test.each(['không', 'không muốn chia sẻ', "I don't want to share my number", 'skip'])(
    'a no to sharing is told why it is needed: %s',
    (text) => {
      const chat = new Dialogue().text('xem điểm').text(text);
      expect(chat.replies[0]?.params).toEqual({ text: { key: 'answer.proof.why' } });
      expect(chat.question).toMatchObject({ key: 'identity.proofNeeded', sharePhone: true });
    },
  );

  test('a no to the phone is told why it is asked for', () => {
    const chat = atPhone().text('không');
    expect(chat.keys).toEqual(['answer', 'accumulate.askPhone']);
    expect(chat.replies[0]?.params).toEqual({ text: { key: 'answer.phone.why' } });
    expect(chat.last?.question).toBeUndefined();
  });
});

describe('what was refused', () => {
  test.each([
    ['091', 'phone.short', 'phone.wrong'],
    ['09123456789', 'phone.long', 'phone.wrong'],
  ] as const)('%s: then "sai chỗ nào?" is about the number', (number, refused, answer) => {
    const chat = atPhone().text(number);
    expect(chat.keys[0]).toBe(refused);
    expect(chat.text('sai chỗ nào?').last?.question).toEqual({ answer });
  });

  test('an e-mail, then "sao sai" is about the e-mail', () => {
    const chat = atEmail().text('minh@gmail');
    expect(chat.keys[0]).toBe('email.shape');
    expect(chat.text('sao sai').last?.question).toEqual({ answer: 'email.wrong' });
    expect(chat.text('mã sai chỗ nào?').last?.question).toEqual({ answer: 'code.wrong' });
  });

  test('a redemption, then "sai chỗ nào?" is about that, whatever is asked since', () => {
    const chat = new Dialogue(TEAMS);
    chat.answers = (effect): Outcome =>
      effect.kind === 'redeem' ? { kind: 'refused', operation: effect.operation } : succeed(effect);
    chat.text('đổi quà DAUMAY01').press('confirm').text('sai chỗ nào?');
    expect(chat.last?.question).toEqual({ answer: 'gift.refused' });
  });
});

describe('where nothing is asked', () => {
  test.each([
    ['cảm ơn', 'thanks'],
    ['ok cảm ơn', 'thanks'],
    ['ok', 'menu'],
    ['👍', 'menu'],
    ['…', 'menu'],
    ['😀', 'menu'],
    ['haha', 'menu'],
    ['không', 'later'],
    ['mã sai rồi', 'unsure'],
    ['alo', 'welcome'],
    ['shop ơi', 'welcome'],
    ['có ai không', 'welcome'],
    ['e ơi', 'welcome'],
    ['cho mình hỏi chút', 'welcome'],
    ['you suck', 'upset'],
    ['ok bye', 'bye'],
    ['is this a real person?', 'answer'],
    ['ủa', 'help'],
    ['?', 'help'],
    ['bạn là ai', 'answer'],
    ['who are you?', 'answer'],
    ['đm', 'upset'],
    ['chờ chút', 'wait'],
    ['안녕하세요', 'language.unknown'],
    ['积分怎么用', 'language.unknown'],
  ])('%s is answered by %s, with what can be done', (text, key) => {
    const chat = new Dialogue().text(text);
    expect(chat.keys).toEqual([key]);
    expect(chat.question.asks).toBe('menu');
    expect(chat.question.choices?.length).toBeGreaterThan(2);
  });

  test.each(['cảm ơn', 'không', '…', 'ủa', 'vcl', '你好', 'hôm nay trời đẹp quá'])(
    '%s leaves what was said out of the blue',
    (text) => {
      const chat = new Dialogue().text('0912345678').text(text);
      expect(chat.text(`tích điểm ${CODE}`).keys).toEqual(['accumulate.askEmail']);
    },
  );

  test('a page can still be turned', () => {
    for (const text of ['cảm ơn', 'ủa', 'haha', '…', 'vcl', '你好', 'không', 'chờ chút']) {
      const chat = new Dialogue(TEAMS).text('lịch sử').text(text);
      expect([text, chat.text('tiếp').keys]).toEqual([text, ['history.page']]);
    }
  });
});

describe('a value beside small talk', () => {
  test.each([
    [`chào shop ${CODE}`, 'accumulate.askPhone'],
    [`hi shop, mã ${CODE} sđt 0912345678`, 'accumulate.askEmail'],
    [`cảm ơn, ${CODE}`, 'accumulate.askPhone'],
    [`alo ${CODE} 0912345678 minh@example.vn`, 'accumulate.summary'],
  ])('%s is what the message is about', (text, key) => {
    expect(new Dialogue().text(text).keys).toEqual([key]);
  });

  test('is an answer to our question', () => {
    expect(atPhone().text('cảm ơn, 0912345678').keys).toEqual(['accumulate.askEmail']);
    expect(atPhone().text('0912345678 hả').keys).toEqual(['accumulate.askEmail']);
    expect(atEmail().text('minh@example.vn cảm ơn bạn').keys).toEqual(['accumulate.summary']);
  });
});

describe('who forgot something', () => {
  test.each([
    'mình quên rồi',
    'quên mất',
    'quên số rồi',
    'em quên mã rồi',
    'quen so roi',
    'I forgot',
    'i forget',
    'forgot my number',
    'quên số điện thoại thì sao',
    'tem rách mất mã rồi',
    'mã bị mờ không đọc được',
  ])('%s erases nothing', (text) => {
    for (const begin of [() => new Dialogue(TELEGRAM), atPhone, atConsent]) {
      const chat = begin().text(text);
      expect(chat.last?.forget).toBeUndefined();
      expect(chat.keys).not.toContain('privacy.erased');
      expect(JSON.stringify(chat.replies)).toContain('1900 0000');
    }
  });

  test.each(['/quen', '/forget'])('%s erases', (text) => {
    expect(atPhone().text(text).keys).toEqual(['privacy.erased']);
  });

  test.each(['quên tôi đi', 'forget me', 'xoá dữ liệu của tôi'])(
    '%s shows what is kept, and the button that erases it',
    (text) => {
      const chat = new Dialogue().text('0867123456').text(text);
      expect(chat.keys).toEqual(['privacy.text']);
      expect(chat.press('forget').keys).toEqual(['privacy.erased']);
    },
  );
});

test('"ok, cảm ơn" is a yes at a summary and to being remembered', () => {
  const chat = atSummary().text('ok cảm ơn nhé');
  expect(chat.keys).toEqual(['accumulate.done', 'privacy.consent']);
  expect(chat.text('dạ cảm ơn').keys).toEqual(['privacy.remembered']);
});

describe('at a summary', () => {
  test('another e-mail is asked for plainly', () => {
    const chat = atSummary().press('edit:email');
    expect(chat.question).toMatchObject({ key: 'email.wanted', choices: [{ id: 'skip' }, { id: 'cancel' }] });
    expect(chat.text('lan@example.vn').state.draft.email?.value).toBe('lan@example.vn');
  });

  test.each(['bỏ email đi', 'à nhầm, bỏ email đi', 'remove the e-mail please'])(
    '%s leaves it out',
    (text) => {
      const chat = atSummary().text(text);
      expect(chat.keys).toEqual(['accumulate.summary']);
      expect(chat.state.draft.email).toBeNull();
    },
  );

  test.each(['đúng r', 'ok r nha', 'chuẩn r'])('%s is a yes', (text) => {
    expect(atSummary().text(text).keys[0]).toBe('accumulate.done');
  });
});

test.each(['Hello, I have a code', 'I bought a TV and have a code', 'mình có mã ạ', 'có mã'])(
  'who has a code is asked for it: %s',
  (text) => {
    expect(new Dialogue().text(text).keys).toEqual(['accumulate.askCode']);
  },
);
