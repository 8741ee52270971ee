import { describe, expect, test } from 'vitest';
import { createWords, WORDING } from '../../src/i18n.ts';
import { Dialogue, SETTINGS, STAFF, succeed, TEAMS } from '../support/dialogue.ts';

/*
 * What is said to whoever was not understood, and how a person is reached.
 */

const words = createWords({ timeZone: SETTINGS.timeZone });
const told = ({ replies }: Dialogue, locale: 'vi' | 'en' = 'vi'): string =>
  replies.map((reply) => words.text(reply, locale)).join('\n');

const NONSENSE = ['xyzzy plugh', 'con mèo trèo cây cau', 'mai có mưa không bạn?'];

describe('not understood twice in a row', () => {
  const places: readonly (readonly [string, () => Dialogue])[] = [
    ['where nothing is asked', () => new Dialogue()],
    ['at a summary', () => new Dialogue().text('TIVI000000017 0912345678').press('skip')],
    ['at a page', () => new Dialogue(TEAMS).text('lịch sử')],
  ];

  test.each(places)('%s, the second answer is another one and shows whom to ask', (_, begin) => {
    for (const first of NONSENSE) {
      for (const second of NONSENSE) {
        const chat = begin().text(first);
        const before = chat.replies[0];
        chat.text(second);
        expect(told(chat), `${first}, ${second}`).toContain('1900 0000');
        expect(chat.replies[0]).not.toEqual(before);
      }
    }
  });

  test('a value with the same fault twice in a row is told whom to ask', () => {
    const chat = new Dialogue().text('TIVI000000017').text('12');
    expect(chat.keys).toEqual(['phone.short', 'accumulate.askPhone']);
    expect(chat.text('13').keys).toEqual(['phone.short', 'repair.help', 'accumulate.askPhone']);
    expect(told(chat)).toContain('1900 0000');
    expect(chat.text('14').keys).not.toEqual(['phone.short', 'repair.help', 'accumulate.askPhone']);
  });

  test('begins anew once something was understood', () => {
    const chat = new Dialogue().text('xyzzy plugh').text('cảm ơn').text('xyzzy plugh');
    expect(chat.replies[0]?.context).toBeUndefined();
    expect(chat.state.misses).toBe(1);
  });
});

describe('the greeting', () => {
  test.each([
    ['vi', 'xin chào', /Mình là trợ lý tự động: .*tích điểm.*đổi quà.*gặp người thật: 1900 0000/],
    ['en', 'hello', /I am an automatic assistant: earn points, redeem gifts.*reach a person: 1900 0000/],
  ] as const)(
    'says in a line what answers, what it can do and how to reach a person: %s',
    (locale, text, line) => {
      expect(told(new Dialogue().text(text), locale).split('\n')).toContainEqual(expect.stringMatching(line));
    },
  );

  test('names the words for a person where there is no number', () => {
    for (const locale of ['vi', 'en'] as const)
      expect(WORDING[locale]['welcome.assistant_none']).toMatch(/gặp nhân viên|talk to a person/);
    const chat = new Dialogue(TEAMS, { supportContact: undefined }).text('xin chào');
    expect(chat.replies[0]?.lines).toEqual([{ key: 'welcome.assistant', context: 'none' }]);
  });
});

describe("a flow's own verb at its summary", () => {
  test.each(['ok đổi đi', 'đồng ý đổi', 'yes, redeem'])('is a yes, which is shown the button: %s', (text) => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone().text(text);
    expect(chat.keys).toEqual(['confirm.press']);
    expect(chat.calls).toEqual([]);
    expect(chat.press('confirm').keys[0]).toBe('redeem.done');
  });
});

describe('what newcomers asked', () => {
  test.each([
    ['đổi loa bao nhiêu điểm', 'Loa: 250 điểm'],
    ['đổi đầu máy hết bao nhiêu điểm vậy', 'Đầu máy: 10 điểm'],
  ])('the price of a gift is told: %s', (text, price) => {
    const chat = new Dialogue().text(text);
    expect(chat.keys).toEqual(['answer']);
    expect(told(chat)).toContain(price);
  });

  test('what is done is not undone here: whom to tell which reference', () => {
    const chat = new Dialogue().text('TIVI000000017 0912345678').press('skip').press('confirm');
    const { id = '' } = chat.state.operations[0] ?? {};
    chat.press('consent:decline');
    for (const text of ['tích nhầm sđt rồi làm sao', 'hủy giao dịch vừa rồi']) {
      expect(chat.text(text).keys).toEqual(['answer']);
      expect(told(chat)).toContain(id);
      expect(told(chat)).toContain('1900 0000');
    }
  });

  test.each(['TIVI-000000-017', 'TIVI000-000-017'])('dashes in a code are asked about: %s', (code) => {
    const chat = new Dialogue().text(code);
    expect(chat.question).toMatchObject({ key: 'code.offer', params: { code: 'TIVI000000017' } });
    expect(chat.press('use').state.draft.codes).toEqual(['TIVI000000017']);
  });

  test('a code that was mistyped and is typed again is one, if the customer says so', () => {
    for (const begin of ['TIVI00000017', 'TIVI00000017 0912345678']) {
      const chat = new Dialogue().text(begin).text('mã TIVI000000017');
      expect(chat.question).toMatchObject({
        key: 'code.offer',
        params: { typed: 'TIVI00000017', code: 'TIVI000000017' },
      });
      expect(chat.press('use').state.draft.codes).toEqual(['TIVI000000017']);
    }
  });
});

describe("staff's last customer", () => {
  const served = () => new Dialogue(STAFF).text('xem điểm 0867123456');

  test('is one tap away at the next question for a customer, and never taken silently', () => {
    const chat = served().text('đổi loa');
    expect(chat.question.key).toBe('identity.ask');
    expect(chat.question.choices?.[0]).toMatchObject({
      id: 'before',
      label: { params: { name: '0867 123 456' } },
    });
    expect(chat.press('before').keys).toEqual(['redeem.summary']);
    expect(chat.press('confirm').calls).toMatchObject([{ by: { value: '+84867123456' } }]);
  });

  test('is offered after a refused code, too', () => {
    const chat = new Dialogue(STAFF).text('tích điểm TIVI000000017 0867123456').press('skip');
    chat.answers = (effect) =>
      effect.kind === 'accumulate' ? { kind: 'refused', operation: effect.operation } : succeed(effect);
    chat.press('confirm').text('TIVI000000018');
    expect(chat.question.key).toBe('accumulate.askPhone');
    expect(chat.press('before').state.draft.phone?.value).toBe('+84867123456');
  });

  test('is forgotten after half an hour, and offered to no customer', () => {
    const chat = served();
    expect(chat.later(31 * 60_000).wake().state.before).toBeUndefined();
    const customer = new Dialogue(TEAMS).text('xem điểm').text('tích điểm TIVI000000017');
    expect(customer.question.choices?.map(({ id }) => id)).not.toContain('before');
  });
});
