import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/conversation/effect.ts';
import { Dialogue, STAFF, succeed, TEAMS } from '../support/dialogue.ts';

const lookup = {
  kind: 'redeem' as const,
  by: { kind: 'phone' as const, value: '+84867123456' },
  code: 'DAUMAY01',
  fromMs: 0,
  deadlineMs: 0,
  baseline: [],
  locks: ['customer:475'],
};

function confirmed(chat: Dialogue, outcome: (operation: string) => Outcome): Dialogue {
  chat.answers = (effect) => ('operation' in effect ? outcome(effect.operation) : succeed(effect));
  return chat.text('đổi quà DAUMAY01').shareOwnPhone().press('confirm');
}

describe('redeeming a gift', () => {
  test.each(['có', 'ok', 'đồng ý', 'yes', 'chốt', '👍'])(
    'is never confirmed by a typed yes, which is shown the button and not the whole summary: %s',
    (text) => {
      const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
      const confirm = chat.question.choices?.[0];
      expect(chat.text(text).keys).toEqual(['confirm.press']);
      expect(chat.question).toMatchObject({ asks: 'confirm', choices: [confirm, { id: 'cancel' }] });
      expect(chat.question.lines).toBeUndefined();
      expect(chat.effects.filter(({ kind }) => kind === 'redeem')).toEqual([]);
      expect(chat.press('confirm').keys[0]).toBe('redeem.done');
    },
  );

  test('goes gift, shared contact, summary, confirm, and tells what was spent', () => {
    const chat = new Dialogue();
    expect(chat.text('đổi quà').keys).toEqual(['redeem.askGift']);
    expect(chat.question.choices?.map(({ id }) => id)).toEqual(['gift:DAUMAY01', 'gift:LOA01', 'cancel']);
    expect(chat.press('gift:DAUMAY01').keys).toEqual(['identity.proofNeeded']);
    expect(chat.question.sharePhone).toBe(true);
    expect(chat.shareOwnPhone().keys).toEqual(['redeem.summary']);
    chat.press('confirm');
    expect(chat.calls).toEqual([
      expect.objectContaining({
        kind: 'redeem',
        gift: 'DAUMAY01',
        by: { kind: 'phone', value: '+84867123456' },
      }),
    ]);
    expect(chat.keys).toEqual(['redeem.done', 'privacy.consent']);
    expect(chat.last?.unlock).toEqual([
      { customer: 'customer:475', operation: expect.any(String), record: 'r2' },
    ]);
  });

  test.each(['đổi quà loa', 'doi qua Đầu máy', 'redeem the speaker', 'redeem LOA01'])(
    'takes a gift by its name: %s',
    (text) => {
      expect(new Dialogue().text(text).keys).toEqual(['identity.proofNeeded']);
      expect(
        new Dialogue().text('đổi quà').text(text.replace(/^.*?(loa|Đầu máy|speaker|LOA01)$/, '$1')).keys,
      ).toEqual(['identity.proofNeeded']);
    },
  );

  test('asks for the code where no list of gifts is known', () => {
    const chat = new Dialogue(undefined, { gifts: [] }).text('đổi quà');
    expect(chat.keys).toEqual(['redeem.askCode']);
    expect(chat.text('DAUMAY01').keys).toEqual(['identity.proofNeeded']);
  });

  test.each([
    ['0867123456', { phone: { value: '+84867123456', proved: true } }],
    ['garnacho@gmail.com', { email: { value: 'garnacho@gmail.com', proved: true } }],
  ])('takes %s at the question for the gift for the customer, where staff type it', (text, known) => {
    for (const [gifts, question] of [
      [undefined, 'redeem.askGift'],
      [[], 'redeem.askCode'],
    ] as const) {
      const chat = new Dialogue(STAFF, gifts && { gifts }).text('đổi quà').text(text);
      expect(chat.keys.at(-1)).toBe(question);
      expect(chat.state.draft).toMatchObject(known);
      expect(chat.text('DAUMAY01').keys).toEqual(['redeem.summary']);
    }
  });

  test('takes gift and customer in one answer, where staff type them', () => {
    const chat = new Dialogue(STAFF).text('đổi quà').text('loa 0867123456');
    expect(chat.keys).toEqual(['redeem.summary']);
    expect(chat.state.draft).toMatchObject({ code: 'LOA01', phone: { value: '+84867123456' } });
  });

  test('asks about a slip in the e-mail that staff type at the question for the gift', () => {
    const chat = new Dialogue(STAFF).text('đổi quà').text('minh@gmail.con');
    expect(chat.keys).toEqual(['email.typo']);
    expect(chat.press('use').keys).toEqual(['redeem.askGift']);
  });

  test('shows the list again for a gift that it does not have', () => {
    const chat = new Dialogue().text('đổi quà');
    for (const text of ['0867123456', 'xe đạp', 'LOA999']) {
      expect(chat.text(text).keys.slice(0, 1), text).toEqual(['gift.unknown']);
      expect(chat.question.key).toBe('redeem.askGift');
    }
    expect(new Dialogue().text('đổi quà TIVI000000017').keys).toEqual(['gift.unknown', 'redeem.askGift']);
    expect(new Dialogue().text('đổi quà daumay01').state.draft.code).toBe('DAUMAY01');
  });

  test.each(['đổi quà khác', 'another gift', 'sửa'])(
    'lets another gift be chosen at the summary: %s',
    (text) => {
      const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone().text(text);
      expect(chat.keys).toEqual(['redeem.askGift']);
      expect(chat.text('loa').keys).toEqual(['redeem.summary']);
    },
  );

  test.each([
    ['đổi loa', 'LOA01'],
    ['lấy đầu máy', 'DAUMAY01'],
    ['get the speaker', 'LOA01'],
    ['đổi player', 'DAUMAY01'],
  ])('begins where a gift is wished for by its name: %s', (text, code) => {
    const chat = new Dialogue().text(text);
    expect(chat.keys).toEqual(['identity.proofNeeded']);
    expect(chat.state.draft.code).toBe(code);
  });

  test.each(['không lấy loa', 'mình mua loa', 'đổi loa bị hỏng'])(
    'does not begin where a gift is only spoken of: %s',
    (text) => {
      expect(new Dialogue().text(text).keys).toEqual(['unsure']);
    },
  );

  test('takes a gift by words of its name, and asks which one where several have them', () => {
    const gifts = [
      { code: 'A1', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1 },
      { code: 'A2', name: { vi: 'Nồi áp suất', en: 'Pressure cooker' }, score: 2 },
    ];
    const asked = () => new Dialogue(undefined, { gifts }).text('đổi quà');
    expect(asked().text('rice').state.draft.code).toBe('A1');
    expect(asked().text('áp suất').state.draft.code).toBe('A2');
    expect(asked().text('cooker').question).toMatchObject({ key: 'redeem.askGift', context: 'several' });
    expect(asked().text('nói chuyện').keys[0]).toBe('gift.unknown');
  });

  test('lets another gift be chosen where proof is asked for', () => {
    const chat = new Dialogue().text('đổi quà loa').text('lấy đầu máy');
    expect(chat.keys).toEqual(['noted', 'identity.proofNeeded']);
    expect(chat.state.draft.code).toBe('DAUMAY01');
    expect(chat.text('loa').state.draft.code).toBe('LOA01');
    expect(chat.text('đổi quà khác').keys).toEqual(['redeem.askGift']);
    expect(chat.text('đầu máy').keys).toEqual(['identity.proofNeeded']);
    const staff = new Dialogue(STAFF).text('đổi quà đầu máy').text('loa@gmail.com');
    expect(staff.state.draft).toMatchObject({ code: 'DAUMAY01', email: { value: 'loa@gmail.com' } });
  });

  test.each(['đổi số', 'không phải', 'sai rồi'])(
    'says how to change something at the summary: %s',
    (text) => {
      const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone().text(text);
      expect(chat.keys).toEqual(['confirm.edit', 'redeem.summary']);
    },
  );

  test('names the gift on the receipt as the list does, in every language', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone().press('confirm');
    const name = { vi: 'Đầu máy', en: 'Player' };
    expect(chat.replies[0]?.lines?.[0]?.params).toEqual({ score: 10, what: name });
    chat.press('consent:decline');
    expect(chat.text('trạng thái').replies[0]?.lines?.[0]?.params).toEqual({ score: 10, what: name });
    const unlisted = new Dialogue(undefined, { gifts: [] }).text('đổi quà DAUMAY01').shareOwnPhone();
    expect(unlisted.press('confirm').replies[0]?.lines?.[0]?.params).toEqual({ score: 10, what: 'Đầu máy' });
  });

  test('does not take what is no phone and no e-mail for the customer, and says so of both', () => {
    const chat = new Dialogue(STAFF).text('đổi quà DAUMAY01');
    expect(chat.text('chị Garnacho').keys).toEqual(['identity.shape', 'identity.ask']);
    expect(chat.text('08671').keys).toEqual(['phone.short', 'identity.ask']);
  });

  test('does not accept a typed phone on Telegram', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01');
    expect(chat.question.context).toBeUndefined();
    expect(chat.text('0867123456').keys).toEqual(['identity.proofNeeded']);
    expect(chat.question).toMatchObject({ context: 'typed', sharePhone: true });
    expect(chat.text('đổi quà DAUMAY01 0867123456').keys).toEqual(['identity.proofNeeded']);
    expect(chat.calls).toEqual([]);
  });

  test("does not accept somebody else's contact", () => {
    const chat = new Dialogue()
      .text('đổi quà DAUMAY01')
      .send({ kind: 'contact', phone: '84912345678', own: false });
    expect(chat.keys).toEqual(['identity.notOwn', 'identity.proofNeeded']);
  });

  test('goes by the profile e-mail on Teams, and says what is missing where there is none', () => {
    const chat = new Dialogue(TEAMS).text('đổi quà DAUMAY01');
    expect(chat.keys).toEqual(['redeem.summary']);
    expect(chat.press('confirm').calls[0]).toMatchObject({
      by: { kind: 'email', value: 'garnacho@gmail.com' },
    });
    const { email: _, ...nameless } = TEAMS;
    expect(new Dialogue(nameless).text('đổi quà DAUMAY01').keys).toEqual(['identity.noEmail']);
  });

  test('says what is missing on Teams before it lists the gifts, and asks nothing that leads nowhere', () => {
    const { email: _, ...nameless } = TEAMS;
    for (const text of ['đổi quà', 'redeem', 'lịch sử', 'xem điểm']) {
      expect(new Dialogue(nameless).text(text).keys).toEqual(['identity.noEmail']);
    }
    expect(new Dialogue({ ...nameless, unread: true }).text('đổi quà').keys).toEqual(['identity.unread']);
    expect(new Dialogue(nameless).text('tích điểm').keys).toEqual(['accumulate.askCode']);
    expect(new Dialogue(TEAMS).text('đổi quà').keys).toEqual(['redeem.askGift']);
  });

  test('says to try again where the profile on Teams could not be read: it may well have an e-mail', () => {
    const { email: _, ...unread } = TEAMS;
    const chat = new Dialogue({ ...unread, unread: true }).text('đổi quà DAUMAY01');
    expect(chat.keys).toEqual(['identity.unread']);
    chat.sender = TEAMS;
    expect(chat.text('đổi quà DAUMAY01').keys).toEqual(['redeem.summary']);
  });

  test('goes by what staff type, phone or e-mail', () => {
    for (const [typed, by] of [
      ['0867123456', { kind: 'phone', value: '+84867123456' }],
      ['garnacho@gmail.com', { kind: 'email', value: 'garnacho@gmail.com' }],
    ] as const) {
      const chat = new Dialogue(STAFF).text('đổi quà DAUMAY01').text(typed);
      expect(chat.keys).toEqual(['redeem.summary']);
      expect(chat.press('confirm').calls[0]).toMatchObject({ by });
    }
  });

  test('believes a typed phone where the operator waived proof', () => {
    const chat = new Dialogue(undefined, { identityProof: 'off' }).text('đổi quà DAUMAY01 0867123456');
    expect(chat.keys).toEqual(['redeem.summary']);
  });

  test('is never confirmed by words', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
    for (const words of ['ok', 'có', 'đồng ý', 'xác nhận', 'yes', '1', 'confirm']) {
      chat.text(words);
      expect(chat.question, words).toMatchObject({ asks: 'confirm' });
      expect(chat.state.step.at).toBe('confirming');
    }
    expect(chat.calls).toEqual([]);
  });

  test('works once for each confirm button', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
    const { view, choices } = chat.question;
    const choice = choices?.[0]?.id ?? '';
    chat.send({ kind: 'choice', choice, view });
    expect(chat.keys[0]).toBe('redeem.done');
    expect(chat.send({ kind: 'choice', choice, view }).keys).toEqual(['choice.expired']);
    expect(chat.send({ kind: 'choice', choice }).keys).toEqual(['choice.expired']);
    expect(chat.calls).toHaveLength(1);
  });

  test('keeps the button alive while another redemption of the customer is being checked', () => {
    const chat = confirmed(new Dialogue(), (operation) => ({ kind: 'busy', operation }));
    expect(chat.keys).toEqual(['operation.busy', 'redeem.summary']);
    chat.answers = succeed;
    expect(chat.press('confirm').keys[0]).toBe('redeem.done');
    expect(new Set(chat.calls.map((effect) => 'operation' in effect && effect.operation)).size).toBe(1);
  });

  test('never says "failed, try again" where the outcome is unknown', () => {
    const chat = confirmed(new Dialogue(), (operation) => ({ kind: 'unknown', operation, lookup }));
    expect(chat.keys).toEqual(['operation.checking']);
    expect(chat.last?.settled ?? []).toEqual([]);
    expect(chat.last?.unlock ?? []).toEqual([]);
    expect(chat.last?.wakeAtMs).toBe(5_000);
    expect(chat.text('đổi quà').keys).toEqual(['operation.busy']);
    expect(chat.question).toMatchObject({ context: 'reference', params: { reference: expect.any(String) } });
    expect(chat.text('sao rồi').replies[0]).toMatchObject({ key: 'operation.status', context: 'checking' });
    expect(chat.text('xong chưa?').keys).toEqual(['operation.status']);
    expect(chat.text('giao dich cua toi toi dau roi').keys).toEqual(['operation.status']);
    expect(chat.text('tích điểm').keys).toEqual(['accumulate.askCode']);
  });

  test('keeps its id where AntCRM could not be asked who the customer is, for an earlier attempt may hold them', () => {
    const chat = confirmed(new Dialogue(), (operation) => ({ kind: 'unavailable', operation }));
    expect(chat.keys).toEqual(['service.unavailable', 'redeem.summary']);
    chat.answers = succeed;
    chat.press('confirm');
    expect(new Set(chat.calls.map((effect) => 'operation' in effect && effect.operation)).size).toBe(1);
  });

  test('gives the hold back when it was refused or could not be reached', () => {
    for (const kind of ['refused', 'unavailable'] as const) {
      const chat = confirmed(new Dialogue(), (operation) => ({ kind, operation, locks: ['customer:475'] }));
      expect(chat.last?.unlock, kind).toHaveLength(1);
      expect(chat.last?.settled, kind).toHaveLength(1);
    }
  });
});
