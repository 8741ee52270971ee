import { expect, test } from 'vitest';
import type { Sender } from '../../src/conversation/message.ts';
import { localeOf } from '../../src/conversation/state.ts';
import { Dialogue, TELEGRAM } from '../support/dialogue.ts';

const { locale: _, ...UNKNOWN } = TELEGRAM;
const answered = (sender: Sender, ...texts: string[]) => {
  const chat = new Dialogue(sender);
  for (const text of texts) chat.text(text);
  return localeOf(chat.state, sender, 'vi');
};

test.each([
  ['hello', 'en'],
  ['hi', 'en'],
  ['good morning', 'en'],
  ['points', 'en'],
  ['history', 'en'],
  ['redeem', 'en'],
  ['last week', 'en'],
  ['help', 'en'],
  ['chào', 'vi'],
  ['chao shop', 'vi'],
  ['quà', 'vi'],
  ['diem', 'vi'],
  ['lich su', 'vi'],
  ['ok', 'vi'],
  ['TIVI000000101', 'vi'],
  ['0867123456', 'vi'],
  ['/start', 'vi'],
] as const)('the first word of somebody whose language is not known: %s', (text, locale) => {
  expect(answered(UNKNOWN, text)).toBe(locale);
});

test('"hello" tells no language where one is known: by the client, by what was written before, by choice', () => {
  expect(answered(TELEGRAM, 'hello')).toBe('vi');
  expect(answered({ ...TELEGRAM, locale: 'en' }, 'ok')).toBe('en');
  expect(answered(UNKNOWN, 'chào shop', 'hello')).toBe('vi');
  expect(answered(UNKNOWN, 'tiếng Việt', 'hello')).toBe('vi');
  expect(answered(UNKNOWN, 'hello', 'chào')).toBe('vi');
  expect(answered(UNKNOWN, 'hello', 'TIVI000000101')).toBe('en');
});

test.each(['points', 'history', 'my gifts', 'last week'])(
  'a word of one language decides, whatever the client is: %s',
  (text) => {
    expect(answered(TELEGRAM, text)).toBe('en');
    expect(answered(TELEGRAM, text, 'quà')).toBe('vi');
    expect(answered(TELEGRAM, 'Tiếng Việt', text)).toBe('vi');
  },
);
