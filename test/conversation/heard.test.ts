import { expect, test } from 'vitest';
import { conversation, misunderstoodOnce } from '../support/conversation.ts';
import { Dialogue, SETTINGS, STAFF, TELEGRAM } from '../support/dialogue.ts';
import { sentencesOf } from '../support/sentences.ts';

/*
 * Sentences that somebody wrote who had not seen the vocabulary: `## heard` of the language files and
 * `test/language/heard.txt`, two random halves of 300. Each has the question that it answers (`QUESTIONS`,
 * with `@staff` where staff write) and what a good shop assistant takes it for: commands in words, `;`
 * between those that belong together. A meaning that is offered as a button counts, too. The model learns the
 * sentences of the language files.
 */

const TIVI = 'TIVInpmx8b98pfg';
const PHONE = '0867123456';
const RICE_COOKER = { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000 };

const begin = (chat: Dialogue, choice: string) => chat.send({ kind: 'choice', choice });
const earn = (chat: Dialogue, ...values: readonly string[]) =>
  values.reduce((asked, value) => asked.text(value), begin(chat, 'accumulate'));
const read = (chat: Dialogue, choice: string) =>
  chat.sender.proof === 'token' ? begin(chat, choice).text(PHONE) : begin(chat, choice).shareOwnPhone();

/** What is asked, and how it is reached: by presses and by values that leave no doubt. */
const QUESTIONS: Readonly<Record<string, (chat: Dialogue) => Dialogue>> = {
  nothing: (chat) => chat,
  code: (chat) => earn(chat),
  phone: (chat) => earn(chat, TIVI),
  email: (chat) => earn(chat, TIVI, PHONE),
  earn1: (chat) => earn(chat, TIVI, PHONE, 'garnacho@gmail.com'),
  earn2: (chat) => earn(chat, `${TIVI} TULANH000000123`, `${PHONE} a@example.vn`),
  gift: (chat) => read(chat, 'redeem'),
  redeem: (chat) => read(chat, 'redeem').press('gift:DAUMAY01'),
  'doubt.code': (chat) => earn(chat, 'TIVl000000001'),
  'doubt.phone': (chat) => earn(chat, TIVI, '01667123456'),
  'doubt.email': (chat) => earn(chat, TIVI, PHONE, 'garnacho@gmial.com'),
  page: (chat) => read(chat, 'history:point'),
  page2: (chat) => read(chat, 'history:point').press('next'),
  period: (chat) => read(chat, 'history:point').text('32/13/2026'),
  consent: (chat) => begin(chat.shareOwnPhone(), 'points'),
};

/** Days in place of times, and no punctuation of JSON: `period 2026-10-01 2026-11-01`. */
function commandsOf(question: string, text: string): readonly string[] {
  const [name = '', staff] = question.split('@');
  const chat = new Dialogue(staff ? STAFF : TELEGRAM, { gifts: [...SETTINGS.gifts, RICE_COOKER] }).send({
    kind: 'start',
  });
  const { state } = QUESTIONS[name]?.(chat) ?? expect.fail(question);
  const dayOf = (ms: string) => new Date(Number(ms) + 7 * 3_600_000).toISOString().slice(0, 10);
  const { commands = '' } = conversation.explain(text, state, chat.context());
  const plain = commands.replace(/"\w+":|[[\]{}"]/g, '').replace(/\b\d{13}\b/g, dayOf);
  return plain.split(' · ').map((command) => command.replace(/[ ,]+/g, ' ').replace(/ true$|^ | $/g, ''));
}

/** Whether all of it was said, or offered. */
const isUnderstood = (commands: readonly string[], expected: string) =>
  expected
    .split('; ')
    .every((wanted) =>
      commands.some(
        (command) => command === wanted || (/^unclear/.test(command) && command.includes(wanted)),
      ),
    );
/** What confirms, ends or takes away, and is not what was expected. */
const isHarm = (commands: readonly string[], expected: string) =>
  commands.some(
    (one) => /^(yes|use|cancel|keepOnly|remove .|replace .* )/.test(one) && !expected.includes(one),
  );

/** The sentences that are taken for something else. */
function misheard(rows: readonly (readonly string[])[]) {
  return rows.flatMap(([text = '', result = '']) => {
    const [, expected = '', question = ''] = /^(.*) \((.*)\)$/.exec(result) ?? [];
    const commands = commandsOf(question, text);
    expect([text, commands, isHarm(commands, expected)]).toEqual([text, commands, false]);
    return isUnderstood(commands, expected) ? [] : [`"${text}" is ${result}, not ${commands.join('; ')}`];
  });
}

test.each([
  ['that the language files have', misunderstoodOnce.map((sentence) => sentence.split(' → ')), 0.05],
  ['that they have not', sentencesOf('heard.txt'), 0.1],
])(
  'sentences %s are understood or offered, except a few; none confirms, ends or takes away',
  (_, rows, few) => {
    const wrong = misheard(rows);
    expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual(few * rows.length);
    expect(rows.length).toBeGreaterThanOrEqual(135);
  },
);
