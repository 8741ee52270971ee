import { expect, test } from 'vitest';
import type { Sender } from '../../src/conversation/message.ts';
import { Dialogue, STAFF, TEAMS, TELEGRAM } from '../support/dialogue.ts';
import { either, fc } from '../support/properties.ts';

/*
 * Whatever value a text brings, in whatever sentence and wherever it is said, is in what is gathered, in a
 * question, in the reply, or in what AntCRM is asked: none is dropped silently. Only a text that cancels says
 * that itself.
 */

/** A value as it is meant, and as people type and say it. */
type Spelling = { readonly meant: readonly string[]; readonly typed: string };
const spelt = (meant: string, typed: string): fc.Arbitrary<Spelling> =>
  either(typed).map((text) => ({
    meant: [...meant.split(' | '), text, text.replaceAll(' ', '')],
    typed: text,
  }));

const VALUES = fc.oneof(
  spelt(
    '+84912000678 | 0912 000 678',
    '0912000678 | 0912 000 678 | 0912.000.678 | +84 912 000 678 | O912000678 | 912000678 | ' +
      'không chín một hai không không không sáu bảy tám | khong chin mot hai khong khong khong sau bay tam | ' +
      'zero nine one two triple zero six seven eight | 09 một hai ba số không 678',
  ),
  spelt(
    'TIVI000000777',
    'TIVI000000777 | TIVI 000000777 | tivi 000 000 777 | TIVIO00000777 | TIVI-000-000-777 | tivi số 000000777 | ' +
      'TIVI không không không không không không bảy bảy bảy | TIVI sáu số không ba con bảy',
  ),
  spelt('TULANH000000778', 'TULANH000000778 | tủ lạnh 000000778 | tu lanh 000 000 778 | TULANH: 000000778'),
  spelt(
    'lan.nguyen@gmail.com',
    'lan.nguyen@gmail.com | lan chấm nguyen a còng gmail chấm com | lan dot nguyen at gmail dot com | lan.nguyen@gmial.com | ' +
      'lan.nguyen @ gmail.com | lan.nguyen@gmail,com | lan.nguyen (at) gmail.com',
  ),
);

/** Spellings that have one reading: they are no guesses. */
const READ_ONE_WAY: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    '+84912000678':
      'không chín một hai không không không sáu bảy tám | khong chin mot hai khong khong khong sau bay tam',
    TIVI000000777:
      'TIVI 000000777 | tivi 000 000 777 | tivi số 000000777 | TIVI không không không không không không bảy bảy bảy',
    TULANH000000778: 'tủ lạnh 000000778 | tu lanh 000 000 778 | TULANH: 000000778',
  }).map(([meant, typed]) => [meant, typed.split(' | ')]),
);

/** Wishes, complaints, questions, plans, reports, small talk. */
const SENTENCES = either(
  '{} | tích điểm {} | của mình là {} nha | đổi quà {} | xem điểm {} | lịch sử {} | {} nhập hoài không được | ' +
    'sao {} chưa lên điểm vậy | {} bị lỗi rồi | {} dùng được không? | mai mình gửi {} sau nha | lát nữa tích {} | ' +
    'hôm qua mình gửi {} rồi mà | cho hỏi {} đúng chưa | is {} ok? | why was {} refused | I will use {} tomorrow | ' +
    'gặp nhân viên, {} | bực quá {} mà cũng không xong | ok {} | cảm ơn {} | con mèo {} trèo cây | khoan đã {} | ' +
    'điểm của {} có bao nhiêu | {} với {} | {}, {} nữa nha | mã {} còn {} thì sao | tích {} hôm qua, {} thì chưa',
);

const say = (chat: Dialogue, ...texts: readonly string[]) => texts.reduce((on, text) => on.text(text), chat);
function prove(chat: Dialogue, choice: string): Dialogue {
  const asked = chat.send({ kind: 'choice', choice });
  if (chat.sender.proof === 'token') return asked.text('0867123456');
  return chat.sender.proof === 'contact' ? asked.shareOwnPhone() : asked;
}
const PLACES: Readonly<Record<string, (chat: Dialogue) => Dialogue>> = {
  menu: (chat) => chat.send({ kind: 'start' }),
  code: (chat) => say(chat, 'tích điểm'),
  phone: (chat) => say(chat, 'tích điểm TIVI000000017'),
  email: (chat) => say(chat, 'tích điểm TIVI000000017 0867123456'),
  summary: (chat) => say(chat, 'tích điểm TIVI000000017 0867123456 a@example.vn'),
  proof: (chat) => say(chat, 'đổi quà'),
  gift: (chat) => prove(chat, 'redeem'),
  redeem: (chat) => prove(chat, 'redeem').press('gift:DAUMAY01'),
  page: (chat) => prove(chat, 'history:point'),
  'a code in doubt': (chat) => say(chat, 'tích điểm TIVIO00000120'),
  'a phone in doubt': (chat) => say(chat, 'tích điểm TIVI000000017', '01201234567'),
  'an e-mail in doubt': (chat) => say(chat, 'tích điểm TIVI000000017 0867123456', 'a@gmial.com'),
};
const SENDERS: readonly Sender[] = [TELEGRAM, STAFF, TEAMS];
const states = new Map(
  SENDERS.flatMap((sender) =>
    Object.entries(PLACES).map(
      ([place, reach]) => [`${sender.channel} ${place}`, reach(new Dialogue(sender)).state] as const,
    ),
  ),
);

/** What the customer, AntCRM or the next turn has of a text. */
function keptOf({ state, replies, effects }: Dialogue): string {
  const { draft, step, parked, before, tickets } = state;
  const kept = JSON.stringify([draft, step, parked, before, tickets, replies, effects]);
  return kept + kept.replaceAll(/(?<=[A-Z\d]) (?=\d)/g, '');
}

test('no value of a text is dropped silently', () => {
  const sender = fc.constantFrom(...SENDERS);
  const place = fc.constantFrom(...Object.keys(PLACES));
  fc.assert(
    fc.property(sender, place, SENTENCES, VALUES, VALUES, (sender, place, sentence, first, second) => {
      const chat = new Dialogue(sender, { handover: true });
      chat.state = states.get(`${sender.channel} ${place}`) ?? expect.fail(place);
      const [before = '', between = '', after] = sentence.split('{}');
      const isTwice = after !== undefined;
      chat.text(before + first.typed + between + (isTwice ? second.typed + after : ''));
      // A typed number proves nothing, and the answer says so.
      if (chat.replies.some(({ context }) => context === 'typed')) return;
      const kept = keptOf(chat);
      // Of a phone and an e-mail, staff's customer goes by the phone.
      if (sender === STAFF && chat.effects.length > 0 && isTwice) return;
      for (const { meant, typed } of isTwice ? [first, second] : [first])
        expect(meant.some((value) => kept.includes(value)) ? [] : [typed, chat.keys]).toEqual([]);
    }),
    { numRuns: 1500 },
  );
});

test('a guess is shown before it counts: only its button takes it, and no guess is sent to AntCRM', () => {
  const words = either(
    'ok | có | đúng rồi | yes | dạ đúng | 👍 | chốt | không | con mèo | tích điểm | 0867123456 | a@example.vn',
  );
  const turn = fc.oneof(
    VALUES.map(({ typed }) => typed),
    words,
  );
  fc.assert(
    fc.property(fc.array(turn, { minLength: 3, maxLength: 9 }), (texts) => {
      const chat = say(new Dialogue(TELEGRAM).send({ kind: 'start' }), 'tích điểm', ...texts);
      const sure = [...READ_ONE_WAY].flatMap(([meant, all]) =>
        all.some((typed) => texts.includes(typed)) ? meant : [],
      );
      const typed = new Set([...texts.join(' ').split(/[ ,]+/), ...sure]);
      for (const effect of chat.effects) {
        if (effect.kind !== 'accumulate') continue;
        expect([...typed]).toContain(effect.code);
        const digits = [...texts, ...sure].map((text) => text.replaceAll(/[ .]/g, ''));
        expect(digits.some((text) => text.includes(effect.phone?.value.slice(3) ?? '+'))).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
