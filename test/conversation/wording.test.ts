import { describe, expect, test } from 'vitest';
import en from '../../locales/en.json' with { type: 'json' };
import vi from '../../locales/vi.json' with { type: 'json' };
import { createWords, WORDING } from '../../src/i18n.ts';
import { Dialogue, SETTINGS, TEAMS } from '../support/dialogue.ts';

test('a refused code is asked for once: in the question, not in the refusal', () => {
  expect(vi['accumulate.refused']).not.toMatch(/gửi/);
  expect(en['accumulate.refused']).not.toMatch(/send/);
});

test('the question for a code says where it stands', () => {
  expect(vi['accumulate.askCode']).toContain('in trên sản phẩm');
  expect(en['accumulate.askCode']).toContain('on the product');
});

const words = createWords({ timeZone: SETTINGS.timeZone });
const told = ({ replies }: Dialogue, locale: 'vi' | 'en'): string =>
  replies.map((reply) => words.text(reply, locale)).join('\n');

describe('the greeting', () => {
  test.each([
    ['vi', 'xin chào', /Mình là trợ lý tự động: .*tích điểm.*đổi quà.*gặp người thật: 1900 0000/],
    ['en', 'hello', /I am an automatic assistant: earn points, redeem gifts.*reach a person: 1900 0000/],
  ] as const)(
    'says in a line what answers, what it can do and how to reach a person: %s',
    (locale, text, line) => {
      expect(told(new Dialogue().text(text), locale).split('\n')).toContainEqual(expect.stringMatching(line));
    },
  );

  test('names the words for a person where there is no number', () => {
    for (const locale of ['vi', 'en'] as const)
      expect(WORDING[locale]['welcome.assistant_none']).toMatch(/gặp nhân viên|talk to a person/);
    const chat = new Dialogue(TEAMS, { supportContact: undefined }).text('xin chào');
    expect(chat.replies[0]?.lines).toEqual([{ key: 'welcome.assistant', context: 'none' }]);
  });
});
