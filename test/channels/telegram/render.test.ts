import { describe, expect, it } from 'vitest';
import { render } from '../../../src/channels/telegram/render.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import { choice, literal, words } from '../harness.ts';

const rowsOf = (choices: ReturnType<typeof choice>[]) =>
  render({ key: 'k', choices, view: 'v3k' }, 'vi', words).inline?.inline_keyboard.map((row) =>
    row.map((button) => button.text),
  );

describe('buttons', () => {
  it('stand two in a row where both labels are short', () => {
    expect(rowsOf([choice('a'), choice('b'), choice('c'), choice('d', 'a label that is long')])).toEqual([
      ['a', 'b'],
      ['c'],
      ['a label that is long'],
    ]);
  });

  it('stand alone for a gift and for a confirmation', () => {
    const gifts = [choice('gift:A', 'A'), choice('gift:B', 'B'), choice('cancel')];
    expect(rowsOf(gifts)).toEqual([['A'], ['B'], ['cancel']]);
    const summary = ['confirm:id', 'edit:code', 'edit:phone', 'edit:email', 'cancel'].map((id) => choice(id));
    expect(rowsOf(summary)).toEqual([['confirm:id'], ['edit:code', 'edit:phone'], ['edit:email', 'cancel']]);
  });

  it('are left out where Telegram’s 64 bytes do not hold them', () => {
    const long = choice(`gift:${'ă'.repeat(28)}`);
    expect(rowsOf([long, choice('cancel')])).toEqual([['cancel']]);
  });
});

it('asks for the phone with a contact key, the choices as keys that say their label', () => {
  const reply: Reply = { key: 'k', choices: [choice('cancel', 'Huỷ')], view: 'v', sharePhone: true };
  expect(render(reply, 'vi', words)).toEqual({
    text: 'vi:k',
    contact: {
      keyboard: [[{ text: 'vi:telegram.sharePhone', request_contact: true }], [{ text: 'Huỷ' }]],
      resize_keyboard: true,
      one_time_keyboard: true,
    },
  });
});

it('cuts what Telegram would refuse as too long, never within a character', () => {
  const { text } = render(literal(`${'x'.repeat(4095)}😀`), 'vi', words);
  expect([text.length, text.isWellFormed()]).toEqual([4096, true]);
});
