import { expect, test } from 'vitest';
import { Dialogue, NOW } from '../support/dialogue.ts';

const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';
const remembered = () => new Dialogue().text(SUMMED).press('confirm').later(5000).press('consent:accept');

test('consent is kept with its version, time and channel', () => {
  expect(remembered().state.consent).toEqual({
    given: true,
    version: expect.any(Number),
    atMs: NOW + 5000,
    channel: 'telegram',
  });
});

test('consent is asked for once more when its text has a new meaning, and only then', () => {
  const chat = remembered();
  expect(chat.text(SUMMED).press('confirm').keys).toEqual(['accumulate.done']);
  chat.state = { ...chat.state, consent: { given: true, version: 0, atMs: NOW, channel: 'telegram' } };
  expect(chat.text(SUMMED).press('confirm').keys).toEqual(['accumulate.done', 'privacy.consent']);
  expect(JSON.stringify(chat.press('consent:decline').state)).not.toMatch(/912345678|minh@|TIVI0/);
});

test('erasing leaves the language, and nothing else', () => {
  const chat = remembered().text('English').text('/forget');
  const { locale, step, view, lastMessageMs, ...rest } = chat.state;
  expect(locale).toBe('en');
  expect(rest).toEqual({ draft: {}, profile: {}, operations: [] });
});
