import { expect, test } from 'vitest';
import type { Message } from '../../src/conversation/message.ts';
import { Dialogue } from '../support/dialogue.ts';
import { either, fc } from '../support/properties.ts';

/*
 * Several codes: added, left out, replaced. What becomes of each call is held by the simulator and `give-up.txt`.
 */

const CODES =
  'TIVI000000301 | TIVI000000302 | TIVI000000303 | TULANH000000304 | MAYGIAT01X | tivi000000305 | TIVI000000305 | ' +
  'TIVInpmx8b98pfg | TIVINPMX8B98PFG';
const code = either(CODES);
const some = fc.uniqueArray(code, { minLength: 1, maxLength: 4 });

const text = (words: string): Message => ({ kind: 'text', text: words });
const message = fc.oneof(
  {
    weight: 4,
    arbitrary: some.map((codes) => text(`tích điểm ${codes.join(' ')} 0912345678 minh@example.vn`)),
  },
  { weight: 4, arbitrary: some.map((codes) => text(codes.join(', '))) },
  code.map((one): Message => ({ kind: 'start', payload: one })),
  code.map((one): Message => ({ kind: 'form', code: one })),
  some.map((codes): Message => ({ kind: 'photo', pictures: [{ kind: 'read', texts: codes }] })),
  code.map((one) => text(`bỏ mã ${one}`)),
  fc.tuple(code, code).map(([old, one]) => text(`thay mã ${old} bằng ${one}`)),
  code.map((one) => text(`mã đúng là ${one}`)),
  either('bỏ mã số 2 | bỏ mã cuối | ok | có | bỏ qua | 0912345678 | huỷ | giữ nguyên | sửa').map(text),
);
const codesIn = ({ state: { draft } }: Dialogue): readonly string[] =>
  Array.isArray(draft.codes) ? draft.codes : [];

/** Every code of a text. */
const codesSaid = (message: Message): readonly string[] => {
  const words =
    message.kind === 'text' ? message.text : message.kind === 'start' ? (message.payload ?? '') : '';
  return CODES.split(' | ').filter((one) => words.split(/[ ,]+/).includes(one));
};

test('no code that is said is lost in silence: it is kept, or the answer names it', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 15 }), (messages) => {
      const chat = new Dialogue();
      for (const one of messages) {
        // What was offered in the place of a slip takes it where the answer is yes.
        const { step: at } = chat.state;
        const slip =
          at.at === 'asking' && one.kind === 'text' && /^(ok|có)$/.test(one.text)
            ? at.offer?.typed
            : undefined;
        // Who is asked for the right code gives it in the place of the only one.
        const isEdited = at.at === 'asking' && at.slot === 'codes' && at.editing === true;
        const before = isEdited ? [] : codesIn(chat).filter((kept) => kept !== slip);
        chat.later(1500).send(one);
        const words = JSON.stringify(chat.replies).toLowerCase();
        const isCancelled = chat.keys.some((key) => /^(cancel|accumulate\.askCode|menu|unsure)/.test(key));
        for (const kept of new Set([...before, ...codesSaid(one)])) {
          const isNamed =
            words.includes(kept.toLowerCase()) ||
            chat.calls.some((call) => call.kind === 'accumulate' && call.code === kept);
          expect(
            codesIn(chat).includes(kept) || isNamed || isCancelled,
            `${kept} after ${JSON.stringify(one)}`,
          ).toBe(true);
        }
      }
    }),
    {
      numRuns: 200,
      examples: [[[...['mã đúng là MAYGIAT01X', 'mã đúng là MAYGIAT01X', 'TIVI000000301'].map(text)]]],
    },
  );
});
