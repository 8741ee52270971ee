import { describe, expect, test } from 'vitest';
import { Dialogue } from '../support/dialogue.ts';

/** A chat while AntCRM is known to be out of reach. */
function chat(): Dialogue {
  const dialogue = new Dialogue();
  dialogue.serviceUp = false;
  return dialogue;
}

describe('while AntCRM is out of reach', () => {
  test.each([
    'tích điểm',
    'tích điểm TIVI000000017 0912345678 minh@example.vn',
    'TIVI000000017',
    'đổi quà',
    'đổi quà DAUMAY01',
    'lịch sử',
    'điểm của tôi',
  ])('"%s" is told so before anything is asked for, and nothing is called', (text) => {
    const said = chat().text(text);
    expect(said.keys).toEqual(['service.unavailable']);
    expect(said.question.asks).toBe('menu');
    expect(said.effects).toEqual([]);
    expect(said.state.draft).toEqual({});
  });

  test('so are deep links, forms and buttons', () => {
    expect(chat().send({ kind: 'start', payload: 'TIVI000000017' }).keys).toEqual(['service.unavailable']);
    expect(chat().send({ kind: 'form', code: 'TIVI000000017' }).keys).toEqual(['service.unavailable']);
    expect(chat().send({ kind: 'start' }).press('redeem').keys).toEqual(['service.unavailable']);
  });

  test('help, language, privacy and forgetting work all the same', () => {
    for (const [text, key] of [
      ['trợ giúp', 'help'],
      ['English', 'language.done'],
      ['/privacy', 'privacy.text'],
      ['/forget', 'privacy.erased'],
    ] as const)
      expect(chat().text(text).keys).toEqual([key]);
  });

  test('who has given everything already may confirm: that is tried, and keeps what was given', () => {
    const dialogue = new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    dialogue.serviceUp = false;
    dialogue.answers = () => ({ kind: 'unavailable', operation: 'K7M2Q9X001' });
    expect(dialogue.press('confirm').keys).toEqual(['service.unavailable', 'accumulate.summary']);
  });

  test('all works again as soon as it is back', () => {
    const dialogue = chat().text('tích điểm');
    dialogue.serviceUp = true;
    expect(dialogue.text('tích điểm').keys).toEqual(['accumulate.askCode']);
  });
});
