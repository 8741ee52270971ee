import { describe, expect, test } from 'vitest';
import type { Sender } from '../../src/conversation/message.ts';
import { IDLE_MS, localeOf } from '../../src/conversation/state.ts';
import { newState } from '../support/conversation.ts';
import { Dialogue, STAFF, TEAMS, TELEGRAM } from '../support/dialogue.ts';

describe('repair', () => {
  test('says why an answer is invalid and asks again; the third time it offers help', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017');
    expect(chat.text('12').keys).toEqual(['phone.short', 'accumulate.askPhone']);
    expect(chat.text('abc').keys).toEqual(['phone.shape', 'accumulate.askPhone']);
    expect(chat.text('abc').keys).toEqual(['phone.shape', 'repair.help', 'accumulate.askPhone']);
    expect(chat.replies[1]?.lines).toEqual([{ key: 'help.support', params: { contact: '1900 0000' } }]);
    expect(chat.text('0912345678').keys).toEqual(['accumulate.askEmail']);
  });

  test('tells that a Vietnamese keyboard got into a code or an e-mail', () => {
    const chat = new Dialogue().text('tích điểm');
    expect(chat.text('TIVIđ00000017').keys).toEqual(['code.vietnamese', 'accumulate.askCode']);
    chat.text('TIVI000000017').text('0912345678');
    expect(chat.text('tơi@gmail.com').keys).toEqual(['email.vietnamese', 'accumulate.askEmail']);
  });

  test('switches to another command in the middle and says so', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017').text('đổi quà');
    expect(chat.keys).toEqual(['flow.switched', 'redeem.askGift']);
  });

  test('answers help in the middle and asks again', () => {
    const chat = new Dialogue().text('tích điểm').text('trợ giúp');
    expect(chat.keys).toEqual(['help', 'accumulate.askCode']);
    expect(chat.text('TIVI000000017').keys).toEqual(['accumulate.askPhone']);
  });

  test('cancels, and is polite where there is nothing to cancel', () => {
    const chat = new Dialogue().text('tích điểm').text('huỷ');
    expect(chat.keys).toEqual(['cancel.done']);
    expect(chat.text('hủy').keys).toEqual(['cancel.nothing']);
  });

  test('a flow that was ended unheard is told at the next message, and then no more', () => {
    const chat = new Dialogue();
    chat.state = { ...chat.state, step: { at: 'idle', unfinished: true } };
    expect(chat.wake().keys).toEqual([]);
    expect(chat.text('menu').keys).toEqual(['conversation.expired', 'menu']);
    expect(chat.text('menu').keys).toEqual(['menu']);
  });

  test('says politely that an unfinished flow has expired', () => {
    const chat = new Dialogue()
      .text('tích điểm')
      .later(IDLE_MS + 1)
      .text('xem điểm');
    expect(chat.keys).toEqual(['conversation.expired', 'identity.proofNeeded']);
    const idle = new Dialogue()
      .text('chào')
      .later(IDLE_MS + 1)
      .text('chào');
    expect(idle.keys).toEqual(['welcome']);
  });

  test('a press after the flow has expired says so once', () => {
    const chat = new Dialogue().text('tích điểm').later(IDLE_MS + 1);
    expect(chat.send({ kind: 'choice', choice: 'cancel', view: chat.state.view }).keys).toEqual([
      'conversation.expired',
    ]);
  });

  test('a press on an old question says so and changes nothing', () => {
    const chat = new Dialogue().text('tích điểm');
    const { view } = chat.question;
    chat.text('TIVI000000017');
    const before = { ...chat.state };
    expect(chat.send({ kind: 'choice', choice: 'cancel', view }).keys).toEqual(['choice.expired']);
    expect(chat.question.notice).toBe(true);
    expect(chat.state).toEqual({ ...before, lastMessageMs: chat.nowMs });
  });

  test('keeps the buttons of a repeated question alive', () => {
    const chat = new Dialogue().text('tích điểm');
    const { view } = chat.question;
    chat.text('trợ giúp');
    expect(chat.send({ kind: 'choice', choice: 'cancel', view }).keys).toEqual(['cancel.done']);
  });

  test.each([
    ['sticker', 'sticker'],
    ['voice', 'voice'],
    ['other', 'other'],
  ] as const)('answers a %s too', (what, context) => {
    const chat = new Dialogue().send({ kind: 'unknown', what });
    expect(chat.replies[0]).toMatchObject({ key: 'unreadable', context, asks: 'menu' });
    const asking = new Dialogue().text('tích điểm').send({ kind: 'unknown', what });
    expect(asking.keys).toEqual(['unreadable', 'accumulate.askCode']);
  });

  test('answers what it does not understand with what it can do', () => {
    expect(new Dialogue().text('hôm nay trời đẹp quá').replies[0]).toMatchObject({
      key: 'unsure',
      asks: 'menu',
    });
  });

  test('takes a number for the choice it counts to', () => {
    const chat = new Dialogue(TEAMS).text('chào').text('3');
    expect(chat.keys[0]).toBe('points.balance');
  });

  test.each(['ok', 'ok bạn'])('takes "%s" out of the blue for the menu', (text) => {
    expect(new Dialogue().text(text).keys).toEqual(['menu']);
  });

  test.each(['bye', 'tạm biệt', 'Goodbye!'])('says farewell, whatever was going on: %s', (text) => {
    expect(new Dialogue().text(text).keys).toEqual(['bye']);
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678').text(text);
    expect(chat.keys).toEqual(['bye']);
    expect(chat.state).toMatchObject({ step: { at: 'idle' }, draft: {} });
  });

  test.each(['ko', 'không'])('takes "%s" at the question for a code for an end', (text) => {
    expect(new Dialogue().text('tích điểm').text(text).keys).toEqual(['cancel.done']);
    const editing = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    expect(editing.press('edit:code').text(text).keys).toEqual(['accumulate.summary']);
  });

  test.each(['skip', 'none', 'khong co', 'bỏ qua'])('takes "%s" for the same', (text) => {
    expect(new Dialogue().text('tích điểm').text(text).keys).toEqual(['cancel.done']);
  });

  test.each(['thử lại', 'try again'])(
    'asks once more for "%s", and never takes it for the button',
    (text) => {
      expect(new Dialogue().text(text).keys).toEqual(['menu']);
      const chat = new Dialogue().text('tích điểm').text(text);
      expect(chat.keys).toEqual(['accumulate.askCode']);
      chat.text('TIVI000000017 0912345678 minh@example.vn').text(text);
      expect(chat.keys).toEqual(['accumulate.summary']);
      expect(chat.effects).toEqual([]);
    },
  );

  test('begins with the code of a typed /start as with a deep link', () => {
    const chat = new Dialogue(STAFF).text('/start TIVInpmx8b98pfg');
    expect(chat.keys).toEqual(['accumulate.askPhone']);
    expect(chat.state.draft.codes).toEqual(['TIVInpmx8b98pfg']);
    expect(new Dialogue(STAFF).text('/start').keys).toEqual(['welcome']);
  });

  test('asks what a phone or an e-mail out of the blue is for, and keeps it for earning', () => {
    const chat = new Dialogue().text('0867123456');
    expect(chat.question).toMatchObject({ key: 'unsure', context: 'identity', asks: 'menu' });
    expect(chat.text('tích điểm TIVI000000017').keys).toEqual(['accumulate.askEmail']);
    expect(new Dialogue().text('0867123456').text('ok').text('tích điểm TIVI000000017').keys).toEqual([
      'accumulate.askEmail',
    ]);
    expect(new Dialogue().text('TIVIươ8b98pfg 0867123456').keys).toEqual(['code.vietnamese']);
    expect(new Dialogue().text('minh@example.vn').question.context).toBe('identity');
    expect(new Dialogue().text('0867123456').text('xem điểm').keys).toEqual(['identity.proofNeeded']);
  });

  test('shows who can help to whoever asks for a person, or says that nobody here can', () => {
    const reply = new Dialogue().text('gặp nhân viên').question;
    expect(reply).toMatchObject({ key: 'help.support', params: { contact: '1900 0000' }, asks: 'menu' });
    const alone = new Dialogue(undefined, { supportContact: undefined });
    expect(alone.text('gặp nhân viên').keys).toEqual(['support.none']);
    expect(alone.text('tích điểm').text('gặp nhân viên').keys).toEqual([
      'support.none',
      'accumulate.askCode',
    ]);
  });

  test('points to the private chat in groups, once an hour, and says nothing else', () => {
    const chat = new Dialogue();
    chat.state = newState();
    expect(chat.send({ kind: 'group' }).keys).toEqual(['group.private']);
    chat.nowMs += 59 * 60_000;
    expect(chat.send({ kind: 'group' }).keys).toEqual([]);
    chat.nowMs += 60_000;
    expect(chat.send({ kind: 'group' }).keys).toEqual(['group.private']);
  });
});

describe('language', () => {
  /** What the channel is told to answer in. */
  const spoken = ({ state, sender, settings }: Dialogue) => localeOf(state, sender, settings.defaultLocale);
  const english: Sender = { ...TELEGRAM, locale: 'en' };

  test.each([
    ['tích điểm', 'vi'],
    ['tich diem', 'vi'],
    ['tichs dieemr', 'vi'],
    ['gap nhan vien', 'vi'],
    ['hôm nay trời đẹp', 'vi'],
    ['earn points', 'en'],
    ['hi, is it free?', 'en'],
    ['history 1 - 5 November 2026', 'en'],
  ] as const)('is that of the text, whatever the client speaks: %s', (text, locale) => {
    expect(spoken(new Dialogue(english).text(text))).toBe(locale);
    expect(spoken(new Dialogue().text(text))).toBe(locale);
  });

  test.each(['ok', 'TIVI000000017', '0912345678', 'lan.anh@gmail.com', '👍', 'hello', '2', 'yes'])(
    'stays where a text tells none: %s',
    (text) => {
      expect(spoken(new Dialogue(english).text(text))).toBe('en');
      expect(spoken(new Dialogue(english).text('tích điểm').text(text))).toBe('vi');
      expect(spoken(new Dialogue().text(text))).toBe('vi');
    },
  );

  test('follows the texts until one is chosen, and a press changes nothing', () => {
    const chat = new Dialogue(english).text('tích điểm').press('cancel');
    expect(spoken(chat)).toBe('vi');
    expect(spoken(chat.text('my points'))).toBe('en');
    expect(chat.state.textLocale).toBeUndefined();
    expect(spoken(chat.text('English please').text('tích điểm'))).toBe('en');
    expect(spoken(chat.text('tiếng Việt').text('earn points'))).toBe('vi');
  });

  test('is chosen by name and kept; the live question comes again', () => {
    const chat = new Dialogue().text('tích điểm').text('English');
    expect(chat.keys).toEqual(['language.done', 'accumulate.askCode']);
    expect(chat.state.locale).toBe('en');
    expect(chat.text('/language').question.choices?.map(({ id }) => id)).toEqual([
      'language:vi',
      'language:en',
    ]);
    expect(chat.press('language:vi').state.locale).toBe('vi');
  });
});

describe('being remembered', () => {
  const earned = () =>
    new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn').press('confirm');

  test('is asked once, after the first operation', () => {
    const chat = earned();
    expect(chat.question).toMatchObject({ key: 'privacy.consent', asks: 'consent' });
    expect(chat.press('consent:decline').keys).toEqual(['privacy.declined']);
    expect(chat.state).toMatchObject({
      profile: {},
      draft: {},
      consent: { given: false, channel: 'telegram' },
    });
    chat.text('tích điểm TIVI000000018 0912345678 minh@example.vn').press('confirm');
    expect(chat.keys).toEqual(['accumulate.done']);
  });

  test('takes what is known next time instead of asking', () => {
    const chat = earned().press('consent:accept');
    expect(chat.state.profile.phone?.value).toBe('+84912345678');
    expect(chat.text('tích điểm TIVI000000018').keys).toEqual(['accumulate.summary']);
    expect(chat.question.lines).toContainEqual({ key: 'summary.phone', params: { phone: '0912 *** 678' } });
  });

  test('takes another number instead of the known one', () => {
    const chat = earned().press('consent:accept').text('tích điểm TIVI000000018');
    expect(chat.press('edit:phone').keys).toEqual(['accumulate.askPhone']);
    expect(chat.text('0867123456').keys).toEqual(['accumulate.summary']);
  });

  test('keeps nothing of the flow where the customer turns to something else', () => {
    const chat = earned().text('menu');
    expect(chat.state).toMatchObject({ profile: {}, draft: {} });
    expect(chat.state.consent).toBeUndefined();
  });

  test('is asked once more where the question was ignored, and never after that', () => {
    const next = 'tích điểm TIVI000000018 0912345678 minh@example.vn';
    const chat = earned().text('menu').text(next).press('confirm');
    expect(chat.keys).toEqual(['accumulate.done', 'privacy.consent']);
    expect(chat.text('menu').state).toMatchObject({ profile: {}, consent: { given: false } });
    expect(chat.text(next).press('confirm').keys).toEqual(['accumulate.done']);
  });

  test('is agreed to at the second asking as at the first', () => {
    const next = 'tích điểm TIVI000000018 0912345678 minh@example.vn';
    const chat = earned().text('menu').text(next).press('confirm').press('consent:accept');
    expect(chat.state).toMatchObject({ consent: { given: true }, profile: { phone: {} } });
    expect(chat.state.consentUnanswered).toBeUndefined();
  });

  test('shows what is stored, and erases it', () => {
    const chat = earned().press('consent:accept').text('/privacy');
    expect(chat.keys).toEqual(['privacy.text']);
    expect(JSON.stringify(chat.question.lines)).toContain('0912 *** 678');
    expect(chat.press('forget').keys).toEqual(['privacy.erased']);
    expect(JSON.stringify(chat.state)).not.toContain('912345678');
    expect(JSON.stringify(chat.state)).not.toContain('minh@');
  });

  test('lets a proved phone of an earlier flow read without asking again', () => {
    const chat = new Dialogue()
      .text('đổi quà DAUMAY01')
      .shareOwnPhone()
      .press('confirm')
      .press('consent:accept');
    expect(chat.text('xem điểm').keys).toEqual(['points.balance']);
  });

  test('confirms a phone that replaces the old one', () => {
    const chat = new Dialogue()
      .text('đổi quà DAUMAY01')
      .shareOwnPhone()
      .press('confirm')
      .press('consent:accept');
    expect(chat.shareOwnPhone('84912345678').replies[0]).toMatchObject({
      key: 'identity.phone',
      context: 'replaced',
    });
    expect(chat.state.profile.phone?.value).toBe('+84912345678');
  });

  test('staff without a client language speak the default one', () => {
    expect(new Dialogue(STAFF).text('chào').state.clientLocale).toBeUndefined();
  });
});
