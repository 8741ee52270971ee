import { describe, expect, test } from 'vitest';
import en from '../../locales/en.json' with { type: 'json' };
import vi from '../../locales/vi.json' with { type: 'json' };
import { masked } from '../../src/conversation/dialogue/unclear.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import { WORDING } from '../../src/i18n.ts';
import { Dialogue, NOW, STAFF, succeed, TEAMS, TELEGRAM } from '../support/dialogue.ts';
import { said } from '../support/facts.ts';

/*
 * What a transcript (`test/dialogues/`) does not say.
 */

const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';
const remembered = () => new Dialogue().text(SUMMED).press('confirm').later(5000).press('consent:accept');

test('consent is kept with its version, time and channel', () => {
  expect(remembered().state.consent).toEqual({
    given: true,
    version: expect.any(Number),
    atMs: NOW + 5000,
    channel: 'telegram',
  });
});

test('consent is asked for once more when its text has a new meaning, and only then', () => {
  const chat = remembered();
  expect(chat.text(SUMMED).press('confirm').keys).toEqual(['accumulate.done']);
  chat.state = { ...chat.state, consent: { given: true, version: 0, atMs: NOW, channel: 'telegram' } };
  expect(chat.text(SUMMED).press('confirm').keys).toEqual(['accumulate.done', 'privacy.consent']);
  expect(JSON.stringify(chat.press('consent:decline').state)).not.toMatch(/912345678|minh@|TIVI0/);
});

test('erasing leaves the language, and nothing else', () => {
  const chat = remembered().text('English').text('/forget');
  const { locale, step, view, lastMessageMs, ...rest } = chat.state;
  expect(locale).toBe('en');
  expect(rest).toEqual({ draft: {}, profile: {}, operations: [] });
});

test('what is done by an operator’s word still has its record to come, which is nobody else’s', () => {
  const chat = new Dialogue();
  const lookup: Lookup = {
    kind: 'redeem',
    by: { kind: 'phone', value: '+84867123456' },
    code: 'DAUMAY01',
    fromMs: NOW,
    deadlineMs: NOW,
    baseline: [],
    locks: ['customer:475'],
  };
  chat.answers = (effect) =>
    effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
  chat.text('đổi quà DAUMAY01').shareOwnPhone().press('confirm');
  const operation = chat.state.operations[0]?.id ?? '';
  chat.send({ kind: 'settle', operation, result: 'done' });
  expect(chat.last?.unlock).toMatchObject([{ operation, awaited: { code: 'DAUMAY01', deadlineMs: NOW } }]);
  expect(JSON.stringify(chat.last?.unlock)).not.toContain('867123456');
});

test('what an operator settles of nobody who is held holds nobody', () => {
  const chat = new Dialogue().send({ kind: 'settle', operation: 'AAAAAAAAAA', result: 'done' });
  expect(chat.last).toMatchObject({ settled: ['AAAAAAAAAA'] });
  expect(chat.last?.unlock ?? []).toEqual([]);
});

test('a flow that was ended unheard is told at the next message, and then no more', () => {
  const chat = new Dialogue();
  chat.state = { ...chat.state, step: { at: 'idle', unfinished: true } };
  expect(chat.wake().keys).toEqual([]);
  expect(chat.text('menu').keys).toEqual(['conversation.expired', 'menu']);
  expect(chat.text('menu').keys).toEqual(['menu']);
});

test('where AntCRM keeps no balance, the sums of the history are labelled as such', () => {
  const chat = new Dialogue({ channel: 'teams', proof: 'profile', email: 'garnacho@gmail.com' });
  chat.answers = () => ({ kind: 'sums', earned: 300, spent: 20, partial: false });
  expect(chat.text('xem điểm').replies[0]).toMatchObject({
    key: 'points.balance',
    context: 'sums',
    params: { points: 280 },
  });
});

test('the balance after an earning is told once for several codes, unless AntCRM counted one too late to be told apart', () => {
  const several = (behind: boolean): string => {
    const chat = new Dialogue(STAFF);
    let points = 960;
    chat.answers = (effect) => {
      if (effect.kind !== 'accumulate') return succeed(effect);
      const before = points;
      points += 100;
      const balance = behind ? { before: before - 100, after: points - 100 } : { before, after: points };
      const isFirst = effect.operation.endsWith('.1');
      const moved = behind && isFirst ? undefined : balance;
      return {
        kind: 'applied',
        operation: effect.operation,
        receipt: { score: 100, what: 'Tivi' },
        balance: moved,
      };
    };
    chat.text('tích điểm TIVI000000017 TIVI000000018 TIVI000000019 0867123456');
    if (chat.question.asks === 'email') chat.press('skip');
    return said(chat.press('confirm')).join('\n');
  };
  expect(several(false).match(/Số điểm hiện có: .*/g)).toEqual(['Số điểm hiện có: 1.260']);
  expect(several(true)).not.toContain('hiện có');
});

const waiting = () => new Dialogue(TELEGRAM, { handover: true }).text('gặp nhân viên');
const ticketOf = ({ state }: Dialogue) => state.tickets?.at(-1);

/** One of staff writes, or closes. */
function staff(chat: Dialogue, text?: string, id?: string): Dialogue {
  const ticket = ticketOf(chat)?.id ?? '';
  return chat.send({ kind: 'person', ticket, by: 'lan', ...(text && { text }), ...(id && { id }) });
}

test('what staff write is said as it is written, once', () => {
  const long = `Dạ {{chào}} bạn,\n${'a'.repeat(3900)}`;
  const chat = staff(waiting().text('máy hỏng rồi'), long, 'm1');
  expect(said(chat)).toEqual([long]);
  expect(staff(chat, long, 'm1').replies).toEqual([]);
  expect(staff(chat, 'Bạn còn đó không?', 'm2').keys).toEqual(['person.says']);
  expect(ticketOf(chat)?.notes.map(({ by }) => by)).toEqual([undefined, 'lan', 'lan']);
});

test('keeps 200 messages and 64 KB, the newest', () => {
  const chat = waiting();
  for (let at = 0; at < 210; at++) chat.text(`tin ${at}`);
  expect(ticketOf(chat)?.notes).toHaveLength(200);
  expect(ticketOf(chat)?.notes.at(-1)?.text).toBe('tin 209');
  for (let at = 0; at < 20; at++) staff(chat, 'ồ'.repeat(4000));
  const { notes = [] } = ticketOf(chat) ?? {};
  expect(notes.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)).toBeLessThanOrEqual(64 * 1024);
  expect(ticketOf(chat)?.count).toEqual({ customer: 210, staff: 20 });
});

const whoAgreed = () => new Dialogue().text('xem điểm').shareOwnPhone().press('consent:accept');
const kept = ({ state }: Dialogue) => state.unclear?.map(({ text }) => text);

describe('a sentence that got a fallback', () => {
  test.each([
    ['mèo 0867 123 456 trèo', 'mèo *** trèo'],
    ['mèo gọi (+84) 867.123.456', 'mèo gọi (***'],
    ['mèo của ten@gmail.com', 'mèo của ***'],
    ['mèo xem https://x.vn/a?b', 'mèo xem ***'],
    ['garnacho hỏi mèo, Garnacho ạ', '*** hỏi mèo, *** ạ'],
    ['mèo mã ABC12X trèo 3 cây', 'mèo mã *** trèo 3 cây'],
    ['mèo ０８６７１２３４５６ trèo', 'mèo *** trèo'],
    ['mèo 08 - 67 / 12 / 34 / 56', 'mèo ***'],
    ['mèo của ten @ gmail.com', 'mèo của ***'],
    ['mèo xem www.x.vn/a, fb.com/ten', 'mèo xem *** ***'],
    ['mèo\n## Yes\n- trèo', 'mèo ## Yes - trèo'],
  ])('is masked: %s', (text, expected) => {
    expect(masked(text, 'Garnacho')).toBe(expected);
  });

  test.each(['Nguyễn Văn Bình', 'Nguyễn Văn Bình'.normalize('NFD')])(
    'has no name without marks: %s',
    (name) => {
      expect(masked('mèo của nguyen VAN bình', name)).toBe('mèo của *** *** ***');
    },
  );

  test('is kept, the last 20 of them', () => {
    const chat = whoAgreed();
    for (let at = 0; at < 25; at++) chat.text(`con mèo trèo cây cau ${'cau '.repeat(at)}`);
    expect(kept(chat)).toHaveLength(20);
  });
});

test('a refused code is asked for once: in the question, not in the refusal', () => {
  expect(vi['accumulate.refused']).not.toMatch(/gửi/);
  expect(en['accumulate.refused']).not.toMatch(/send/);
});

test('the question for a code says where it stands', () => {
  expect(vi['accumulate.askCode']).toContain('in trên sản phẩm');
  expect(en['accumulate.askCode']).toContain('on the product');
});

describe('the greeting', () => {
  test.each([
    ['vi', 'xin chào', /Mình là trợ lý tự động: .*tích điểm.*đổi quà.*gặp người thật: 1900 0000/],
    ['en', 'hello', /I am an automatic assistant: earn points, redeem gifts.*reach a person: 1900 0000/],
  ] as const)(
    'says in a line what answers, what it can do and how to reach a person: %s',
    (locale, text, line) => {
      const lines = said(new Dialogue().text(text), locale).join('\n').split('\n');
      expect(lines).toContainEqual(expect.stringMatching(line));
    },
  );

  test('names the words for a person where there is no number', () => {
    for (const locale of ['vi', 'en'] as const)
      expect(WORDING[locale]['welcome.assistant_none']).toMatch(/gặp nhân viên|talk to a person/);
    const chat = new Dialogue(TEAMS, { supportContact: undefined }).text('xin chào');
    expect(chat.replies[0]?.lines).toEqual([{ key: 'welcome.assistant', context: 'none' }]);
  });
});
