import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/conversation/message.ts';
import { Dialogue, STAFF, TEAMS } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

/*
 * A message that brings a value along is about that value, whatever else it says: "ok TIVI000000717" is no bare yes.
 */

const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';
const atConsent = () => new Dialogue().text(SUMMED).press('confirm');
const codesOf = ({ state: { draft } }: Dialogue) => draft.codes ?? [];

describe('at the question whether to remember', () => {
  test.each([
    ['mình có mã TIVI000000912 nữa', 'TIVI000000912'],
    ['dạ còn mã TIVI000000918', 'TIVI000000918'],
    ['không, TIVI000000914', 'TIVI000000914'],
    ['cảm ơn, TIVI000000915 nữa', 'TIVI000000915'],
  ])('%s is a code and decides nothing', (text, code) => {
    const chat = atConsent().text(text);
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.state.consent).toBeUndefined();
    expect(codesOf(chat)).toEqual([code]);
    expect(chat.press('confirm').keys).toEqual(['accumulate.done', 'privacy.consent']);
  });

  test.each(['ok 0914000012', 'không, lan@example.vn', 'ok TIVIđ00000017'])('%s decides nothing', (text) => {
    expect(atConsent().text(text).state.consent).toBeUndefined();
  });
});

describe('out of the blue', () => {
  test.each([
    ['mình có mã TIVI000000711', ['TIVI000000711']],
    ['chào shop, mình có mã TIVI000000712', ['TIVI000000712']],
    ['ok TIVI000000717', ['TIVI000000717']],
    ['cảm ơn TIVI000000717', ['TIVI000000717']],
    ['giúp mình mã TIVI000000717 với', ['TIVI000000717']],
    ['mình có TIVI000000718 với TIVI000000719', ['TIVI000000718', 'TIVI000000719']],
  ])('%s begins earning', (text, codes) => {
    const chat = new Dialogue().text(text);
    expect(chat.keys.at(-1)).toBe('accumulate.askPhone');
    expect(codesOf(chat)).toEqual(codes);
  });

  test('a phone that comes along is taken, too', () => {
    const chat = new Dialogue().text('tôi có mã này TIVI000000714 0912600004');
    expect(chat.keys).toEqual(['accumulate.askEmail']);
    const staff = new Dialogue(STAFF).text('ok khách 0914000012 mã TIVI000000931');
    expect(staff.keys).toEqual(['accumulate.askEmail']);
    expect(staff.state.draft.phone?.value).toBe('+84914000012');
  });

  test('a code at a page begins earning', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử').text('có mã TIVI000000919');
    expect(codesOf(chat)).toEqual(['TIVI000000919']);
  });
});

describe('at an offer', () => {
  test('a yes takes the code, and the phone beside it', () => {
    const chat = new Dialogue().text('tivi000000923').text('ok, sđt 0914000005');
    expect(chat.keys).toEqual(['accumulate.askEmail']);
    expect(codesOf(chat)).toEqual(['TIVI000000923']);
    expect(chat.state.draft.phone?.value).toBe('+84914000005');
  });

  test('another answer takes the place of what is offered, whatever word stands beside it', () => {
    const code = new Dialogue().text('tivi000000923').text('không, TIVI000000926');
    expect(codesOf(code)).toEqual(['TIVI000000926']);
    const beside = new Dialogue().text('tivi000000923').text('ok, TIVI000000926');
    expect(beside.keys).toEqual(['codes.kept', 'code.offer']);
    expect(codesOf(beside.press('use'))).toEqual(['TIVI000000923', 'TIVI000000926']);
    for (const word of ['không', 'ok', 'số khác']) {
      const chat = new Dialogue().text('01687123456 TIVI000000924').text(`${word}, 0914000006`);
      expect(chat.keys).toEqual(['accumulate.askEmail']);
      expect(chat.state.draft.phone?.value).toBe('+84914000006');
    }
  });
});

describe("a product's code at another flow's question begins earning", () => {
  const photo: Message = { kind: 'photo', pictures: [{ kind: 'read', texts: ['TIVI000000720'] }] };

  test.each(['xem điểm', 'đổi quà', 'lịch sử', 'đổi quà DAUMAY01'])('%s', (begun) => {
    for (const chat of [
      new Dialogue().text(begun).text('TIVI000000720'),
      new Dialogue().text(begun).text('ok TIVI000000720'),
      new Dialogue().text(begun).send(photo),
    ]) {
      expect(chat.keys).toEqual(['flow.switched', 'accumulate.askPhone']);
      expect(codesOf(chat)).toEqual(['TIVI000000720']);
    }
  });

  test('at the summary of a redemption, too', () => {
    const chat = new Dialogue(TEAMS).text('đổi quà DAUMAY01').text('ok TIVI000000720');
    expect(chat.keys).toEqual(['flow.switched', 'accumulate.askPhone']);
    expect(chat.calls).toEqual([]);
  });

  test("a gift's own code, or one that nearly is, stays a gift; a mistyped number no code", () => {
    expect(new Dialogue().text('đổi quà').text('LOA01').state.draft.code).toBe('LOA01');
    expect(new Dialogue().text('đổi quà').text('LOA999').keys).toEqual(['gift.unknown', 'redeem.askGift']);
    expect(new Dialogue().text('xem điểm').text('091234567a').keys).toEqual(['identity.proofNeeded']);
  });
});

const STEPS: readonly (() => Dialogue)[] = [
  () => new Dialogue(),
  () => new Dialogue(STAFF),
  () => new Dialogue().text('tích điểm'),
  () => new Dialogue().text('TIVI000000017'),
  () => new Dialogue().text('TIVI000000017 0912345678'),
  () => new Dialogue().text(SUMMED),
  atConsent,
  () => new Dialogue().text('tivi000000017'),
  () => new Dialogue().text('TIVI000000017 01687123456'),
  () => new Dialogue().text('TIVI000000017 0912345678 lan@gmial.com'),
  () => new Dialogue().text('xem điểm'),
  () => new Dialogue().text('đổi quà'),
  () => new Dialogue(TEAMS).text('đổi quà DAUMAY01'),
  () => new Dialogue(TEAMS).text('lịch sử'),
];
const YES_OR_NO = fc.constantFrom(
  ...['có', 'ok', 'dạ', 'vâng ạ', 'đúng rồi', 'chốt', '👍', 'mình có mã', 'yes', 'sure', 'ừ'],
  ...['không', 'sai rồi', 'chưa', 'no', 'nope', 'dạ không', 'chào shop', 'cảm ơn', 'thử lại'],
);

test('a message with a code is never a bare yes or no, at any step', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STEPS),
      YES_OR_NO,
      fc.constantFrom(' ', ', ', '. '),
      fc.boolean(),
      fc.integer({ min: 100, max: 999 }),
      (begin, word, joint, first, number) => {
        const chat = begin();
        const { consent } = chat.state;
        const calls = chat.calls.length;
        const code = `TIVI000000${number}`;
        chat.text(first ? `${code}${joint}${word}` : `${word}${joint}${code}`);
        expect(chat.state.consent).toEqual(consent);
        expect(chat.calls.length).toBe(calls);
        expect(codesOf(chat)).toContain(code);
      },
    ),
    { numRuns: 500 },
  );
});
