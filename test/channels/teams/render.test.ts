import { describe, expect, it } from 'vitest';
import { render } from '../../../src/channels/teams/render.ts';
import { LOCALES } from '../../../src/conversation/message.ts';
import type { FormField, Reply } from '../../../src/conversation/reply.ts';
import { createWords } from '../../../src/i18n.ts';
import { Dialogue, TEAMS } from '../../support/dialogue.ts';
import { choice, literal, words } from '../harness.ts';
import { elements } from './harness.ts';

const cardOf = (reply: Reply) => render(reply, 'vi', words).attachments?.[0]?.content;
const texts = (card: unknown) => elements(card, 'TextRun').map(({ text }) => text);
const actions = (card: unknown) => elements(card, 'Action.Submit');

/**
 * All that Adaptive Cards 1.2 has of what we use: mobile clients know no other element, and parse no Markdown
 * in these.
 */
const ELEMENTS_1_2 = 'AdaptiveCard RichTextBlock Image TextRun Input.Text ActionSet Action.Submit'.split(' ');

describe('a card', () => {
  it('has the text, the picture named by its first line, and buttons that carry choice and view', () => {
    const url = 'https://shop.example/loa.jpg';
    const reply = { key: 'ask', image: url, lines: [literal('Loa')], choices: [choice('next', 'Next')] };
    const card = cardOf({ ...reply, view: 'v1' });
    expect([texts(card), card.version]).toEqual([['vi:ask', 'Loa'], '1.2']);
    expect(elements(card, 'Image')).toMatchObject([{ url, altText: 'Loa' }]);
    expect(actions(card)).toEqual([{ type: 'Action.Submit', title: 'Next', data: { choice: 'next~v1' } }]);
  });

  it('has a form’s fields with label, known value and reason, the other buttons, and nothing but plain elements', () => {
    const form: FormField[] = [
      { slot: 'code', required: true, value: 'a b', reason: literal('no code') },
      { slot: 'phone', required: true },
      { slot: 'email', required: false },
    ];
    const card = cardOf({ key: 'ask', form, choices: [choice('cancel')], view: 'v1' });
    const inputs = elements(card, 'Input.Text').map(({ id, value = '' }) => `${id} ${value}`);
    expect(inputs).toEqual(['code a b', 'phone ', 'email ']);
    const labels = ['title', 'label_code', 'no code', 'label_phone', 'label_email'];
    expect(texts(card).map((text) => String(text).replace('vi:teams.form.', ''))).toEqual(labels);
    expect(actions(card)).toMatchObject([
      { title: 'vi:teams.form.send', data: { form: 'v1' } },
      { data: { choice: 'cancel~v1' } },
    ]);
    const types = elements(card).map(({ type }) => String(type));
    expect(types.filter((type) => !ELEMENTS_1_2.includes(type))).toEqual([]);
  });

  it('keeps no more than six buttons together, and stays small: with too many it is a text', () => {
    const choices = (length: number) =>
      Array.from({ length }, (_, at) => choice(`gift:${at}`, 'ạ'.repeat(50)));
    const sets = elements(cardOf({ key: 'ask', choices: choices(14) }), 'ActionSet');
    expect(sets.map((set) => actions(set).length)).toEqual([6, 6, 2]);
    expect(render({ key: 'ask', choices: choices(150) }, 'vi', words)).toMatchObject({ text: 'vi:ask' });
  });
});

const TEXTS = [
  'xin chào',
  'tích điểm',
  'TIVI000000017 0912345678 không có email',
  'đổi quà',
  'ngôn ngữ',
  'qwe rty',
];

it.each(LOCALES)('a button of the bot in %s can be typed instead', (locale) => {
  const named = createWords({ timeZone: 'Asia/Ho_Chi_Minh' });
  for (const text of [...TEXTS, 'lịch sử tích điểm']) {
    const reach = () => new Dialogue({ ...TEAMS, locale }).text(text);
    const { choices = [], view } = reach().replies.at(-1) ?? {};
    // What spends, and what is kept of a customer, wants a press.
    const typed = choices.filter(({ id }) => !/^(confirm|consent|forget|erase)\b/.test(id));
    expect(typed).not.toEqual([]);
    for (const { id, label } of typed) {
      const name = named.line(label, locale);
      const pressed = reach().send({ kind: 'choice', choice: id, view });
      expect([name, ...reach().text(name).keys]).toEqual([name, ...pressed.keys]);
    }
  }
});
