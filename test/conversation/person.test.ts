import { describe, expect, test } from 'vitest';
import type { Sender } from '../../src/conversation/message.ts';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, SETTINGS, STAFF, TEAMS, TELEGRAM } from '../support/dialogue.ts';

/*
 * A person takes over, and gives back.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const begin = (sender: Sender = TELEGRAM) => new Dialogue(sender, { handover: true });
const waiting = () => begin().text('gặp nhân viên');
const ticketOf = ({ state }: Dialogue) => state.tickets?.at(-1);
const ids = ({ question }: Dialogue) => question.choices?.map(({ id }) => id) ?? [];
const words = createWords({ timeZone: SETTINGS.timeZone });

/** One of staff writes, or closes. */
function staff(chat: Dialogue, text?: string, id?: string): Dialogue {
  const ticket = ticketOf(chat)?.id ?? '';
  return chat.send({ kind: 'person', ticket, by: 'lan', ...(text && { text }), ...(id && { id }) });
}

describe('a person is asked for', () => {
  test.each([
    ['by words', (chat: Dialogue) => chat.text('cho mình gặp nhân viên')],
    ['by a button', (chat: Dialogue) => chat.send({ kind: 'choice', choice: 'person' })],
    [
      'by a button of long ago',
      (chat: Dialogue) => chat.send({ kind: 'choice', choice: 'person', view: 'old' }),
    ],
  ])('as the very first message, %s', (_, ask) => {
    for (const sender of [TELEGRAM, TEAMS, STAFF]) {
      const chat = ask(begin(sender));
      expect(chat.keys).toEqual(['person.waiting']);
      expect(ids(chat)).toEqual(['person:leave']);
      expect(ticketOf(chat)).toMatchObject({
        id: chat.question.params?.reference,
        reason: 'asked',
        notes: [],
      });
    }
  });

  test('from the greeting, whose line says how', () => {
    const chat = begin().text('xin chào');
    expect(chat.replies[0]?.lines).toEqual([{ key: 'welcome.assistant', context: 'none' }]);
    expect(chat.press('person').keys).toEqual(['person.waiting']);
  });

  test('in the middle of a flow, of which nothing is lost', () => {
    const chat = begin().text('tích điểm TIVI000000017').text('gặp nhân viên');
    expect(ticketOf(chat)?.doing).toEqual({ flow: 'accumulate', codes: ['TIVI000000017'] });
    expect(chat.text('0912345678').keys).toEqual(['person.noted']);
    expect(chat.send({ kind: 'choice', choice: 'person:leave' }).keys).toEqual([
      'person.back',
      'accumulate.askPhone',
    ]);
    expect(chat.text('0912345678').press('skip').press('confirm').calls).toMatchObject([
      { code: 'TIVI000000017' },
    ]);
  });

  test('with a value, which is kept', () => {
    const chat = begin().text('tích điểm TIVI000000017').text('0912345678 cho mình gặp nhân viên');
    expect(chat.keys).toEqual(['person.waiting']);
    expect(chat.state.draft).toMatchObject({ codes: ['TIVI000000017'], phone: { value: '+84912345678' } });
  });

  test('once more, and it is the same ticket; after its end another one', () => {
    const chat = waiting();
    const first = ticketOf(chat)?.id;
    expect(chat.send({ kind: 'choice', choice: 'person' }).keys).toEqual(['person.waiting']);
    expect(chat.question.params?.reference).toBe(first);
    chat.press('person:leave').text('gặp nhân viên');
    expect(ticketOf(chat)?.id).not.toBe(first);
    expect(chat.state.tickets).toHaveLength(2);
  });

  test('and where nobody answers, the contact is told and no ticket opened', () => {
    const chat = new Dialogue().text('gặp nhân viên');
    expect(chat.keys).toEqual(['help.support']);
    expect(chat.send({ kind: 'choice', choice: 'person' }).keys).toEqual(['help.support']);
    expect(chat.state.tickets).toBeUndefined();
  });
});

describe('a person is offered', () => {
  test.each([
    ['where nothing is asked', () => begin()],
    ['at a summary', () => begin().text('TIVI000000017 0912345678').press('skip')],
    ['at a page', () => begin(TEAMS).text('lịch sử')],
  ])('at the second misunderstanding in a row, %s', (_, from) => {
    const chat = from().text('con mèo trèo cây cau');
    expect(chat.keys).not.toContain('person.offer');
    chat.text('mai có mưa không bạn?');
    expect(chat.replies[0]?.key).toBe('person.offer');
    expect(chat.press('person').keys).toEqual(['person.waiting']);
    expect(ticketOf(chat)).toMatchObject({ reason: 'asked', led: ['mai có mưa không bạn?'] });
  });

  test.each(['bực quá', 'mình bị thiếu điểm', 'khiếu nại'])(
    'for a complaint, and a yes or the button opens the ticket: %s',
    (text) => {
      for (const confirm of [(chat: Dialogue) => chat.press('person'), (chat: Dialogue) => chat.text('có')]) {
        const chat = begin().text(text);
        expect(chat.state.tickets).toBeUndefined();
        expect(confirm(chat).keys).toEqual(['person.waiting']);
        expect(ticketOf(chat)).toMatchObject({ reason: 'complaint', led: expect.arrayContaining([text]) });
      }
    },
  );

  test('and a yes to something else is none to that', () => {
    const chat = begin().text('bực quá').text('cảm ơn').text('có');
    expect(chat.state.tickets).toBeUndefined();
  });
});

describe('while a person is asked for', () => {
  test('nothing is interpreted: what is written goes to staff, and the bot is silent', () => {
    const chat = waiting();
    for (const text of ['tích điểm TIVI000000017', 'có', 'huỷ', '1', '/diem', 'xyzzy plugh'])
      expect([text, chat.text(text).replies]).toEqual([text, [{ key: 'person.noted', quiet: true }]]);
    chat.send({ kind: 'photo', pictures: [{ kind: 'read', texts: ['TIVI000000017'] }], caption: 'mã nè' });
    chat.shareOwnPhone().send({ kind: 'unknown', what: 'voice' }).send({ kind: 'start', payload: 'TIVI01' });
    expect(
      ticketOf(chat)
        ?.notes.map(({ text }) => text)
        .slice(6),
    ).toEqual(['📷 mã nè', '📱 84867123456', '🎤', '/start TIVI01']);
    expect(chat.effects).toEqual([]);
  });

  test.each([
    ['/help', 'help'],
    ['/trogiup', 'help'],
    ['/language', 'language.ask'],
    ['/privacy', 'privacy.text'],
  ])('%s answers beside it', (text, key) => {
    const chat = waiting().text(text);
    expect(chat.keys).toEqual([key]);
    expect(ids(chat)).not.toContain('accumulate');
    expect(ticketOf(chat)?.notes).toEqual([]);
  });

  test('the button of a summary still works, and what it came to is told', () => {
    const chat = begin().text('TIVI000000017 0912345678').press('skip');
    const summary = chat.question;
    chat.text('gặp nhân viên').text('ok');
    expect(chat.calls).toEqual([]);
    const confirm = summary.choices?.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
    chat.send({ kind: 'choice', choice: confirm, view: summary.view });
    expect(chat.keys[0]).toBe('accumulate.done');
    expect(chat.calls).toHaveLength(1);
    expect(ticketOf(chat)?.closed).toBeUndefined();
  });

  test('no silence ends what was begun aloud', () => {
    const chat = begin()
      .text('tích điểm')
      .text('gặp nhân viên')
      .later(40 * MINUTE_MS)
      .text('còn ai không?');
    expect(chat.keys).toEqual(['person.noted']);
  });

  test('what staff write is said as it is written, once', () => {
    const long = `Dạ {{chào}} bạn,\n${'a'.repeat(3900)}`;
    const chat = staff(waiting().text('máy hỏng rồi'), long, 'm1');
    expect(chat.replies.map((reply) => words.text(reply, 'vi'))).toEqual([long]);
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
});

describe('a ticket ends', () => {
  test.each([
    ['by its button', (chat: Dialogue) => chat.send({ kind: 'choice', choice: 'person:leave', view: 'old' })],
    ['by /cancel', (chat: Dialogue) => chat.text('/cancel')],
    ['by staff', (chat: Dialogue) => staff(chat)],
  ])('%s: it is said, with the menu, and the bot answers again', (_, end) => {
    const chat = end(waiting());
    expect(chat.keys).toEqual(['person.back']);
    expect(ids(chat)).toContain('accumulate');
    expect(chat.text('tích điểm').keys).toEqual(['accumulate.askCode']);
    expect(staff(chat).replies).toEqual([]);
  });

  test('by time: told after 15 minutes that nobody answers, once; closed after 24 hours', () => {
    const chat = waiting();
    expect(chat.last?.wakeAtMs).toBe(chat.nowMs + 15 * MINUTE_MS);
    expect(chat.later(15 * MINUTE_MS).wake().keys).toEqual(['person.late']);
    expect(words.text(chat.question, 'vi')).toContain('1900 0000');
    expect(chat.wake().keys).toEqual([]);
    expect(
      chat
        .text('alo')
        .later(23 * HOUR_MS)
        .wake().keys,
    ).toEqual([]);
    expect(chat.later(HOUR_MS).wake().keys).toEqual(['person.back']);
    expect(chat.question.context).toBe('unanswered');
    expect(ticketOf(chat)?.closed?.by).toBe('time');
  });

  test('12 hours after the last answer, and nobody is told that it takes long', () => {
    const chat = staff(waiting().later(MINUTE_MS), 'Chào bạn');
    expect(
      chat
        .text('alo')
        .later(20 * MINUTE_MS)
        .wake().keys,
    ).toEqual([]);
    expect(chat.later(12 * HOUR_MS).wake().keys).toEqual(['person.back']);
  });

  test('and is erased after 30 days', () => {
    const chat = waiting()
      .press('person:leave')
      .later(30 * 24 * HOUR_MS)
      .wake();
    expect(chat.state.tickets).toEqual([]);
    expect(chat.last?.wakeAtMs).toBeNull();
  });

  test.each(['/forget', '/quen'])('%s closes it and erases what was said', (text) => {
    const chat = staff(waiting().text('máy hỏng rồi'), 'Chào bạn').text(text);
    expect(chat.keys).toEqual(['privacy.erased']);
    expect(ticketOf(chat)).toMatchObject({ closed: { by: 'customer' }, notes: [] });
    expect(JSON.stringify(chat.state)).not.toMatch(/hỏng|Chào/);
    expect(chat.text('tích điểm').keys).toEqual(['accumulate.askCode']);
  });
});

test('/privacy tells what was written, and has it erased', () => {
  const chat = staff(waiting().text('máy hỏng rồi'), 'Chào bạn').text('/privacy');
  expect(chat.question.lines).toContainEqual({ key: 'privacy.person', params: { written: 2 } });
  expect(chat.press('forget').keys).toEqual(['privacy.erased']);
  expect(ticketOf(chat)?.notes).toEqual([]);
});

test('an operation that nobody can find out about opens one ticket, not one a message', () => {
  const chat = begin().text('đổi quà DAUMAY01').shareOwnPhone();
  chat.answers = (effect) =>
    effect.kind === 'redeem'
      ? {
          kind: 'unknown',
          operation: effect.operation,
          lookup: {
            ...{ kind: 'redeem', by: effect.by, code: 'DAUMAY01', baseline: [], locks: [] },
            ...{ fromMs: chat.nowMs, deadlineMs: chat.nowMs },
          },
        }
      : effect.kind === 'check'
        ? { kind: 'checked', operation: effect.operation, found: 'several' }
        : { kind: 'balance', points: 1234 };
  chat.press('confirm').later(6000).wake();
  expect(chat.keys).toEqual(['operation.escalated', 'person.waiting']);
  expect(ticketOf(chat)?.reason).toBe('escalated');
  expect(chat.text('sao rồi?').keys).toEqual(['person.noted']);
  chat.text('/cancel').later(HOUR_MS).wake();
  expect(chat.text('sao rồi?').keys).not.toContain('person.waiting');
  expect(chat.state.tickets).toHaveLength(1);
});
