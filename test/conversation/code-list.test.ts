import { describe, expect, test } from 'vitest';
import { talkOfList } from '../support/conversation.ts';
import { Dialogue, TEAMS } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

const [A, B, C, D] = ['TIVI000000301', 'TIVI000000302', 'TULANH000000303', 'TIVI000000400'] as const;
const IDENTITY = '0912345678 minh@example.vn';

const summed = (...codes: string[]): Dialogue =>
  new Dialogue().text(`tích điểm ${codes.join(' ')} ${IDENTITY}`);
const asked = (...codes: string[]): Dialogue => new Dialogue().text(codes.join(' '));
const codesOf = ({ state: { draft } }: Dialogue): unknown => draft.codes ?? [];

describe('a code takes the place of another', () => {
  test.each([
    `thay mã ${B} bằng ${D}`,
    `đổi mã ${B} thành ${D}`,
    `sửa mã ${B} thành ${D} giúp mình`,
    `thay ma ${B} bang ${D}`,
    `không phải ${B}, là ${D}`,
    `ko phải ${B} mà là ${D}`,
    `${D} chứ không phải ${B}`,
    `${B} sai rồi, ${D} mới đúng`,
    `bỏ ${B} lấy ${D}`,
    `sửa mã số 2 thành ${D}`,
    `thay mã thứ hai bằng ${D}`,
    `replace ${B} with ${D}`,
    `change ${B} to ${D}`,
    `not ${B} but ${D}`,
    `change the second code to ${D}`,
    `thay mã 0302 bằng ${D}`,
  ])('%s', (text) => {
    for (const chat of [summed(A, B, C), asked(A, B, C)]) {
      expect(codesOf(chat.text(text))).toEqual([A, D, C]);
      expect(chat.replies[0]).toMatchObject({ key: 'codes.replaced', params: { from: B, to: D } });
      expect(chat.calls).toEqual([]);
    }
  });

  test.each([
    `mã đúng là ${D}`,
    `à nhầm, ${D} mới đúng`,
    `không, ${D}`,
    `sửa mã thành ${D}`,
    `đổi mã thành ${D}`,
    `the right code is ${D}`,
    `no, ${D}`,
    `wrong code, it should be ${D}`,
  ])('of the only one: %s', (text) => {
    for (const chat of [summed(A), asked(A)]) expect(codesOf(chat.text(text))).toEqual([D]);
  });

  test('of the only one that nearly is the same, where several are there', () => {
    expect(codesOf(summed(A, C).text(`mã đúng là ${A.slice(0, -1)}9`))).toEqual([`${A.slice(0, -1)}9`, C]);
    expect(codesOf(summed('TIVINPMX8B98PFG', C).text('mã đúng là TIVInpmx8b98pfg'))).toEqual([
      'TIVInpmx8b98pfg',
      C,
    ]);
  });

  test('of none where nothing tells which: it stands beside them, and that is said', () => {
    const chat = summed(A, B).text(`mã đúng là ${C}`);
    expect(chat.keys).toEqual(['codes.beside', 'accumulate.summary']);
    expect(codesOf(chat)).toEqual([A, B, C]);
  });

  test('with the phone that comes along', () => {
    const chat = summed(A).text(`không phải ${A}, là ${D}, sđt 0987654321`);
    expect(codesOf(chat)).toEqual([D]);
    expect(chat.state.draft.phone).toMatchObject({ value: '+84987654321' });
  });

  test.each([
    `${D}`,
    `thêm mã ${D} nữa`,
    `còn mã ${D}`,
    `đúng rồi, thêm ${D}`,
    `không, còn ${D} nữa`,
    `đợi mình gửi thêm ${D}`,
    `đợi chút, ${D}`,
    `đổi số điện thoại 0987654321, mã ${D}`,
    `also ${D}`,
    `yes, and ${D}`,
  ])('of none where it is only added: %s', (text) => {
    expect(codesOf(summed(A).text(text))).toEqual([A, D]);
  });

  test('of none that is denied itself', () => {
    const chat = summed(A, B).text(`không phải ${D} mà là ${A}`);
    expect(codesOf(chat)).toEqual([A, B]);
    expect(chat.replies[0]).toMatchObject({ key: 'codes.missing', params: { code: D } });
  });
});

describe('a code that is named to go takes no other along', () => {
  test.each([
    `delete ${B} pls, only need the other`,
    `remove ${B}, keep the other one`,
    `drop ${B} and keep the first`,
    `${B} is wrong, just keep the other one`,
    `I only need the other one, delete ${B}`,
    `not ${B}, only the other`,
    `i dont want ${B}, only the other one`,
    `skip ${B}, just the other one`,
    `just remove ${B}`,
    `keep ${A}, delete ${B}`,
    `only ${A}, not ${B}`,
    `bỏ ${B}, chỉ lấy mã kia thôi`,
    `bo ${B}, chi lay ma kia thoi`,
    `xoá ${B} đi, giữ cái còn lại`,
    `không lấy ${B} nữa, chỉ cần mã kia`,
    `huỷ mã ${B}, chỉ tích mã kia`,
    `${B} thì bỏ, chỉ cái kia thôi`,
    `mã ${B} mình không cần, chỉ cần mã kia`,
    `chỉ bỏ ${B} thôi`,
    'chỉ bỏ mã số 2',
    'bỏ mã 2, chỉ lấy mã kia',
    `bỏ ${B}, chỉ lấy ${A}`,
  ])('%s', (text) => {
    for (const chat of [summed(A, B), asked(A, B)]) {
      expect(codesOf(chat.text(text))).toEqual([A]);
      expect(chat.replies[0]).toMatchObject({ key: 'codes.removed', params: { code: B } });
    }
  });

  test.each([
    `only ${B}`,
    `keep ${B}`,
    `remove the other one, only ${B}`,
    `chỉ lấy ${B}`,
    `bỏ mã kia đi, giữ ${B}`,
    `chỉ giữ mã số 2, bỏ hết đi`,
  ])('while what is named to stay stays alone: %s', (text) => {
    expect(codesOf(summed(A, B).text(text))).toEqual([B]);
  });
});

describe('who wants to change a code', () => {
  test.each(['sửa mã', 'đổi mã', 'mình muốn sửa mã'])(
    'is asked for the right one, wherever they are: %s',
    (text) => {
      for (const chat of [summed(A), asked(A)]) {
        expect(chat.text(text).keys).toEqual(['accumulate.askCode']);
        expect(codesOf(chat.text(B))).toEqual([B]);
      }
    },
  );

  test('of several hears how to say which', () => {
    expect(summed(A, B).text('sửa mã').replies[0]).toMatchObject({ key: 'codes.which', context: 'edit' });
    expect(asked(A, B).text('sửa mã').keys).toEqual(['codes.which', 'accumulate.askPhone']);
  });

  test('is answered in the language of their words', () => {
    const chat = asked(A).text('also TIVI000000302');
    expect(chat.state.textLocale).toBe('en');
  });
});

describe('codes are left out by their place', () => {
  test.each([
    ['bỏ mã số 2', [A, C]],
    ['bỏ mã 2', [A, C]],
    ['bỏ mã thứ hai', [A, C]],
    ['bỏ mã thứ 2 đi', [A, C]],
    ['bo ma thu hai', [A, C]],
    ['xoá mã đầu', [B, C]],
    ['xóa mã đầu tiên', [B, C]],
    ['bỏ mã cuối', [A, B]],
    ['bỏ mã cuối cùng giúp mình', [A, B]],
    ['bỏ cái cuối', [A, B]],
    ['bỏ mã 1 và 3', [B]],
    ['bỏ 2 mã đầu', [C]],
    ['không lấy mã số 2', [A, C]],
    ['chỉ lấy mã thứ ba', [C]],
    ['remove the second code', [A, C]],
    ['remove code 2', [A, C]],
    ['remove #2', [A, C]],
    ['drop the last one', [A, B]],
    ['delete the first code please', [B, C]],
    ['remove the last two codes', [A]],
  ])('%s', (text, left) => {
    for (const chat of [summed(A, B, C), asked(A, B, C)]) expect(codesOf(chat.text(text))).toEqual(left);
  });

  test.each(['bỏ hết mã', 'xoá tất cả mã', 'bỏ cả 3 mã', 'remove all codes'])(
    '%s: others are asked for',
    (text) => {
      const chat = summed(A, B, C).text(text);
      expect(codesOf(chat)).toEqual([]);
      expect(chat.keys).toEqual(['codes.removed', 'accumulate.askCode']);
    },
  );

  test.each([
    [`bỏ mã ${D}`, D],
    [`xoá mã ${D} đi`, D],
    [`remove code ${D}`, D],
    ['bỏ mã số 5', '5'],
    ['bỏ mã 0999', '0999'],
  ])('what is not in the list is said to be not: %s', (text, code) => {
    const chat = summed(A, B).text(text);
    expect(chat.keys).toEqual(['codes.missing', 'accumulate.summary']);
    expect(chat.replies[0]?.params).toEqual({ code });
    expect(codesOf(chat)).toEqual([A, B]);
  });

  test.each(['mã số 2', 'số 2', `mã 1 ${A}, mã 2 ${B}`, 'code 2'])(
    'never where a place is only counted: %s',
    (text) => {
      expect(codesOf(summed(A, B).text(text))).toEqual([A, B]);
      expect(codesOf(summed(A).text(`mã 1: ${A}, mã 2: ${C}`))).toEqual([A, C]);
    },
  );

  test("never by another flow's words", () => {
    expect(summed(A).text(`đổi quà ${B}`).keys).not.toContain('codes.replaced');
  });

  test('and told in the order of the list', () => {
    const chat = summed(A, B, C).text('remove the last two codes');
    expect(chat.replies[0]?.params).toEqual({ code: `${B}, ${C}` });
  });

  test('of those that are named, the others go', () => {
    const chat = summed(A, B).text(`bỏ mã ${A} và ${D}`);
    expect(chat.keys).toEqual(['codes.removed', 'codes.missing', 'accumulate.summary']);
    expect(codesOf(chat)).toEqual([B]);
  });

  test('of those that are named before the word, too', () => {
    const chat = summed(A, B).text(`${A} với ${D} bỏ giúp mình`);
    expect(chat.keys).toEqual(['codes.removed', 'codes.missing', 'accumulate.summary']);
    expect(codesOf(chat)).toEqual([B]);
  });

  test('an end that several codes have names none of them', () => {
    const chat = summed(A, 'TULANH000000301').text('bỏ mã 301');
    expect(chat.keys).toEqual(['codes.which', 'accumulate.summary']);
    expect(codesOf(chat)).toHaveLength(2);
  });

  test('whatever capitals it is written in', () => {
    expect(codesOf(summed(A, B).text(`bỏ mã ${A.toLowerCase()}`))).toEqual([B]);
  });

  test.each(['bỏ email', 'huỷ', 'bỏ qua', 'không'])('and none by %s', (text) => {
    const chat = summed(A, B).text(text);
    expect(chat.keys).not.toContain('codes.removed');
  });
});

describe('a slip', () => {
  const [SLIP, MEANT] = ['tivi000000120', 'TIVI000000120'] as const;

  test('among several codes is asked about, and all are kept', () => {
    const chat = asked(A, SLIP, C, 'TULANHO00000121');
    expect(chat.keys).toEqual(['code.offer']);
    expect(chat.question.params).toEqual({ typed: SLIP, code: MEANT });
    chat.press('use');
    expect(chat.question).toMatchObject({ key: 'code.offer', params: { code: 'TULANH000000121' } });
    expect(chat.press('keep').keys).toEqual(['codes.kept', 'accumulate.askPhone']);
    expect(codesOf(chat)).toEqual([A, MEANT, C, 'TULANHO00000121']);
  });

  test.each([
    ['a code', (chat: Dialogue) => chat.text(B)],
    ['a scan', (chat: Dialogue) => chat.send({ kind: 'start', payload: B })],
    ['a photo', (chat: Dialogue) => chat.send({ kind: 'photo', pictures: [{ kind: 'read', texts: [B] }] })],
    ['a command', (chat: Dialogue) => chat.text(`tích điểm ${B}`)],
    ['a form', (chat: Dialogue) => chat.send({ kind: 'form', code: B })],
    ['a code and a phone', (chat: Dialogue) => chat.text(`${B} 0912345678`)],
  ])('stays asked about while more comes: %s', (_, say) => {
    const chat = say(asked(SLIP));
    expect(chat.question).toMatchObject({ key: 'code.offer', params: { code: MEANT } });
    expect(codesOf(chat.press('use'))).toEqual([MEANT, B]);
    expect(codesOf(say(asked(SLIP)).text('giữ nguyên'))).toEqual([SLIP, B]);
  });

  test('stays asked about while the phone is shared', () => {
    const chat = asked(SLIP).shareOwnPhone();
    expect(chat.question.key).toBe('code.offer');
    expect(chat.press('use').keys).toEqual(['accumulate.askEmail']);
  });

  test('is no more asked about where it is taken away, or the code that was meant is typed', () => {
    expect(asked(SLIP, A).text(`bỏ mã ${SLIP}`).keys).toEqual(['codes.removed', 'accumulate.askPhone']);
    const typed = asked(SLIP).text(MEANT);
    expect(codesOf(typed)).toEqual([MEANT]);
    expect(typed.keys).toEqual(['codes.replaced', 'accumulate.askPhone']);
  });

  test('of a form is asked about, too', () => {
    const chat = new Dialogue(TEAMS).send({ kind: 'form', code: SLIP, phone: '0912345678' });
    expect(chat.keys).toEqual(['code.offer']);
    expect(chat.press('use').keys).toEqual(['accumulate.summary']);
  });

  test('in capitals of a code that is there may be that one, or another: the customer says so', () => {
    const chat = summed('TIVInpmx8b98pfg').text('TIVINPMX8B98PFG');
    expect(chat.question).toMatchObject({
      key: 'code.offer',
      params: { typed: 'TIVINPMX8B98PFG', code: 'TIVInpmx8b98pfg' },
    });
    expect(codesOf(chat.press('use'))).toEqual(['TIVInpmx8b98pfg']);
    const both = asked('ABCDEF123x', 'abcdef123X').press('keep');
    expect(codesOf(both)).toEqual(['ABCDEF123x', 'abcdef123X']);
  });

  test('may be another code altogether', () => {
    const chat = asked(SLIP).text('sửa');
    expect(chat.keys).toEqual(['accumulate.askCode']);
    expect(codesOf(chat.text(A))).toEqual([A]);
  });
});

test('whatever is said of a list, every place is one of it and every code taken away was named', () => {
  const words: readonly string[] = [
    'bỏ',
    'mã',
    'số',
    'thứ',
    'hai',
    '2',
    'cuối',
    'thay',
    'bằng',
    'không',
    'phải',
    A,
    B,
    'remove',
    'last',
    '#3',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 10 }), (said) => {
      const named = [...new Set(said.filter((word) => word === A || word === B))];
      const { away, places } = talkOfList(said.join(' '), named);
      expect(away.filter((code) => !named.some((one) => one === code))).toEqual([]);
      for (const ref of places) expect('place' in ref && Math.abs(ref.place) < 100).toBe(true);
    }),
  );
});
