import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/conversation/effect.ts';
import type { Sender } from '../../src/conversation/message.ts';
import { localeOf } from '../../src/conversation/state.ts';
import { Dialogue, STAFF, succeed, TEAMS, TELEGRAM } from '../support/dialogue.ts';

/*
 * What customers wrote, in 152 conversations, and what must be answered. One test a line.
 */

const START = 'https://t.me/antcrm_bot?start=';
const NO_EMAIL: Sender = { channel: 'teams', proof: 'profile', locale: 'vi', name: 'Garnacho' };
/** Midnight of a day of Vietnam's. */
const midnight = (month: number, day: number) => Date.UTC(2026, month - 1, day) - 7 * 3_600_000;

const summed = (...words: string[]) => new Dialogue().text(['tích điểm TIVI000000017', ...words].join(' '));
const atSummary = () => summed('0912345678', 'minh@example.vn');
const earned = () => atSummary().press('confirm');
const refusing = (chat: Dialogue) => {
  chat.answers = (effect): Outcome =>
    effect.kind === 'accumulate' ? { kind: 'refused', operation: effect.operation } : succeed(effect);
  return chat;
};

describe('what stays', () => {
  test('all in one message, in the words of a phone', () => {
    const chat = new Dialogue().text(
      'cho mk tích điểm mã TIVI000000104 sđt 0912 345 004 email lan.anh@gmail.com nha',
    );
    expect(chat.keys).toEqual(['accumulate.summary']);
  });

  test.each(['tichs dieemr', 't1ich d9ie6m3', 'td'])('earning by %s', (text) => {
    expect(new Dialogue().text(text).keys).toEqual(['accumulate.askCode']);
  });

  test.each(['hem co mail', 'k dùng mail', 'ko xài email', "I don't use e-mail"])('no e-mail: %s', (text) => {
    const chat = summed('0912345678').text(text);
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.state.draft.email).toBeNull();
  });

  test('a number corrected', () => {
    const chat = atSummary().text('à nhầm số rồi, số đúng là 0912345013');
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.state.draft.phone?.value).toBe('+84912345013');
  });

  test('an old number is asked about', () => {
    expect(summed().text('01687123456').keys).toEqual(['phone.mapped']);
  });

  test('another language in the middle', () => {
    expect(summed().text('English please').keys).toEqual(['language.done', 'accumulate.askPhone']);
  });

  test('gifts of last month', () => {
    const chat = new Dialogue(TEAMS).text('quà đã đổi tháng trước');
    expect(chat.effects).toMatchObject([{ type: 'gift', fromMs: midnight(10, 1), toMs: midnight(11, 1) }]);
  });
});

describe('codes', () => {
  test.each([
    ['tivi000000120', 'TIVI000000120'],
    ['Tivi000000120', 'TIVI000000120'],
    ['TIVIO00000120', 'TIVI000000120'],
    ['TIVI00000012o', 'TIVI000000120'],
    ['TlVI00000012O', 'TIVI000000120'],
    ['TIVI0000001I0', 'TIVI000000110'],
    ['mã tulanh000000120 ạ', 'TULANH000000120'],
    ['tivinpmx8b98pfg', 'TIVInpmx8b98pfg'],
  ])('%s is offered as %s', (text, code) => {
    for (const begin of [() => new Dialogue(), () => new Dialogue().text('tích điểm')]) {
      const chat = begin().text(text);
      expect(chat.question).toMatchObject({ key: 'code.offer', params: { code } });
      expect(chat.calls).toEqual([]);
      chat.press('use');
      expect(chat.keys).toEqual(['accumulate.askPhone']);
      expect(chat.state.draft.codes).toEqual([code]);
    }
  });

  test('what was written is kept where the customer says so, and stands beside other codes', () => {
    const kept = new Dialogue().text('tivi000000120').press('keep');
    expect(kept.state.draft.codes).toEqual(['tivi000000120']);
    const beside = atSummary().text('tivi000000302');
    expect(beside.keys).toEqual(['code.offer']);
    expect(beside.press('use').keys).toEqual(['accumulate.summary']);
    expect(beside.state.draft.codes).toEqual(['TIVI000000017', 'TIVI000000302']);
  });

  test.each(['TIVI000000120', 'TIVInpmx8b98pfg', 'MAYGIAT01X', 'loa000000120', 'TIVI01'])(
    '%s is taken as it is',
    (text) => {
      expect(new Dialogue().text(`tích điểm ${text}`).keys).toEqual(['accumulate.askPhone']);
    },
  );

  test.each([
    `${START}TIVI000000130`,
    `${START}_${Buffer.from('TIVI000000130').toString('base64url')}`,
    't.me/antcrm_bot?start=TIVI000000130',
    `quét được link này nè ${START}TIVI000000130`,
    `${START}TIVI000000130 0912345678`,
  ])('a link to the bot is its code: %s', (text) => {
    for (const chat of [new Dialogue().text(text), new Dialogue().text('tích điểm').text(text)]) {
      expect(chat.state.draft.codes).toEqual(['TIVI000000130']);
    }
  });

  test('"sai chỗ nào?" after a refused code says what to check, and the code is asked for again', () => {
    const chat = refusing(atSummary()).press('confirm');
    expect(chat.replies[0]).toMatchObject({
      key: 'accumulate.refused',
      context: 'code',
      params: { code: 'TIVI000000017' },
    });
    chat.text('sai chỗ nào?');
    expect(chat.keys).toEqual(['answer', 'accumulate.askCode']);
    expect(chat.replies[0]?.params).toEqual({ text: { key: 'answer.code.wrong' } });
  });
});

describe('the history', () => {
  test.each([
    ['lịch sử tích điểm tháng trước nữa', midnight(9, 1), midnight(10, 1)],
    ['lịch sử 3 tháng gần đây', midnight(8, 25), undefined],
    ['hôm qua mình tích được gì', midnight(11, 24), midnight(11, 25)],
    ['history 1 - 5 November 2026', midnight(11, 1), midnight(11, 6)],
    ['lịch sử quý 1', midnight(1, 1), midnight(4, 1)],
    ['history last 3 months', midnight(8, 25), undefined],
  ])('%s', (text, fromMs, toMs) => {
    const chat = new Dialogue(TEAMS).text(text);
    expect(chat.keys).toEqual(['history.page']);
    expect(chat.effects).toMatchObject([{ type: 'point', fromMs, toMs: toMs ?? chat.nowMs }]);
  });

  test('at a page: "ủa", then "tháng 9", then "2"', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử').text('ủa');
    expect(chat.state.step.at).toBe('browsing');
    chat.text('tháng 9').text('2');
    expect(chat.keys).toEqual(['history.page']);
    expect(chat.effects.at(-1)).toMatchObject({ fromMs: midnight(9, 1), toMs: midnight(10, 1), skip: 5 });
  });

  test('half an hour after a page nothing is unfinished', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử').later(31 * 60_000);
    expect(chat.text('chào').keys).toEqual(['welcome']);
    const asleep = new Dialogue(TEAMS)
      .text('lịch sử')
      .later(31 * 60_000)
      .wake();
    expect(asleep.text('xem điểm').keys[0]).toBe('points.balance');
  });

  test('staff who say a period before whose hear that it was understood', () => {
    const chat = new Dialogue(STAFF).text('history').text('last month');
    expect(chat.keys).toEqual(['history.noted', 'identity.ask']);
    expect(chat.text('0867123456').keys).toEqual(['history.page']);
    expect(chat.effects).toMatchObject([{ fromMs: midnight(10, 1), toMs: midnight(11, 1) }]);
  });
});

describe('questions', () => {
  test.each([
    ['mã ở đâu?', () => new Dialogue().text('tích điểm'), 'accumulate.askCode'],
    ['có mất phí không?', () => new Dialogue().text('tích điểm'), 'accumulate.askCode'],
    ['bao giờ có điểm?', () => new Dialogue().text('tích điểm'), 'accumulate.askCode'],
    ['sao phải cho số điện thoại?', () => summed(), 'accumulate.askPhone'],
    ['mấy giờ mở cửa', () => summed('0912345678'), 'accumulate.askEmail'],
  ] as const)('%s is answered, and ours comes again', (text, begin, key) => {
    expect(begin().text(text).keys).toEqual(['answer', key]);
  });

  test('where to get a gift, after it was redeemed', () => {
    const chat = new Dialogue(TEAMS).text('đổi quà đầu máy').press('confirm').text('giờ lấy quà ở đâu');
    expect(chat.keys[0]).toBe('answer');
  });

  test.each(['gặp nhân viên', 'cho mình gặp nhân viên với', 'hotline'])('%s gives the contact', (text) => {
    for (const chat of [new Dialogue(), summed(), atSummary(), new Dialogue(TEAMS).text('lịch sử')]) {
      const said = JSON.stringify(chat.text(text).replies[0]);
      expect(said).toContain('1900 0000');
    }
  });
});

describe('what was asked for', () => {
  test('an English client that writes Vietnamese is answered in Vietnamese', () => {
    const chat = new Dialogue({ ...TELEGRAM, locale: 'en' }).text('tích điểm');
    expect(localeOf(chat.state, chat.sender, 'en')).toBe('vi');
  });

  test('"cảm ơn" at the question whether to remember leaves it open; the phone is not asked for anew', () => {
    const chat = earned().text('cảm ơn');
    expect(chat.keys).toEqual(['thanks', 'privacy.consent']);
    expect(chat.state.consentUnanswered).toBeUndefined();
    chat.text('TIVI000000018');
    expect(chat.keys).not.toContain('accumulate.askPhone');
    expect(chat.state.draft.phone?.value).toBe('+84912345678');
    expect(earned().text('cảm ơn').press('consent:accept').keys).toEqual(['privacy.remembered']);
  });

  test('a mistyped e-mail in a form is asked about, as when typed', () => {
    const form = {
      kind: 'form',
      code: 'TIVI000000017',
      phone: '0912345678',
      email: 'lan@gmial.com',
    } as const;
    for (const sender of [NO_EMAIL, TEAMS]) {
      const chat = new Dialogue(sender).text('tích điểm').send(form);
      expect(chat.question).toMatchObject({ key: 'email.typo', params: { email: 'lan@gmail.com' } });
      expect(chat.press('use').state.draft.email?.value).toBe('lan@gmail.com');
      const kept = new Dialogue(sender).text('tích điểm').send(form).press('keep');
      expect(kept.state.draft.email?.value).toBe('lan@gmial.com');
    }
  });

  test('in a form that lacks more, it comes back marked', () => {
    const chat = new Dialogue(NO_EMAIL).text('tích điểm');
    chat.send({ kind: 'form', code: 'TIVI000000017', phone: '091', email: 'lan@gmial.com' });
    expect(chat.question.form).toContainEqual({
      slot: 'email',
      required: false,
      value: 'lan@gmial.com',
      reason: { key: 'email.typo', params: { email: 'lan@gmail.com' } },
    });
    expect(chat.state.draft.email).toBeUndefined();
  });

  test('nothing of the e-mail is said where phone and e-mail were sent', () => {
    const told = JSON.stringify(earned().replies[0]);
    expect(told).not.toMatch(/email|omitted/);
  });

  test('who has no e-mail on Teams hears so before the list of gifts', () => {
    expect(new Dialogue(NO_EMAIL).text('đổi quà').keys).toEqual(['identity.noEmail']);
    expect(JSON.stringify(new Dialogue(NO_EMAIL).text('đổi quà').replies)).toContain('1900 0000');
  });
});
