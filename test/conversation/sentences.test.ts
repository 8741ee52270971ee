import { describe, expect, test } from 'vitest';
import { Dialogue, TEAMS } from '../support/dialogue.ts';

/*
 * Sentences as customers type them, North and South, without marks, in teencode, in English: what each is answered where
 * it is written. One row a sentence.
 */

const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';
const AT = {
  start: () => new Dialogue(),
  code: () => new Dialogue().text('tích điểm'),
  phone: () => new Dialogue().text('TIVI000000017'),
  email: () => new Dialogue().text('TIVI000000017 0912345678'),
  summary: () => new Dialogue().text(SUMMED),
  consent: () => new Dialogue().text(SUMMED).press('confirm'),
  redemption: () => new Dialogue(TEAMS).text('đổi quà DAUMAY01'),
};

const hears = (at: keyof typeof AT, rows: readonly (readonly [text: string, ...keys: string[]])[]) =>
  describe(`at: ${at}`, () => {
    test.each(rows.map(([text, ...keys]) => [text, keys] as const))('%s', (text, keys) => {
      expect(AT[at]().text(text).keys).toEqual(keys);
    });
  });

hears('start', [
  ['tđ ik', 'accumulate.askCode'],
  ['ê bot', 'welcome'],
  ['bn điểm r', 'identity.proofNeeded'],
  ['mik còn bn điểm z', 'identity.proofNeeded'],
  ['đổi loa ik', 'identity.proofNeeded'],
  ['z đổi j đc', 'redeem.askGift'],
  ['ờ', 'menu'],
  ['can I speak to someone', 'help.support'],
  ['contact staff', 'help.support'],
  ['I want to talk to a real person', 'help.support'],
  ['TIVI 000 000 633', 'code.offer'],
  ['tích điểm TIVI 000000633', 'code.offer'],
  ['tivi 55 inch', 'unsure'],
]);

hears('phone', [['TIVI 000 000 633', 'code.offer']]);

hears('email', [
  ['lan.anh @ gmail.com', 'email.typo'],
  ['lan@gmail,com', 'email.typo'],
  ['lan.anh@gmail. com', 'email.typo'],
  ['lan@gmail com', 'email.typo'],
  ['mail mình là lan@gmail,com nha', 'email.typo'],
]);

hears('start', [
  ['mã nè TIVI000000801 nha bạn', 'accumulate.askPhone'],
  ['vâng TIVI000000801', 'accumulate.askPhone'],
  ['no problem TIVI000000801', 'accumulate.askPhone'],
  ['yep here it is TIVI000000801', 'accumulate.askPhone'],
  ['thanks but I have another one TIVI000000801', 'accumulate.askPhone'],
  ['cho e tích dùm mã ni TIVI000000801', 'accumulate.askPhone'],
  ['hong thèm đổi quà nữa', 'cancel.nothing'],
  ['quên đi', 'cancel.nothing'],
]);

hears('code', [
  ['mã đây ạ TIVI000000801', 'accumulate.askPhone'],
  ['dạ đây TIVI000000801', 'accumulate.askPhone'],
  ['ừ TIVI000000801', 'accumulate.askPhone'],
  ['no code', 'cancel.done'],
  ['hổng có mã', 'cancel.done'],
]);

hears('phone', [
  ['dạ 0912345678', 'accumulate.askEmail'],
  ['ok 0912345678 nhé', 'accumulate.askEmail'],
  ['không, 0912345678', 'accumulate.askEmail'],
  ['sđt e là 0912.345.678', 'accumulate.askEmail'],
  ['number is 0912 345 678', 'accumulate.askEmail'],
  ['thôi', 'cancel.done'],
]);

hears('email', [
  ['khum', 'accumulate.summary'],
  ['hông có', 'accumulate.summary'],
  ['hổng xài mail', 'accumulate.summary'],
  ['dạ hem', 'accumulate.summary'],
  ['khỏi ik', 'accumulate.summary'],
  ['có, lan@example.vn', 'accumulate.summary'],
  ['ok lan@example.vn', 'accumulate.summary'],
  ["nope don't have any", 'accumulate.summary'],
  ['no need', 'accumulate.summary'],
  ['ừ thì lan@example.vn', 'accumulate.summary'],
]);

hears('consent', [
  ['hổng cần', 'privacy.declined'],
  ['đừng', 'privacy.declined'],
  ['khum', 'privacy.declined'],
  ['dạ được ạ', 'privacy.remembered'],
  ['oke luôn', 'privacy.remembered'],
  ['sure', 'privacy.remembered'],
  ['no thanks', 'privacy.declined'],
  ['not now', 'privacy.declined'],
  ['TIVI000000802 nữa nha', 'accumulate.summary'],
  ['vâng, mình có thêm TIVI000000802', 'accumulate.summary'],
]);

hears('redemption', [
  ['ok luôn', 'confirm.press'],
  ['dạ đúng rồi ạ', 'confirm.press'],
  ['yes please', 'confirm.press'],
  ['thôi khỏi', 'cancel.done'],
  ['không đổi nữa', 'cancel.done'],
]);

hears('summary', [
  ['ok luôn', 'accumulate.done', 'privacy.consent'],
  ['ok lun', 'accumulate.done', 'privacy.consent'],
  ['oki nha', 'accumulate.done', 'privacy.consent'],
  ['được nha', 'accumulate.done', 'privacy.consent'],
  ['đc r', 'accumulate.done', 'privacy.consent'],
  ['dạ đúng rồi ạ', 'accumulate.done', 'privacy.consent'],
  ['ừ đúng òi đó', 'accumulate.done', 'privacy.consent'],
  ['dạ vâng ạ', 'accumulate.done', 'privacy.consent'],
  ['ok shop ơi', 'accumulate.done', 'privacy.consent'],
  ['yup go ahead', 'accumulate.done', 'privacy.consent'],
  ['yes please', 'accumulate.done', 'privacy.consent'],
  ['correct, thanks', 'accumulate.done', 'privacy.consent'],
  ["no that's wrong", 'confirm.edit', 'accumulate.summary'],
  ['chưa đúng', 'confirm.edit', 'accumulate.summary'],
  ['hông phải', 'confirm.edit', 'accumulate.summary'],
  ['ok?', 'confirm.press', 'accumulate.summary'],
  ['dạ thôi khỏi ạ', 'cancel.done'],
  ['số 0912345679 mới đúng', 'accumulate.summary'],
]);

describe('what was probably meant is asked about, never taken', () => {
  test('a code with blanks inside, which is no code as it was written', () => {
    const chat = AT.code().text('TIVI 000 000 633');
    expect(chat.question.key).toBe('code.offer');
    expect(AT.code().text('TIVI 000 000 633').text('ok').state.draft.codes).toEqual(['TIVI000000633']);
    expect(chat.press('keep').keys).toEqual(['accumulate.askCode']);
    const other = new Dialogue(undefined, { codePrefixes: [] }).text('tích điểm').text('TIVI 000 000 633');
    expect(other.keys).toEqual(['code.shape', 'accumulate.askCode']);
  });

  test('an e-mail that is none as it was written', () => {
    const chat = AT.email().text('lan.anh @ gmail.com');
    expect(chat.question.choices?.map(({ id }) => id)).toEqual(['use', 'cancel']);
    expect(chat.press('use').state.draft.email?.value).toBe('lan.anh@gmail.com');
    expect(AT.email().text('lan@gmail,com').text('không').keys).toEqual(['accumulate.askEmail']);
  });
});

test('codes with a slash between them are two', () => {
  const chat = AT.phone().text('TIVI000000852/TIVI000000853');
  expect(chat.keys).toEqual(['codes.kept', 'accumulate.askPhone']);
  expect(chat.state.draft.codes).toEqual(['TIVI000000017', 'TIVI000000852', 'TIVI000000853']);
});

test('failed attempts alone add up to nothing that is told', () => {
  const chat = new Dialogue(TEAMS);
  chat.answers = () => ({
    kind: 'history',
    records: [{ id: 'r1', type: 'point', failed: true }],
    more: false,
    sum: { score: 0, count: 0, partial: false },
  });
  const keys = chat.text('lịch sử').question.lines?.map(({ key }) => key);
  expect(keys).toEqual(['history.point']);
});
