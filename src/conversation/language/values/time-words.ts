import { fold, unmark } from '../fold.ts';
import { DAY_MS } from '../zone.ts';
import { monthsBefore, type Unit, unitAt, weekdayOf } from './calendar.ts';

/*
 * The words of time: what the tables of the languages say that a phrase means.
 */

/**
 * A language's table: what is called by which phrases, with commas between. Names of spans and weekdays ("~" stands for a
 * weekday), units, numbers with what they are worth, and the small words around them, by the names below.
 */
export type PeriodTable = Readonly<Record<string, string>>;

/**
 * Days `[from, to)` as `zone.ts` writes them. An absent `to` reaches today, so that a record stamped by a fast clock is not
 * missed; an absent `from` has no beginning.
 */
export type Span = { readonly from?: number | undefined; readonly to?: number | undefined };

/** What a phrase calls: a period, and what it can tell more of what stands beside it ("tháng 9 năm ngoái"). */
export type Named = { readonly span: Span; readonly is?: Unit | 'weekday' | undefined };

/** This one (0), the last one (-1), … The one that is going on has no end. */
export function unitNamed(is: Unit, count: number, today: number): Named {
  const { from, to } = unitAt(is, today, count);
  return { span: to > today ? { from } : { from, to }, is };
}

const since = (days: number) => (today: number) => ({ span: { from: today - days * DAY_MS } });
const months = (count: number) => (today: number) => ({ span: { from: monthsBefore(today, count) } });
const unit = (is: Unit, count: number) => (today: number) => unitNamed(is, count, today);
/** Saturday and Sunday of a week; without a count the latest that has begun. */
const weekend = (count?: number) => (today: number) => {
  const [monday, before] = [unitAt('week', today, count ?? 0).from, unitAt('week', today, -1).from];
  const from = (count === undefined && monday + 5 * DAY_MS > today ? before : monday) + 5 * DAY_MS;
  return { span: { from, to: from + 2 * DAY_MS } };
};
const future = (today: number): Named => ({ span: { from: today + DAY_MS } });

type Call = (today: number) => Named;

/** The periods that buttons offer. */
export const PERIODS = ['7d', '30d', 'month', 'lastMonth', 'all'] as const;
export type NamedPeriod = (typeof PERIODS)[number];

/** The spans that a table may name; the first five have buttons. */
const CALLS: Readonly<Record<string, Call>> = {
  '7d': since(6),
  '30d': since(29),
  month: unit('month', 0),
  lastMonth: unit('month', -1),
  all: () => ({ span: {} }),
  today: unit('day', 0),
  yesterday: unit('day', -1),
  'day before': unit('day', -2),
  week: unit('week', 0),
  'last week': unit('week', -1),
  'week before': unit('week', -2),
  'month before': unit('month', -2),
  quarter: unit('quarter', 0),
  'last quarter': unit('quarter', -1),
  weekend: weekend(),
  'this weekend': weekend(0),
  'last weekend': weekend(-1),
  'two weeks': since(13),
  'half a month': since(14),
  'half a year': months(6),
  year: unit('year', 0),
  'last year': unit('year', -1),
  'year before': unit('year', -2),
  'past year': months(12),
  'to come': future,
};

/** The period behind a button. `7d` and `30d` are today and the days before it. */
export const namedSpan = (name: NamedPeriod, today: number): Span => CALLS[name]?.(today).span ?? {};

/** Reach into today by themselves: "điểm hôm nay" asks for no history. */
const PRESENT: ReadonlySet<string> = new Set(['month', 'all', 'today', 'week', 'quarter', 'year']);

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** `latest`: today counts; `last`: today does not; `this`: of this week, which may be to come. */
function weekday(day: number, which: string, today: number): Named {
  if (which === 'weekday to come') return future(today);
  const passed = weekdayOf(today) - day;
  const inWeek = ((passed % 7) + 7) % 7;
  const back = which === 'this weekday' ? passed : which === 'last weekday' && inWeek === 0 ? 7 : inWeek;
  return { ...unitNamed('day', -back, today), is: 'weekday' };
}

/** What is counted, and by which unit of the calendar. */
const UNITS: Readonly<Record<string, Unit | 'hour'>> = {
  hours: 'hour',
  days: 'day',
  weeks: 'week',
  months: 'month',
  quarters: 'quarter',
  years: 'year',
};

/** Small words: what each does stands in `period.ts`. */
const ROLES = [
  ...['from', 'to', 'between', 'now', 'and', 'of', 'whole', 'first', 'middle', 'end', 'half', 'few'],
  ...[
    'first half',
    'last half',
    'past',
    'since',
    'ago',
    'ago before',
    'daytimes',
    'noise',
    'telling',
    'lunar',
  ],
] as const;
export type Role = (typeof ROLES)[number];

/** One meaning of a phrase. */
export type Sense =
  | { readonly is: 'name'; readonly call: Call; readonly present: boolean; readonly short?: true }
  | { readonly is: 'unit'; readonly unit: Unit | 'hour' }
  | { readonly is: 'number'; readonly worth: number; readonly ordinal?: true }
  | { readonly is: 'month'; readonly month: number }
  | { readonly is: Role };

export type Phrase = {
  readonly words: readonly string[];
  readonly senses: readonly Sense[];
};

/** Phrases as the lists of a table have them. */
function listed(phrases = ''): string[] {
  return phrases
    .split(',')
    .map((phrase) => phrase.trim())
    .filter((phrase) => phrase !== '');
}

/** A folded text in the pieces that phrases are made of: letters, digits. */
export const pieces = (text: string): string[] => text.match(/[a-z]+|\d+/g) ?? [];

/** All phrases of time, by their first piece, the longest first. */
export type TimeWords = {
  readonly byFirst: ReadonlyMap<string, readonly Phrase[]>;
  readonly all: ReadonlyMap<string, Phrase>;
  /** Words that say nothing beside a period. */
  readonly small: ReadonlySet<string>;
  /** A text with the words that are others with their marks written as what they mean ("tối" is no "tới"), folded. */
  spelt(text: string): string;
};

/** `small`: what says nothing anywhere, folded. */
export function timeWords(tables: readonly PeriodTable[], small: readonly string[]): TimeWords {
  const all = new Map<string, Phrase>();
  const spelt = spelling(tables);
  /** As it is written without marks, and as `spelt` writes it. */
  const add = (phrase: string, sense: Sense) => {
    for (const key of new Set([fold(phrase), fold(spelt(phrase))].map((one) => pieces(one).join(' '))))
      if (key !== '')
        all.set(key, { words: key.split(' '), senses: [...(all.get(key)?.senses ?? []), sense] });
  };
  for (const table of tables) {
    for (const [name, call] of Object.entries(CALLS))
      for (const phrase of listed(table[name])) add(phrase, { is: 'name', call, present: PRESENT.has(name) });
    for (const [name, counted] of Object.entries(UNITS))
      for (const phrase of listed(table[name])) add(phrase, { is: 'unit', unit: counted });
    for (const role of ROLES) for (const phrase of listed(table[role])) add(phrase, { is: role });
    for (const [phrase, worth] of numbersOf(table.numbers)) add(phrase, { is: 'number', worth });
    for (const [phrase, worth] of numbersOf(table.ordinals))
      add(phrase, { is: 'number', worth, ordinal: true });
    for (const [phrase, month] of numbersOf(table['month names'])) add(phrase, { is: 'month', month });
    addWeekdays(table, add);
  }
  const byFirst = new Map<string, Phrase[]>();
  for (const phrase of all.values()) {
    const [first = ''] = phrase.words;
    byFirst.set(first, [...(byFirst.get(first) ?? []), phrase]);
  }
  for (const phrases of byFirst.values()) phrases.sort((a, b) => b.words.length - a.words.length);
  return { byFirst, all, small: new Set(small), spelt };
}

function spelling(tables: readonly PeriodTable[]): TimeWords['spelt'] {
  const spellings = new Map(tables.flatMap((table) => [...pairsOf(table.spelt)]));
  const meant = (word: string) => spellings.get(word.toLowerCase()) ?? word;
  return (text) => unmark(text.normalize('NFC').replace(/[\p{L}\p{M}]+/gu, meant));
}

function addWeekdays(table: PeriodTable, add: (phrase: string, sense: Sense) => void): void {
  for (const [day, name] of WEEKDAYS.entries()) {
    for (const written of listed(table[name]))
      for (const which of ['weekday', 'last weekday', 'this weekday', 'weekday to come'])
        for (const around of (table[which] ?? '').split(',').filter((one) => one.includes('~')))
          add(around.replace('~', written), {
            is: 'name',
            call: (today) => weekday(day, which, today),
            present: false,
          });
    for (const written of listed(table[`${name} in a week`]))
      add(written, {
        is: 'name',
        call: (today) => weekday(day, 'weekday', today),
        present: false,
        short: true,
      });
  }
}

/** `hai = 2, tư = 4`. */
function numbersOf(list: string | undefined): [phrase: string, worth: number][] {
  return [...pairsOf(list)].map(([phrase, worth]) => [phrase, Number(worth)]);
}

/** `one = other`, with commas between. */
function pairsOf(list = ''): Map<string, string> {
  const pairs = list.split(',').map((pair) => pair.split('='));
  return new Map(
    pairs.flatMap(([one = '', other]) =>
      other === undefined ? [] : [[one.trim().normalize('NFC'), other.trim()]],
    ),
  );
}
