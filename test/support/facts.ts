import { expect } from 'vitest';
import type { Effect, ProvableValue } from '../../src/conversation/effect.ts';
import type { Locale } from '../../src/conversation/message.ts';
import type { Line, Reply } from '../../src/conversation/reply.ts';
import { localeOf } from '../../src/conversation/state.ts';
import { createWords } from '../../src/i18n.ts';
import { type Dialogue, NOW, SETTINGS } from './dialogue.ts';

/*
 * What a line of a transcript may say of an answer (`; asks email`) and of what is kept (`; codes
 * TIVI000000017`).
 */

export type Before = {
  readonly state: Dialogue['state'];
  readonly question: Reply | undefined;
};

const words = createWords({ timeZone: SETTINGS.timeZone });
/** What the bot said last, each reply as its reader sees it. */
export const shownTexts = ({ replies }: Dialogue, locale: Locale = 'vi'): readonly string[] =>
  replies.map((reply) => words.text(reply, locale));
const spoken = (chat: Dialogue): string => shownTexts(chat).join('\n');
const choicesOf = ({ replies }: Dialogue) => replies.at(-1)?.choices ?? [];
const idsOf = (chat: Dialogue): readonly string[] => choicesOf(chat).map(({ id }) => id);
const ticketOf = ({ state }: Dialogue) => state.tickets?.at(-1);
const linesOf = ({ replies }: Dialogue): readonly Line[] => replies.flatMap(({ lines = [] }) => lines);

/** Speaks of the reader's own points and data. */
export const isCustomers = (text: string): boolean =>
  /của bạn|về bạn|bạn (đang )?có (\d|\{)|bạn đồng ý|\byours?\b(?! time)|\byou (have (\d|\{)|agreed|earned)/i.test(
    text,
  );
/** Is exactly so: `none` where there is nothing, lists with blanks. */
const VALUES: Readonly<Record<string, (chat: Dialogue) => unknown>> = {
  asks: ({ question }) => question.asks,
  choices: idsOf,
  labels: (chat) =>
    choicesOf(chat)
      .map(({ label }) => words.line(label, 'vi'))
      .join(', '),
  lines: ({ question }) => question.lines?.map(nameOf),
  fields: ({ question }) =>
    question.form?.map(({ slot, value = '', reason }) =>
      `${slot}=${value}=${reason?.key ?? ''}`.replace(/=+$/, ''),
    ),
  answered: ({ last }) => (last?.question ? last.question.answer : 'no question'),
  at: ({ state }) => state.step.at,
  codes: ({ state }) => state.draft.codes,
  phone: ({ state }) => state.draft.phone?.value,
  email: ({ state: { draft } }) => (draft.email === null ? 'skipped' : draft.email?.value),
  gift: ({ state }) => state.draft.gift,
  draft: ({ state }) => Object.keys(state.draft),
  consent: ({ state: { consent } }) => (consent ? (consent.given ? 'given' : 'refused') : 'open'),
  remembers: ({ state: { profile } }) => [
    ...knownIn(profile.phone),
    ...(profile.email ? [profile.email.value] : []),
  ],
  guesses: ({ state }) => state.guesses?.refused ?? 0,
  operations: ({ state }) => state.operations.map(({ status }) => status),
  tickets: ({ state }) => state.tickets?.length ?? 0,
  ticket: (chat) => [ticketOf(chat)?.reason, ticketOf(chat)?.notes.length],
  notes: (chat) =>
    ticketOf(chat)
      ?.notes.map(({ text }) => text)
      .join(', '),
  'closed by': (chat) => ticketOf(chat)?.closed?.by ?? 'nobody',
  unclear: ({ state }) =>
    state.unclear?.map(({ text, question = '' }) => `${text} ${question}`.trim()).join(', '),
  settles: ({ last }) => last?.settled,
  escalates: ({ last }) => last?.escalated,
  reports: ({ last }) => last?.late,
  unlocks: ({ last }) =>
    last?.unlock?.map(({ customer, operation, record, awaited }) =>
      [customer, operation, record ?? (awaited && `awaits ${awaited.code}`)].join(' ').trim(),
    ),
  forgets: ({ last }) => last?.forget ?? 'nothing',
  wakes: ({ last, nowMs }) =>
    typeof last?.wakeAtMs === 'number' ? `in ${(last.wakeAtMs - nowMs) / 1000} s` : 'never',
  speaks: ({ state, sender, settings }) => localeOf(state, sender, settings.defaultLocale),
  calls: ({ question }) => question.address ?? 'bạn',
};

const TEXTS: Readonly<Record<string, readonly [read: (chat: Dialogue) => string, has: boolean]>> = {
  says: [spoken, true],
  'says not': [spoken, false],
  shows: [({ replies }) => JSON.stringify(replies), true],
  hides: [({ replies }) => JSON.stringify(replies), false],
  'keeps no': [({ state }) => JSON.stringify(state), false],
};

type Check = (chat: Dialogue, wanted: string, before: Before) => void;
const CHECKS: Readonly<Record<string, Check>> = {
  offers: (chat, wanted) => expect(idsOf(chat)).toEqual(expect.arrayContaining(wanted.split(' '))),
  lacks: (chat, wanted) => expect(idsOf(chat).filter((id) => id.startsWith(wanted))).toEqual([]),
  'has set': ({ question }, wanted) => expect(question).toMatchObject({ [wanted]: true }),
  begins: (chat, wanted) => expect(spoken(chat).slice(0, unescaped(wanted).length)).toBe(unescaped(wanted)),
  line: (chat, wanted) =>
    expect(linesOf(chat).some((line) => saysLine(line, wanted)) || linesOf(chat).map(named)).toBe(true),
  led: (chat, wanted) => expect(ticketOf(chat)?.led).toContain(wanted),
  /** `tells receipt.code TIVI000000301 scored, …`: all such lines, with their code and context. */
  tells: (chat, wanted) => {
    const [key = ''] = wanted.split(' ');
    const receipts = linesOf(chat).filter((line) => line.key === key);
    const codes = receipts.map(({ params, context }) => [params?.code, context].join(' ').trim());
    expect(`${key} ${codes.join(', ')}`).toBe(wanted);
  },
  keeps: ({ state }, wanted) => expect(state).toMatchObject(JSON.parse(wanted)),
  'keeps the draft': ({ state }, _, before) => expect(state.draft).toEqual(before.state.draft),
  'loses nothing': ({ state }, _, before) => expect(keptOf(state)).toEqual(keptOf(before.state)),
  'keeps nothing personal': ({ state }) =>
    expect(JSON.stringify(state)).not.toMatch(/912345678|867123456|minh@|garnacho@|TIVI0/),
  slept: ({ nowMs }, wanted, { state }) => expect(`${nowMs - state.lastMessageMs} ms`).toBe(wanted),
};

type Kept = Dialogue['state'];
/** All that was gathered, and where the conversation is. */
function keptOf({
  textLocale: _,
  turning: _t,
  lastMessageMs: __,
  misses: ___,
  notUnderstood: _n,
  step,
  ...rest
}: Kept) {
  const { isLast: ____, ...where } = { isLast: undefined, ...step };
  return { ...rest, step: where };
}

const unescaped = (text: string): string => text.replaceAll('\\n', '\n');

export function expectFact(chat: Dialogue, fact: string, before: Before): void {
  const name = [...Object.keys(VALUES), ...Object.keys(TEXTS), ...Object.keys(CHECKS)]
    .filter((prefix) => `${fact} `.startsWith(`${prefix} `))
    .reduce((longest, prefix) => (prefix.length > longest.length ? prefix : longest), '');
  const wanted = fact.slice(name.length + 1);
  const value = VALUES[name];
  const text = TEXTS[name];
  const check = CHECKS[name];
  if (value) expect(textOfValue(value(chat)), fact).toBe(wanted);
  else if (text)
    expect(text[0](chat).includes(unescaped(wanted)) === text[1] || text[0](chat), fact).toBe(true);
  else if (check) check(chat, wanted, before);
  else throw new Error(`nobody knows what "${fact}" is`);
}

function textOfValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(' ');
  return value === undefined || value === null || value === '' ? 'none' : String(value);
}

const knownIn = (value: ProvableValue | undefined): readonly string[] =>
  value ? [value.value, value.proved ? 'proved' : 'typed'] : [];

/** A moment in words: a local day (its midnight), its `last` millisecond, or `now`. */
function day(ms: number): string {
  if (ms === NOW) return 'now';
  if (ms === NOW - 1) return 'now last';
  const local = (at: number) => new Date(at + 7 * 3_600_000).toISOString();
  if (local(ms + 1).endsWith('T00:00:00.000Z')) return `${local(ms).slice(0, 10)} last`;
  return local(ms).replace('T00:00:00.000Z', '');
}

/** An effect in words: all that it carries, and `no-…` for what it does not. */
export function inWords(effect: Effect): readonly string[] {
  const by = 'by' in effect ? [effect.by.kind, effect.by.value] : [];
  switch (effect.kind) {
    case 'accumulate': {
      const { code, operation, name = 'no-name', phone, email } = effect;
      const [address = 'no-email', proof = 'no'] = knownIn(email);
      return ['accumulate', code, operation, name, ...knownIn(phone), address, `email-${proof}`];
    }
    case 'redeem': {
      const { gift, operation, also, outdated } = effect;
      const carried = also ? [`also=${also.value}`, `also-${also.proved ? 'proved' : 'typed'}`] : ['alone'];
      return ['redeem', gift, operation, ...by, ...carried, ...(outdated ? ['outdated'] : [])];
    }
    case 'check':
      return ['check', effect.lookup.code];
    case 'balance':
      return ['balance', ...by, ...(effect.exact ? ['exact'] : [])];
    case 'history': {
      const { type, skip, take, fromMs, toMs } = effect;
      const from = fromMs === undefined ? 'no-from' : `from=${day(fromMs)}`;
      const to = toMs === undefined ? 'no-to' : `to=${day(toMs)}`;
      return ['history', type, ...by, `skip=${skip}`, `take=${take}`, from, to];
    }
  }
}

const nameOf = ({ key, context }: Line): string => (context === undefined ? key : `${key}_${context}`);

/** A line in words: `key_context(param=value, …)`. */
export function named({ params, ...line }: Line): string {
  return params === undefined ? nameOf(line) : `${nameOf(line)}(${paramsIn(params).join(', ')})`;
}

const paramsIn = (params: NonNullable<Line['params']>): readonly string[] =>
  Object.entries(params).map(([name, value]) => `${name}=${textOf(value)}`);

function textOf(param: NonNullable<Line['params']>[string] | undefined): string {
  if (typeof param === 'number' && param > Date.UTC(2020, 0)) return day(param);
  if (typeof param !== 'object') return String(param);
  if (!('key' in param) || typeof param.key !== 'string') return String(Object.values(param)[0]);
  const line: Line = { ...param, key: param.key };
  return [nameOf(line), ...paramsIn(line.params ?? {})].join(' ');
}

/** `key`, `key_context` (`key_`: none), with `(param=value, …)`; of several keys by `/` one. */
export function saysLine(line: Line, wanted: string): boolean {
  const [, keys = '', params = ''] = /^([^(]*)(?:\((.*)\))?$/.exec(wanted) ?? [];
  const isKey = keys.split('/').some((one) => {
    const [key, context] = one.split('_');
    return key === line.key && (context === undefined || context === (line.context ?? ''));
  });
  return isKey && fieldsOf(params).every(([name, value]) => textOf(line.params?.[name]) === value);
}

export function fieldsOf(text: string): readonly (readonly [name: string, value: string])[] {
  if (text === '') return [];
  return text
    .split(/, (?=\w+=)/)
    .map((one) => [one.split('=')[0] ?? '', one.slice(one.indexOf('=') + 1)] as const);
}
