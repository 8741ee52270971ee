import { describe, expect, test } from 'vitest';
import en from '../../locales/en.json' with { type: 'json' };
import vi from '../../locales/vi.json' with { type: 'json' };
import { Dialogue, STAFF, TEAMS } from '../support/dialogue.ts';

describe('earning points', () => {
  test('goes code, phone, e-mail, summary, confirm, and tells the points read back', () => {
    const chat = new Dialogue();
    expect(chat.text('tích điểm').keys).toEqual(['accumulate.askCode']);
    expect(chat.text('TIVI000000017').keys).toEqual(['accumulate.askPhone']);
    expect(chat.question.sharePhone).toBe(true);
    expect(chat.text('0912 345 678').keys).toEqual(['accumulate.askEmail']);
    expect(chat.text('minh@example.vn').keys).toEqual(['accumulate.summary']);
    expect(chat.question.asks).toBe('confirm');
    chat.press('confirm');
    expect(chat.effects).toEqual([
      expect.objectContaining({
        kind: 'accumulate',
        code: 'TIVI000000017',
        phone: { value: '+84912345678', proved: false },
        email: { value: 'minh@example.vn', proved: false },
        name: 'Garnacho',
      }),
    ]);
    expect(chat.keys).toEqual(['accumulate.done', 'privacy.consent']);
    expect(chat.replies[0]?.lines).toEqual([
      { key: 'receipt.accumulate', context: undefined, params: { score: 100, what: 'Tivi' } },
    ]);
  });

  test.each([
    'tich diem TIVI000000017 0912345678 minh@example.vn',
    'minh@example.vn 0912345678 tích điểm TIVI000000017',
    '/tichdiem@antcrm_bot TIVI000000017 minh@example.vn 0912 345 678',
    'earn points 0912345678 TIVI000000017 minh@example.vn',
  ])('takes everything from one message: %s', (text) => {
    const chat = new Dialogue().text(text);
    expect(chat.keys).toEqual(['accumulate.summary']);
    chat.press('confirm');
    expect(chat.effects[0]).toMatchObject({
      code: 'TIVI000000017',
      phone: { value: '+84912345678' },
      email: { value: 'minh@example.vn' },
    });
  });

  test('begins with a deep link', () => {
    const chat = new Dialogue().send({ kind: 'start', payload: 'TIVInpmx8b98pfg' });
    expect(chat.keys).toEqual(['accumulate.askPhone']);
    expect(chat.state.draft.codes).toEqual(['TIVInpmx8b98pfg']);
  });

  test('begins with a code alone, its case kept', () => {
    const chat = new Dialogue().text('TIVInpmx8b98pfg');
    expect(chat.keys).toEqual(['accumulate.askPhone']);
    expect(chat.state.draft.codes).toEqual(['TIVInpmx8b98pfg']);
  });

  test.each(['bỏ qua', 'skip', 'không có', 'ko'])('lets the e-mail be skipped by saying "%s"', (text) => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678').text(text);
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.press('confirm').effects[0]).toMatchObject({ kind: 'accumulate', email: undefined });
  });

  test.each(['khong co email', 'no email', 'bỏ qua email'])(
    'lets the e-mail be skipped along with the rest: %s',
    (text) => {
      const chat = new Dialogue().text(`tich diem TIVI000000017 0912345678 ${text}`);
      expect(chat.keys).toEqual(['accumulate.summary']);
      const later = new Dialogue().text('tích điểm').text(`TIVI000000017 0912345678 ${text}`);
      expect(later.keys).toEqual(['accumulate.summary']);
    },
  );

  test('takes the values of an answer that begins with a no', () => {
    const chat = new Dialogue().text('tích điểm').text('không, TIVI000000017');
    expect(chat.state.draft.codes).toEqual(['TIVI000000017']);
    chat.text('0912345678').text('không phải, minh@example.vn');
    expect(chat.state.draft.email?.value).toBe('minh@example.vn');
  });

  test.each(['yesterday', '2023', '1.8.2023-31.8.2023', 'tháng này'])(
    'does not take a word, a date or a sentence for a code, and says what a code is: %s',
    (text) => {
      const chat = new Dialogue().text('tích điểm').text(text);
      expect(chat.keys).toEqual(['code.shape', 'accumulate.askCode']);
      expect(vi['accumulate.askCode']).toContain('in trên sản phẩm');
      expect(en['accumulate.askCode']).toContain('on the product');
    },
  );

  test.each(['TIVInpmx8b98pfg', 'VOUCHER', 'DEN2023', 'npmx.b_pf-g', '123456789012'])(
    'takes whatever else could be a code: %s',
    (text) => {
      expect(new Dialogue().text('tích điểm').text(text).state.draft.codes).toEqual([text]);
    },
  );

  test('says that a phone was noted where the code is asked for again', () => {
    const chat = new Dialogue().text('tích điểm').text('my phone is +1 415 555 2671');
    expect(chat.keys).toEqual(['noted', 'accumulate.askCode']);
    expect(chat.text('TIVI000000017').keys).toEqual(['accumulate.askEmail']);
  });

  test('asks about an evident typo instead of repairing it', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678').text('minh@gmail.con');
    expect(chat.keys).toEqual(['email.typo']);
    expect(chat.press('keep').keys).toEqual(['accumulate.summary']);
    expect(chat.state.draft.email?.value).toBe('minh@gmail.con');
  });

  test.each([
    ['giữ như mình gõ', 'minh@gmail.con'],
    ['giữ', 'minh@gmail.con'],
    ['keep what I typed', 'minh@gmail.con'],
    ['bỏ qua', undefined],
    ['skip', undefined],
  ])('takes the words for the button at an evident typo: %s', (text, value) => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678').text('minh@gmail.con').text(text);
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.state.draft.email?.value).toBe(value);
  });

  test('asks for the e-mail again where an evident typo is to be changed', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678').text('minh@gmail.con').text('sửa');
    expect(chat.keys).toEqual(['accumulate.askEmail']);
  });

  test('takes the words on the buttons of an offered phone', () => {
    const offered = () => new Dialogue().text('tích điểm TIVI000000017 01201234567');
    expect(offered().text('nhập số khác').keys).toEqual(['accumulate.askPhone']);
    expect(offered().text('dùng số này').keys).toEqual(['accumulate.askEmail']);
  });

  test('speaks to staff of the customer', () => {
    const chat = new Dialogue(STAFF).text('tích điểm TIVI000000017');
    expect(chat.question).toMatchObject({ key: 'accumulate.askPhone', context: 'staff' });
    expect(chat.text('0912345678').question).toMatchObject({ key: 'accumulate.askEmail', context: 'staff' });
  });

  test.each(['sai rồi', 'không', 'không phải', 'wrong'])('says how to change the summary: %s', (text) => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn').text(text);
    expect(chat.keys).toEqual(['confirm.edit', 'accumulate.summary']);
  });

  test.each(['không, 0912345743', "wrong number, it's 0912345743", 'sai rồi 0912345743', 'no, 0912345743'])(
    'a no that says what is right corrects, so that a yes after it earns for nobody else: %s',
    (text) => {
      const chat = new Dialogue().text('tích điểm TIVI000000017 0912345742').press('skip').text(text);
      expect(chat.keys).toEqual(['accumulate.summary']);
      expect(chat.text('ok').calls).toMatchObject([{ phone: { value: '+84912345743' } }]);
    },
  );

  test.each(['sửa số', 'đổi số', 'sửa số điện thoại'])('changes the phone at the summary: %s', (text) => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn').text(text);
    expect(chat.keys).toEqual(['accumulate.askPhone']);
  });

  test('asks for a refused code once: in the question, not in the refusal', () => {
    expect(vi['accumulate.refused']).not.toMatch(/gửi/);
    expect(en['accumulate.refused']).not.toMatch(/send/);
  });

  test('asks about an old eleven-digit number instead of mapping it', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 01201234567');
    expect(chat.keys).toEqual(['phone.mapped']);
    expect(chat.press('use').keys).toEqual(['accumulate.askEmail']);
    expect(chat.state.draft.phone?.value).toBe('+84701234567');
  });

  test('edits one field at the summary and comes back to it', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    expect(chat.press('edit:phone').keys).toEqual(['accumulate.askPhone']);
    expect(chat.text('0867123456').keys).toEqual(['accumulate.summary']);
    expect(chat.press('confirm').effects[0]).toMatchObject({ phone: { value: '+84867123456' } });
  });

  test('does not take a mistyped phone or e-mail for another code', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    expect(chat.text('sửa số điện thoại').text('091234567a').keys).toEqual([
      'phone.shape',
      'accumulate.askPhone',
    ]);
    expect(chat.text('0867123456').text('sửa email').text('minh2gmail.com').keys).toEqual([
      'email.shape',
      'email.wanted',
    ]);
    expect(chat.state.draft.codes).toEqual(['TIVI000000017']);
  });

  test('adds another code at the question for the phone where it is called so, or comes with the phone', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017').text('mã TIVI000000018');
    expect(chat.keys).toEqual(['codes.kept', 'accumulate.askPhone']);
    expect(chat.state.draft.codes).toEqual(['TIVI000000017', 'TIVI000000018']);
    expect(chat.text('TIVI000000019 0912345678').state.draft.codes).toHaveLength(3);
  });

  const summed = () => new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');

  test.each([
    'có',
    'ok',
    'Ok nhé',
    'đồng ý',
    'yes',
    'chốt',
    'chốt luôn',
    '👍',
    '👍🏽',
    'xác nhận',
    'dạ vâng ạ',
    'ok ok',
    'dc luôn',
    'được rồi shop ơi',
    'yes please',
  ])('is confirmed by a typed yes: %s', (text) => {
    const chat = summed().text(text);
    expect(chat.keys).toEqual(['accumulate.done', 'privacy.consent']);
    expect(chat.effects).toMatchObject([{ kind: 'accumulate', code: 'TIVI000000017' }]);
  });

  test('is not confirmed by a yes that was written before the summary came', () => {
    const chat = summed();
    chat.current = false;
    expect(chat.text('ok').keys).toEqual(['confirm.press', 'accumulate.summary']);
    expect(chat.calls).toEqual([]);
    chat.current = true;
    expect(chat.text('ok').keys).toContain('accumulate.done');
  });

  test.each([
    ['the language', (chat: Dialogue) => chat.text('/language')],
    ['what is kept', (chat: Dialogue) => chat.text('/privacy')],
    ['an old button', (chat: Dialogue) => chat.send({ kind: 'choice', choice: 'skip', view: 'v0' })],
  ])('is not confirmed by a yes that may be about something else: %s', (_, say) => {
    const chat = say(summed());
    expect(chat.state.step.at).toBe('confirming');
    expect(chat.text('ok').keys).toEqual(['confirm.press', 'accumulate.summary']);
    expect(chat.effects).toEqual([]);
    expect(chat.text('ok').keys).toContain('accumulate.done');
  });

  test.each([
    'ok 0867123456',
    'ok, thêm TIVI000000018',
    'không, ok',
    'ok mà sao lâu thế',
    'ok 123',
    'có gì',
    'ok được không?',
    'có?',
    'ok nhưng',
    ...['ok ？', 'ok hả', 'có à', 'có rồi', 'ok ❌', '👍👎'],
  ])('is not confirmed by a yes with something else: %s', (text) => {
    expect(summed().text(text).effects).toEqual([]);
  });

  test('is confirmed by a press that was sent in time, however late it is taken up', () => {
    const chat = summed();
    chat.heardMs = chat.nowMs + 1000;
    expect(chat.later(31 * 60_000).press('confirm').keys).toContain('accumulate.done');
  });

  test('a second yes, sent before the result was told, consents to nothing', () => {
    const chat = summed().text('ok');
    expect(chat.keys).toContain('privacy.consent');
    chat.current = false;
    expect(chat.text('ok').keys).toEqual(['privacy.consent']);
    expect(chat.state.consent).toBeUndefined();
  });

  test('is not confirmed by the caption of a picture that says nothing', () => {
    const chat = summed().send({ kind: 'photo', caption: 'ok', pictures: [{ kind: 'noCode' }] });
    expect(chat.calls).toEqual([]);
    expect(chat.keys[0]).toBe('photo.noCode');
  });

  test('keeps phone and e-mail when the code is refused, and asks for the code again', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    chat.answers = (effect) => ({
      kind: 'refused',
      operation: effect.kind === 'accumulate' ? effect.operation : '',
    });
    expect(chat.press('confirm').keys).toEqual(['accumulate.refused', 'accumulate.askCode']);
    expect(chat.text('TIVI000000018').keys).toEqual(['accumulate.summary']);
  });

  test('offers to try again under a new operation where AntCRM was out of reach', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    const first = chat.question.choices?.[0]?.id;
    chat.answers = () => ({ kind: 'unavailable', operation: 'x' });
    expect(chat.press('confirm').keys).toEqual(['service.unavailable', 'accumulate.summary']);
    expect(chat.question.choices?.[0]?.id).not.toBe(first);
    expect(chat.last?.settled).toEqual([first?.slice('confirm:'.length)]);
  });

  test('asks for all missing fields as one form, and marks the refused ones', () => {
    const chat = new Dialogue(TEAMS).text('tích điểm');
    expect(chat.question.form?.map(({ slot }) => slot)).toEqual(['code', 'phone']);
    chat.send({ kind: 'form', code: 'TIVI000000017', phone: '12' });
    expect(chat.state.draft.codes).toEqual(['TIVI000000017']);
    expect(chat.question.form).toContainEqual(
      expect.objectContaining({ slot: 'phone', value: '12', reason: { key: 'phone.short' } }),
    );
    expect(chat.send({ kind: 'form', phone: '0912345678' }).keys).toEqual(['accumulate.summary']);
  });

  test('accepts a form as the first message', () => {
    const chat = new Dialogue(STAFF).send({
      kind: 'form',
      code: 'TIVI000000017',
      phone: '0912345678',
      email: '',
    });
    expect(chat.keys).toEqual(['accumulate.summary']);
  });
});
