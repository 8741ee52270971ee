import { expect, test } from 'vitest';
import type { Expecting, TextCommand } from '../../src/conversation/commands.ts';
import { interpret } from '../support/conversation.ts';
import { NOW, SETTINGS } from '../support/dialogue.ts';
import { either, fc } from '../support/properties.ts';

const CODES = ['TIVI000000301', 'TIVI000000302', 'TULANH000000303'];
const DENIALS =
  'bỏ X | xoá mã X đi | không phải X | không lấy X | X sai rồi | X nhầm | không dùng X | không cần X | X cũ rồi, bỏ | ' +
  'khỏi X | thôi không lấy X | X bỏ | quên mã X đi | not X | remove X | delete X please | X is wrong | without X | forget X | do not add X';
const KEPT = ', giữ Y | , Y đúng | , thêm Y |  | , keep Y | , but Y is right | , mà là Y';
const NAMES =
  'mã là X | đây X | X nhé | mình có X | here is X | X với Y | thêm X | also X, Y | X đúng rồi | ok X | gửi X';
const AROUND = ' | shop ơi | dạ | ok | thanks | cảm ơn | please | giúp mình | email a@b.vn | hmm';

/** What a text takes away from the list; a question about it takes nothing. */
function goneOf(commands: readonly TextCommand[]): readonly unknown[] {
  const gone: unknown[] = [];
  for (const one of commands) {
    if (one.do === 'remove') gone.push(...one.which);
    if (one.do === 'replace') gone.push(...one.old);
    if (one.do === 'keepOnly') gone.push('others');
  }
  return gone;
}

function sayTo(list: readonly string[], sentence: string, around: string) {
  const [x = '', y = ''] = [list[0], list[1]];
  const text = `${around} ${sentence.replaceAll('X', x).replaceAll('Y', y)}`;
  const at: Expecting = { at: 'summary', flow: 'accumulate', codes: list, buttons: () => [], references: [] };
  return { text, x, y, commands: interpret(text, at, { settings: SETTINGS, nowMs: NOW }).commands };
}
const lists = fc.shuffledSubarray(CODES, { minLength: 2 });

test('a named code is never kept against its denial, and none goes that is not named', () => {
  fc.assert(
    fc.property(lists, either(DENIALS), either(KEPT), either(AROUND), (list, denial, kept, around) => {
      const { text, x, y, commands } = sayTo(list, denial + kept, around);
      const gone = goneOf(commands);
      const isAsked = commands.some(
        (one) => one.do === 'change' || (one.do === 'remove' && gone.length === 0),
      );
      expect([text, isAsked ? [{ code: x }] : gone]).toEqual([text, [{ code: x }]]);
      expect(gone).not.toContainEqual({ code: y });
    }),
    { numRuns: 600 },
  );
});

test('a text without a word of change takes no code away', () => {
  fc.assert(
    fc.property(lists, either(NAMES), either(AROUND), (list, sentence, around) => {
      const { text, commands } = sayTo(list, sentence, around);
      expect([text, goneOf(commands)]).toEqual([text, []]);
    }),
    { numRuns: 300 },
  );
});
