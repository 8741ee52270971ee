import { describe, expect, it } from 'vitest';
import { render } from '../../../src/channels/telegram/render.ts';
import { choice, literal, words } from '../harness.ts';

const rowsOf = (choices: ReturnType<typeof choice>[]) =>
  render({ key: 'k', choices, view: 'v3k' }, 'vi', words).inline?.inline_keyboard.map((row) =>
    row.map((button) => button.text),
  );

describe('buttons', () => {
  it.each([
    ['two in a row', [choice('a'), choice('b'), choice('c')], [['a', 'b'], ['c']]],
    [
      'alone if a label is long',
      [choice('a'), choice('b', 'a label that is long')],
      [['a'], ['a label that is long']],
    ],
    ['alone if one is a gift', [choice('gift:A', 'A'), choice('cancel')], [['A'], ['cancel']]],
    ['alone if one confirms', [choice('confirm:1', 'ok'), choice('cancel')], [['ok'], ['cancel']]],
  ])('stand %s', (_how, choices, rows) => {
    expect(rowsOf(choices)).toEqual(rows);
  });

  it('are left out where Telegram’s 64 bytes do not hold them', () => {
    const long = choice(`gift:${'ă'.repeat(28)}`);
    expect(rowsOf([long, choice('cancel')])).toEqual([['cancel']]);
  });
});

it('cuts what Telegram would refuse as too long, never within a character', () => {
  const { text } = render(literal(`${'x'.repeat(4095)}😀`), 'vi', words);
  expect([text.length, text.isWellFormed()]).toEqual([4096, true]);
});
