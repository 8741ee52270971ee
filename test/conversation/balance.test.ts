import { expect, test } from 'vitest';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, SETTINGS, STAFF, succeed } from '../support/dialogue.ts';

const words = createWords({ timeZone: SETTINGS.timeZone });
const spoken = (chat: Dialogue): string[] => chat.replies.map((reply) => words.text(reply, 'vi'));

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
    return spoken(chat.press('confirm')).join('\n');
  };
  expect(several(false).match(/Số điểm hiện có: .*/g)).toEqual(['Số điểm hiện có: 1.260']);
  expect(several(true)).not.toContain('hiện có');
});
