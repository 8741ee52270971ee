import { expect, test } from 'vitest';
import type { Expecting } from '../../src/conversation/commands.ts';
import { interpret } from '../support/conversation.ts';
import { NOW, SETTINGS } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

const [A, B] = ['TIVI000000301', 'TIVI000000302'] as const;
const AT: Expecting = { at: 'summary', flow: 'accumulate', buttons: [], codes: [A, B], references: [] };

test('whatever is said of a list, every place is one of it and every code taken away was named', () => {
  const words: readonly string[] = [
    'bỏ',
    'mã',
    'số',
    'thứ',
    'hai',
    '2',
    'cuối',
    'thay',
    'bằng',
    'không',
    'phải',
    A,
    B,
    'remove',
    'last',
    '#3',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 10 }), (said) => {
      const named = [...new Set(said.filter((word) => word === A || word === B))];
      const { commands } = interpret(said.join(' '), AT, { settings: SETTINGS, nowMs: NOW });
      for (const command of commands) {
        const refs = command.do === 'remove' || command.do === 'keepOnly' ? command.which : [];
        for (const ref of command.do === 'replace' ? command.old : refs) {
          if ('code' in ref) expect(named).toContain(ref.code);
          if ('place' in ref) expect(Math.abs(ref.place)).toBeLessThan(100);
        }
      }
    }),
  );
});
