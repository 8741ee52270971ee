import { expect, test } from 'vitest';
import { Dialogue, STAFF, TEAMS, TELEGRAM } from '../support/dialogue.ts';
import { either, fc } from '../support/properties.ts';

/*
 * What holds at any step: of values beside a yes or no; and how much is kept.
 */

const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';

const STEPS: readonly (() => Dialogue)[] = [
  () => new Dialogue(),
  () => new Dialogue(STAFF),
  () => new Dialogue().text('tích điểm'),
  () => new Dialogue().text('TIVI000000017'),
  () => new Dialogue().text('TIVI000000017 0912345678'),
  () => new Dialogue().text(SUMMED),
  () => new Dialogue().text(SUMMED).press('confirm'),
  () => new Dialogue().text('tivi000000017'),
  () => new Dialogue().text('TIVI000000017 01687123456'),
  () => new Dialogue().text('TIVI000000017 0912345678 lan@gmial.com'),
  () => new Dialogue().text('xem điểm'),
  () => new Dialogue().text('đổi quà'),
  () => new Dialogue(TEAMS).text('đổi quà DAUMAY01'),
  () => new Dialogue(TEAMS).text('lịch sử'),
];
const YES_OR_NO = either(
  'có | ok | dạ | vâng ạ | đúng rồi | chốt | 👍 | mình có mã | yes | sure | ừ | không | sai rồi | chưa | no | nope | ' +
    'dạ không | chào shop | cảm ơn | thử lại',
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
        // "TIVI000000100 sai rồi" says that this one is wrong.
        if (!(first && word === 'sai rồi')) expect(chat.state.draft.codes ?? []).toContain(code);
      },
    ),
    { numRuns: 200 },
  );
});

const ticketOf = ({ state }: Dialogue) => state.tickets?.at(-1);

test('a ticket keeps 200 messages and 64 KB, the newest; what staff write comes whole', () => {
  const chat = new Dialogue(TELEGRAM, { handover: true }).text('gặp nhân viên');
  for (let at = 0; at < 210; at++) chat.text(`tin ${at}`);
  expect(ticketOf(chat)?.notes).toHaveLength(200);
  expect(ticketOf(chat)?.notes.at(-1)?.text).toBe('tin 209');
  const [ticket, text] = [ticketOf(chat)?.id ?? '', 'ồ'.repeat(4000)];
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
