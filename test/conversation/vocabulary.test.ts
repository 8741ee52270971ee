import { describe, expect, it, test } from 'vitest';
import type { Expecting, Reading } from '../../src/conversation/commands.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { findHeadingFaults } from '../../src/conversation/language/headings.ts';
import { LanguageInterpreter } from '../../src/conversation/language/interpret.ts';
import { createActs } from '../../src/conversation/language/table.ts';
import { fold } from '../../src/conversation/language/tokens.ts';
import { type Example, Vocabulary } from '../../src/conversation/language/vocabulary.ts';
import { LOCALES } from '../../src/conversation/message.ts';
import { LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';
import { interpret, PERIOD_NAMES, vocabulary } from '../support/conversation.ts';

/* The language files: `locales/*.md`. They are data; here they are compiled. */

const nothing: Expecting = { place: 'nothing', buttons: () => [], codes: [], references: [] };
const reading: Reading = {
  settings: { gifts: [], codePrefixes: [], timeZone: 'UTC' },
  nowMs: Date.UTC(2026, 10, 25),
};

/** Examples that stand under two commands: both lines. */
function claimedTwice(vocabulary: Vocabulary): string[] {
  const seen = new Map<string, Example>();
  return vocabulary.examples.flatMap((example) =>
    vocabulary.foldings(example.text).flatMap((phrase) => {
      const before = seen.get(phrase) ?? example;
      seen.set(phrase, before);
      const place = ({ locale, line, act, text }: typeof example) =>
        `${locale}.md:${line} "${text}" is ${act}`;
      return before.act === example.act ? [] : [`${place(before)}, and ${place(example)}`];
    }),
  );
}

describe('the language files', () => {
  test('have lines for each command in each language, and each language has its name and its wish', () => {
    const acts = new Set(vocabulary.examples.map(({ act }) => act));
    const lacking = LOCALES.flatMap((locale) => {
      const covered = new Set(
        vocabulary.examples.flatMap((example) => (example.locale === locale ? example.act : [])),
      );
      const named = LOCALES.map((one) => [`locales/${one}.json`, WORDING[one]] as const);
      return [
        ...(LANGUAGE_TEXTS.some((file) => file.locale === locale) ? [] : [`locales/${locale}.md`]),
        ...[...acts, `speak ${locale}`].flatMap((act) =>
          covered.has(act) ? [] : `locales/${locale}.md: ${act}`,
        ),
        ...named.flatMap(([file, words]) =>
          words?.[`choice.language:${locale}`] ? [] : `${file}: choice.language:${locale}`,
        ),
      ];
    });
    expect(lacking).toEqual([]);
  });

  test('have no example under two commands, nor among small words or periods', () => {
    expect(claimedTwice(vocabulary)).toEqual([]);
    const others = new Set([...vocabulary.list('small'), ...PERIOD_NAMES.map(fold)]);
    expect(vocabulary.examples.filter(({ text }) => others.has(fold(text)))).toEqual([]);
  });

  test('say below each heading, in the same words, what belongs there', () => {
    const [vi, en] = LANGUAGE_TEXTS.map(({ text }) =>
      text
        .split(/^## /m)
        .slice(1)
        .map((part) => part.split('\n'))
        .map(([name = '', , about = '']) => ({ name, about })),
    );
    const sentenceOf = (all: typeof vi, wanted: string) => all?.find(({ name }) => name === wanted)?.about;
    for (const { name, about } of [...(vi ?? []), ...(en ?? [])]) {
      if (['words', 'periods', 'address', 'heard'].includes(name)) continue;
      expect([name, about]).toEqual([name, expect.stringMatching(/^[A-Z].*\.$/)]);
      if (sentenceOf(vi, name) && sentenceOf(en, name))
        expect(sentenceOf(en, name)).toBe(sentenceOf(vi, name));
    }
  });

  test('have at least twelve examples of each usual question in each language', () => {
    const usual = vocabulary.examples.filter(({ act }) => act.startsWith('ask '));
    const all = Map.groupBy(usual, ({ act, locale }) => `${locale} ${act}`);
    for (const [name, { length }] of all) expect([name, Math.min(length, 12)]).toEqual([name, 12]);
  });

  test('have no yes among the examples of another command', () => {
    const summary: Expecting = { ...nothing, place: 'summary', flow: 'accumulate', codes: ['TIVI000000017'] };
    const saysYes = (text: string) =>
      interpret(text, summary, reading).commands.some((command) => command.do === 'yes');
    const others = vocabulary.examples.filter(({ act, text }) => act !== 'yes' && saysYes(text));
    // "Ok, cảm ơn" is a yes, too, where something is asked.
    expect(others.filter(({ act }) => act !== 'talk thanks')).toEqual([]);
    expect(
      vocabulary.examples.filter(({ act, text }) => act === 'yes' && !saysYes(text)).map(({ text }) => text),
    ).toEqual([]);
  });
});

test('a new language is understood by its file alone', () => {
  const file =
    '## start points/- mala kuna/## start redeem/- tifo/## yes/- jo/## talk greeting/- salo/## ask fee/- kolo vanu ti/' +
    '## words/polite: pla, ti/asks last: ti/## periods/week -1: sema vora/months: luno/numbers: du = 2/beside a period: in';
  const interpreter = new LanguageInterpreter({
    vocabulary: new Vocabulary([{ locale: 'xx', text: file.replaceAll('/', '\n') }]),
    flows,
    commands: new Map([['kuna', 'start points']]),
    answers: [],
    answered: new Set(['fee']),
  });
  const asked: Expecting = { ...nothing, place: 'slot', flow: 'history', kind: 'period' };
  const commandIn = (text: string, at = nothing) => interpreter.interpret(text, at, reading).commands[0];
  expect(commandIn('mala kuna')).toMatchObject({ do: 'start', flow: 'points' });
  expect(commandIn('Mala kuna pla!')).toMatchObject({ do: 'start', flow: 'points' });
  expect(commandIn('/kuna')).toMatchObject({ do: 'start', flow: 'points' });
  expect(commandIn('tifo')).toMatchObject({ do: 'start', flow: 'redeem' });
  expect(commandIn('salo')).toMatchObject({ do: 'talk', about: 'greeting' });
  expect(commandIn('kolo vanu ti')).toMatchObject({ do: 'ask', about: 'answer', id: 'fee' });
  expect(commandIn('jo pla')).toMatchObject({ do: 'yes' });
  expect(commandIn('0912345678')).toMatchObject({ do: 'set', slot: 'phone', value: '+84912345678' });
  const from = (day: string) => ({ do: 'period', period: { fromMs: Date.parse(day) } });
  expect(commandIn('sema vora', asked)).toMatchObject(from('2026-11-16'));
  expect(commandIn('in du luno', asked)).toMatchObject(from('2026-09-25'));
});

describe('a heading that is no act', () => {
  const acts = createActs(['accumulate', 'points'], ['parking']);
  const faultsOf = (text: string) => findHeadingFaults(new Vocabulary([{ locale: 'en', text }]), acts);

  it('is a fault that names the file, the line, the heading and the one that may be meant', () => {
    expect(faultsOf('# English\n\n## start point\n- my points')).toEqual([
      expect.stringMatching(/^locales\/en\.md:3: "start point" is no act: did you mean "start points"\?/),
    ]);
    expect(faultsOf('## (alone)\n- ok')).toEqual([
      expect.stringMatching(/^locales\/en\.md:1: "\(alone\)" is no act\. Give it a row in src/),
    ]);
  });

  it('is none of a flow, of a question of the operator, nor of word lists', () => {
    const names = ['start points', 'ask parking', 'ask fee', 'words', 'periods', 'address', 'heard'];
    expect(faultsOf(names.map((name) => `## ${name}`).join('\n'))).toEqual([]);
  });

  it('keeps the bot from starting', () => {
    const text = '## start pints\n- my points';
    const create = () =>
      new LanguageInterpreter({
        vocabulary: new Vocabulary([{ locale: 'en', text }]),
        flows,
        commands: new Map(),
        answers: [],
        answered: new Set(),
      });
    expect(create).toThrow('locales/en.md:1: "start pints" is no act: did you mean "start points"?');
  });
});
