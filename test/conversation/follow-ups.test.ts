import { describe, expect, test } from 'vitest';
import { understand } from '../support/conversation.ts';
import { Dialogue, STAFF, TEAMS } from '../support/dialogue.ts';

/*
 * What customers say next, about what they see.
 */

describe('at a page of points', () => {
  test.each([
    'gifts this quarter',
    'thế còn quà',
    'còn quà thì sao',
    'quà',
    'what about the gifts',
    'quà tháng này',
  ])('%j shows the gifts that were redeemed', (text) => {
    const chat = new Dialogue(TEAMS).text('lịch sử').text(text);
    expect(chat.keys).toEqual(['history.page']);
    expect(chat.effects[1]).toMatchObject({ kind: 'history', type: 'gift' });
    expect(chat.text('tháng trước').keys).toEqual(['history.page']);
    expect(chat.effects[2]).toMatchObject({ kind: 'history', type: 'gift' });
  });

  test.each(['đổi quà', 'đổi quà tháng này', 'quà nào', 'xem quà', 'lấy quà', 'redeem', 'get a gift'])(
    '%j is a wish',
    (text) => {
      expect(new Dialogue(TEAMS).text('lịch sử').text(text).question.key).toBe('redeem.askGift');
    },
  );

  test('staff see the gifts of the same customer', () => {
    const chat = new Dialogue(STAFF).text('lịch sử điểm 0867123456').text('quà thì sao');
    expect(chat.effects[1]).toMatchObject({ type: 'gift', by: { value: '+84867123456' } });
  });
});

describe('"wrong" where something is asked for', () => {
  const atSummary = () => new Dialogue().text('TIVI000000017 0912345678 a@example.com');

  test.each(['sai rồi', 'nhầm rồi', 'sai', 'wrong'])('removes no e-mail: %s', (text) => {
    const chat = atSummary().press('edit:email').text(text);
    expect(chat.keys).toEqual(['email.wanted']);
    expect(chat.text('b@example.com').state.draft.email).toMatchObject({ value: 'b@example.com' });
  });

  test.each(['sai rồi', 'mã sai rồi', 'nhầm'])('keeps no wrong code beside the right one: %s', (text) => {
    const chat = atSummary().text('mã sai rồi').text(text).text('TIVI000000025');
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.state.draft.codes).toEqual(['TIVI000000025']);
  });

  test('asks for what it names', () => {
    expect(atSummary().press('edit:email').text('sai mã').question.key).toBe('accumulate.askCode');
    expect(atSummary().press('edit:email').text('sai số điện thoại').question.key).toBe(
      'accumulate.askPhone',
    );
    expect(atSummary().press('edit:email').text('email sai').question.key).toBe('email.wanted');
  });

  test('stops nothing', () => {
    expect(new Dialogue().text('tích điểm').text('mã này mình chưa dùng mà').question.key).toBe(
      'accumulate.askCode',
    );
  });
});

test.each(['loa', 'the speaker instead', 'loa cơ', 'actually, the speaker'])(
  'another gift at the summary of one is that gift: %s',
  (text) => {
    const chat = new Dialogue().text('đổi quà đầu máy').shareOwnPhone().text(text);
    expect(chat.keys).toEqual(['redeem.summary']);
    expect(chat.state.draft.code).toBe('LOA01');
  },
);

describe('a question while a code is at hand', () => {
  const questions = [
    'được bao nhiêu điểm',
    'được mấy điểm',
    'được nhiêu điểm vậy',
    'mình còn bao nhiêu điểm?',
    'làm sao để có điểm',
    'mã này được bao nhiêu điểm',
    'đổi quà ở đâu',
    'xem điểm ở đâu',
    'how many points will I get',
    'how do I get points',
    'where do I redeem',
    'what gifts are there',
  ];

  test.each(questions)('is answered and drops nothing: %s', (text) => {
    for (const begin of [
      'TIVI000000017',
      'TIVI000000017 0912345678',
      'TIVI000000017 0912345678 a@example.com',
    ]) {
      const chat = new Dialogue().text(begin);
      const { key } = chat.question;
      chat.text(text);
      expect(chat.question.key).toBe(key);
      expect(chat.keys[0]).toMatch(/^(answer|flow\.first)$/);
      expect(chat.state.draft.codes).toEqual(['TIVI000000017']);
    }
  });

  test('a command begins something else', () => {
    expect(new Dialogue().text('TIVI000000017').text('xem điểm').keys[0]).toBe('flow.switched');
  });
});

test.each([
  ['anh muốn coi điểm', 'start points'],
  ['coi lịch sử', 'start history'],
  ['xem lsu', 'start history'],
  ['gọi quản lý ra đây', 'show person'],
  ['viết sai', 'no'],
  ['nói tiếng Việt', 'speak vi'],
])('%s means %s, as people say it in all regions', (text, act) => {
  expect(understand(text).act).toBe(act);
});

test('"tháng ni" is this month', () => {
  const chat = new Dialogue(TEAMS).text('lịch sử').text('tháng ni');
  expect(chat.keys).toEqual(['history.page']);
});

test.each([false, true])(
  'a code of one customer never goes to the next one whom staff name; edited: %s',
  (isEdited) => {
    const chat = new Dialogue(STAFF).text('khách 0912345678 mã TIVI000000017 email a@example.com');
    if (isEdited) chat.press('edit:phone').text('0912345679');
    chat.text('khách 0912345743 mã TIVI000000025');
    expect(chat.keys).toEqual(['codes.removed', 'accumulate.askEmail']);
    expect(chat.state.draft).toMatchObject({
      codes: ['TIVI000000025'],
      phone: { value: '+84912345743' },
    });
    expect(chat.state.draft.email).toBeUndefined();
  },
);
