import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flows } from '../src/conversation/flows/index.ts';
import { LOCALES } from '../src/conversation/message.ts';
import { WORDING } from '../src/i18n.ts';
import { vocabulary } from './support/conversation.ts';
import { isCustomers } from './support/facts.ts';
import { missingWords } from './support/flow-words.ts';

type Wording = Readonly<Record<string, string>>;

/** Texts in the sources that look like keys of a known family and are none. */
const NO_KEYS: ReadonlySet<string> = new Set([
  'email.com',
  'gift.where',
  'code.wrong',
  'gift.price',
  'points.worth',
]);

/** What staff are never told: of consent, of proofs by sharing, of their own profile; what platforms show of the bot. */
const CUSTOMERS =
  /^(telegram|teams|group|person)\.|^identity\.(proofNeeded|notOwn|noEmail|unread)|^privacy\.(consent|declined|since)|^answer\.consent\./;

/** What names the attributes of spans, and says nothing to customers. */
const NO_WORDING = ['observability/tracing.ts', 'observability/metrics.ts'];

const PLACEHOLDER = /^\w+(, (number|date|datetime))?$/;
const PLURAL = /^(zero|one|two|few|many|other)$/;

/** `history.count_one` is a variant of `history.count`; the suffix is a plural form or a context. */
function baseOf(key: string): string {
  return key.split('_', 1)[0] ?? key;
}

function suffixesOf(key: string): string[] {
  return key.split('_').slice(1);
}

/** Keys that must be in every language: the plural forms differ by language, so they count as one. */
function comparable(wording: Wording): string[] {
  const keys = Object.keys(wording).map((key) => key.replace(/_(zero|one|two|few|many|other)$/, ''));
  return [...new Set(keys)].sort();
}

/** The placeholders of a key over all its plural forms: `points, number`. */
function placeholdersOf(wording: Wording, key: string): string[] {
  const forms = Object.entries(wording).filter(([one]) => comparable({ [one]: '' })[0] === key);
  const found = forms.flatMap(([, text]) =>
    [...text.matchAll(/\{\{(.*?)\}\}/g)].map(([, inner = '']) => inner),
  );
  return [...new Set(found)].sort();
}

/** What is wrong with one text by itself. */
function faultsOf(key: string, text: string): string[] {
  const emoji = text.match(/\p{Extended_Pictographic}/gu) ?? [];
  const inner = [...text.matchAll(/\{\{(.*?)\}\}/g)].map(([, one = '']) => one);
  const odd = inner.filter((one) => !PLACEHOLDER.test(one));
  return [
    ...(text.trim() === text && text !== '' ? [] : [`${key}: empty, or spaces around it`]),
    ...(emoji.length > 1 ? [`${key}: more than one emoji`] : []),
    ...(text === text.normalize('NFC') ? [] : [`${key}: not in NFC`]),
    ...odd.map((one) => `${key}: {{${one}}} is no {{name}} or {{name, format}}`),
    ...(/[{}]|\$t\(/.test(text.replace(/\{\{.*?\}\}/g, '')) ? [`${key}: stray braces or $t(`] : []),
  ];
}

/** Faults between sources and keys, in both directions. A key made at run time is a template: `flow.${flow}`. */
function usageFaults(sources: readonly string[], keys: readonly string[]): string[] {
  const literals = new Set(sources.flatMap((source) => all(source, /(['"])([^'"\n]*)\1/g, 2)));
  const named = sources.flatMap((source) => all(source, /\bkey: '([^']+)'/g, 1));
  const templates = sources
    .flatMap((source) => all(source, /`([\w.]*\$\{[^`\s]+\}[\w.]*)`/g, 1))
    .filter((template) => /^[a-z]\w*\.|\}\.\w/.test(template));
  const patterns = templates.map((template) => ({ template, pattern: patternOf(template) }));

  const bases = new Set(keys.map(baseOf));
  const families = new Set(keys.filter((key) => key.includes('.')).map((key) => key.split('.', 1)[0]));
  const looksLikeKey = (text: string) =>
    /^[a-z]\w*(\.\w+)+$/.test(text) &&
    !/\.(js|css|html)$/.test(text) &&
    families.has(text.split('.', 1)[0]) &&
    !NO_KEYS.has(text);

  const unused = keys.filter((key) => {
    const used = literals.has(baseOf(key)) || patterns.some(({ pattern }) => pattern.test(baseOf(key)));
    const reachable = suffixesOf(key).every((suffix) => PLURAL.test(suffix) || literals.has(suffix));
    return !literals.has(key) && !(used && reachable);
  });
  const unknown = [...named, ...[...literals].filter(looksLikeKey)].filter(
    (text) => !bases.has(text) && !keys.includes(text),
  );
  const idle = patterns.filter(
    ({ template, pattern }) => /^[a-z]\w*\./.test(template) && ![...bases].some((key) => pattern.test(key)),
  );
  return [
    ...unused.map((key) => `${key} is used nowhere`),
    ...[...new Set(unknown)].map((key) => `${key} has no wording`),
    ...idle.map(({ template }) => `no wording for any ${template}`),
  ];
}

/** `flow.${flow}` -> /^flow\.[^.]+$/ */
function patternOf(template: string): RegExp {
  const escaped = template.split(/\$\{.+?\}(?=[\w.]|$|\$)/).map((text) => text.replaceAll('.', '\\.'));
  return new RegExp(`^${escaped.join('[^.]+')}$`);
}

function all(source: string, pattern: RegExp, group: number): string[] {
  return [...source.matchAll(pattern)].flatMap((match) => match[group] ?? []);
}

function sources(): string[] {
  const root = new URL('../src/', import.meta.url);
  // Answers are named by the headings of the questions that they answer.
  const asked = vocabulary.examples
    .filter(({ act, isPhrase }) => !isPhrase && act.replace('ask ', 'answer.') in WORDING.vi)
    .map(({ act }) => act.replace(/^ask (.+)/, "'answer.$1'"));
  const files = globSync('**/*.ts', { cwd: root, exclude: NO_WORDING }).map((file) =>
    // Examples in comments say what no bot says.
    readFileSync(new URL(file, root), 'utf8').replace(/\/\*\*.*?\*\//gs, ''),
  );
  return [...files, asked.join('\n')];
}

describe('the wording', () => {
  const languages = LOCALES.map((locale) => [locale, WORDING[locale]] as const);
  const [[, first], ...others] = [languages[0] ?? ['none', {}], ...languages.slice(1)] as const;

  it.each(others)('%s has the keys of the first language, in the same order', (_, wording) => {
    expect(comparable(wording)).toEqual(comparable(first));
    const order = (one: Wording) => [...new Set(Object.keys(one).map(baseOf))];
    expect(order(wording)).toEqual(order(first));
  });

  it.each(others)('%s has the placeholders and formats of the first language', (_, wording) => {
    const of = (one: Wording) =>
      Object.fromEntries(comparable(one).map((key) => [key, placeholdersOf(one, key)]));
    expect(of(wording)).toEqual(of(first));
  });

  it('has for each flow, in each language, what it is called and what begins it', () => {
    expect(missingWords(flows, WORDING)).toEqual([]);
  });

  it.each(languages)(
    '%s is clean text: NFC, no spaces around, at most one emoji, known formats',
    (_, wording) => {
      expect(Object.entries(wording).flatMap(([key, text]) => faultsOf(key, text))).toEqual([]);
    },
  );

  it.each(languages)('%s has short words on its buttons', (_, wording) => {
    const labels = Object.entries(wording).filter(
      ([key, text]) =>
        /^(choice\.(?!expired$)|telegram\.(sharePhone|openChat)$|teams\.form\.send$)/.test(key) &&
        !text.includes('{{'),
    );
    expect(labels.length).toBeGreaterThan(20);
    expect(labels.filter(([, text]) => [...text].length > 20)).toEqual([]);
  });

  it.each(languages)(
    '%s speaks to staff of their customer: what says "your points" has another text for them',
    (_, wording) => {
      const spoken = Object.entries(wording).filter(([, text]) => isCustomers(text));
      const isTwin = ([key]: readonly [string, string]) =>
        `${key}_staff` in wording || `${key}Staff` in wording || CUSTOMERS.test(key);
      expect(spoken.length).toBeGreaterThan(10);
      expect(spoken.filter((one) => !isTwin(one))).toEqual([]);
    },
  );

  it('has every key that the sources use, and no other', () => {
    expect(usageFaults(sources(), Object.keys(first))).toEqual([]);
  });
});
