import { expect, test } from 'vitest';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, SETTINGS, TELEGRAM } from '../support/dialogue.ts';

const waiting = () => new Dialogue(TELEGRAM, { handover: true }).text('gặp nhân viên');
const ticketOf = ({ state }: Dialogue) => state.tickets?.at(-1);
const words = createWords({ timeZone: SETTINGS.timeZone });

/** One of staff writes, or closes. */
function staff(chat: Dialogue, text?: string, id?: string): Dialogue {
  const ticket = ticketOf(chat)?.id ?? '';
  return chat.send({ kind: 'person', ticket, by: 'lan', ...(text && { text }), ...(id && { id }) });
}

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
