import { expect, test } from 'vitest';
import { Dialogue, TELEGRAM } from '../support/dialogue.ts';

const ticketOf = ({ state }: Dialogue) => state.tickets?.at(-1);

test('a ticket keeps 200 messages and 64 KB, the newest; what staff write comes whole', () => {
  const chat = new Dialogue(TELEGRAM, { handover: true }).text('gặp nhân viên');
  for (let at = 0; at < 210; at++) chat.text(`tin ${at}`);
  expect(ticketOf(chat)?.notes).toHaveLength(200);
  expect(ticketOf(chat)?.notes.at(-1)?.text).toBe('tin 209');
  const ticket = ticketOf(chat)?.id ?? '';
  const text = 'ồ'.repeat(4000);
  for (let at = 0; at < 20; at++) chat.send({ kind: 'person', ticket, by: 'lan', text });
  expect(chat.question.params).toEqual({ by: { written: 'lan' }, text: { written: text } });
  const { notes = [] } = ticketOf(chat) ?? {};
  expect(notes.reduce((sum, note) => sum + Buffer.byteLength(note.text), 0)).toBeLessThanOrEqual(64 * 1024);
  expect(ticketOf(chat)?.count).toEqual({ customer: 210, staff: 20 });
});

test('the last 20 sentences that were not understood are kept', () => {
  const chat = new Dialogue().text('xem điểm').shareOwnPhone().press('consent:accept');
  for (let at = 0; at < 25; at++) chat.text(`con mèo trèo cây cau ${'cau '.repeat(at)}`);
  expect(chat.state.unclear).toHaveLength(20);
});
