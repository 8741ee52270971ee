import { expect, test } from 'vitest';
import { talkOfList } from '../support/conversation.ts';
import { fc } from '../support/properties.ts';

const [A, B] = ['TIVI000000301', 'TIVI000000302'] as const;

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
      const { away, places } = talkOfList(said.join(' '), named);
      expect(away.filter((code) => !named.some((one) => one === code))).toEqual([]);
      for (const ref of places) expect('place' in ref && Math.abs(ref.place) < 100).toBe(true);
    }),
  );
});
