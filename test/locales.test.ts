import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { flows } from '../src/conversation/flows/index.ts';
import { LOCALES } from '../src/conversation/message.ts';
import { WORDING } from '../src/i18n.ts';
import { commands, vocabulary } from './support/conversation.ts';
import { isCustomers } from './support/facts.ts';
import { missingWords } from './support/flow-words.ts';

type Wording = Readonly<Record<string, string>>;

/**
 * What staff are never told: of consent, of proofs by sharing or by a code, of their own profile; what
 * platforms show of the bot.
 */
const CUSTOMERS =
  /^(telegram|teams|group|person)\.|^identity\.(proofNeeded|notOwn|noEmail|unread)|^privacy\.(consent|declined|since|text_code)|^answer\.consent\./;

/** `history.count_one` is a variant of `history.count`; the suffix is a plural form or a context. */
const baseOf = (key: string): string => key.split('_', 1)[0] ?? key;
const PLURAL = /_(zero|one|two|few|many|other)$/;
const placeholdersOf = (text: string): string[] => text.match(/\{\{.*?\}\}/g) ?? [];

/**
 * The keys in their order, each with its placeholders. Plural forms differ by language, so they count as one.
 */
function shapeOf(wording: Wording): [key: string, placeholders: string[]][] {
  const shape = new Map<string, Set<string>>();
  for (const [key, text] of Object.entries(wording)) {
    const one = key.replace(PLURAL, '');
    shape.set(one, (shape.get(one) ?? new Set()).union(new Set(placeholdersOf(text))));
  }
  return [...shape].map(([key, placeholders]) => [key, [...placeholders].sort()]);
}

/** What is wrong with one text by itself. */
function faultsOf([key, text]: readonly [string, string]): string[] {
  const odd = placeholdersOf(text).filter(
    (one) => !/^\{\{\w+(, (number|date|datetime|time))?\}\}$/.test(one),
  );
  return [
    ...(text.trim() === text && text !== '' ? [] : [`${key}: empty, or spaces around it`]),
    ...((text.match(/\p{Extended_Pictographic}/gu) ?? []).length > 1 ? [`${key}: more than one emoji`] : []),
    ...(text === text.normalize('NFC') ? [] : [`${key}: not in NFC`]),
    ...odd.map((one) => `${key}: ${one} is no {{name}} or {{name, format}}`),
    ...(/[{}]|\$t\(/.test(text.replace(/\{\{.*?\}\}/g, '')) ? [`${key}: stray braces or $t(`] : []),
  ];
}

const languages = LOCALES.map((locale) => [locale, WORDING[locale]] as const);

it('the wording has the same keys, in the same order, with the same placeholders in every language', () => {
  for (const [, wording] of languages) expect(shapeOf(wording)).toEqual(shapeOf(WORDING.vi));
});

it('the wording has for each flow, in each language, what it is called and what begins it, also in each menu', () => {
  expect(missingWords(flows, WORDING)).toEqual([]);
  const { 'choice.history': _, ...vi } = WORDING.vi;
  expect(missingWords(flows, { ...WORDING, vi })).toEqual(['history, vi, choice.history']);
  const names = flows.map(({ name }) => name);
  expect(commands.map(({ name }) => name)).toEqual([...names, 'language', 'privacy', 'help', 'cancel']);
});

it.each(languages)(
  'the wording %s is clean, short on buttons, and speaks to staff of their customer',
  (_, wording) => {
    const entries = Object.entries(wording);
    expect(entries.flatMap(faultsOf)).toEqual([]);
    const buttons = /^(choice\.(?!expired$)|telegram\.(sharePhone|openChat)$|teams\.form\.send$)/;
    const labels = entries.filter(([key, text]) => buttons.test(key) && !text.includes('{{'));
    expect(labels.length).toBeGreaterThan(20);
    expect(labels.filter(([, text]) => [...text].length > 20)).toEqual([]);
    // What says "your points" has another text for staff.
    const spoken = entries.filter(([, text]) => isCustomers(text));
    const isTwin = ([key]: readonly [string, string]) =>
      `${key}_staff` in wording || `${key}Staff` in wording || CUSTOMERS.test(key);
    expect(spoken.length).toBeGreaterThan(10);
    expect(spoken.filter((one) => !isTwin(one))).toEqual([]);
  },
);

it('the wording has every key that the sources name, and no other', () => {
  const root = new URL('../src/', import.meta.url);
  const source = globSync('**/*.ts', { cwd: root })
    .map((file) => readFileSync(new URL(file, root), 'utf8').replace(/\/\*\*.*?\*\//gs, ''))
    .join('\n');
  const all = (pattern: RegExp) => [...source.matchAll(pattern)].map(([, one = '']) => one);
  const literals = new Set(all(/(?<=')([\w.:]*)'/g));
  // A key made at run time: `flow.${flow}`, `${flow}.askPhone`.
  const made = all(/`([\w.]*\$\{[^`\s]+\}[\w.]*)`/g)
    .filter((template) => /^[a-z]\w*\.|\}\.\w/.test(template))
    .map(
      (template) =>
        new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\$\{.+?\}(?=[\w\\]|$|\$)/g, '[^.]+')}$`),
    );
  // Answers are named by the headings of the questions that they answer.
  const asked = new Set(vocabulary.examples.map(({ act }) => act.replace(/^ask /, 'answer.')));
  const keys = Object.keys(WORDING.vi);
  const bases = new Set(keys.map(baseOf));
  const isNamed = (key: string) =>
    literals.has(key) || asked.has(key) || made.some((pattern) => pattern.test(key));
  const isReachable = (key: string) =>
    key
      .split('_')
      .slice(1)
      .every((suffix) => PLURAL.test(`_${suffix}`) || literals.has(suffix));
  expect(keys.filter((key) => !literals.has(key) && !(isNamed(baseOf(key)) && isReachable(key)))).toEqual([]);
  expect(all(/\bkey: '([^']+)'/g).filter((key) => !bases.has(key) && !keys.includes(key))).toEqual([]);
});
