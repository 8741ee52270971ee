import { z } from 'zod';
import {
  DAY_MS,
  type Days,
  dayAt,
  firstOfMonth,
  monthsBefore,
  startOfDay,
  type Unit,
  unitAt,
} from './calendar.ts';
import { fold, isAscii, isDash, isDate, remembered, type Token, unmark, type Word } from './text.ts';
import { anyOf, split, type Words } from './words.ts';

/*
 * Periods. One pattern, made of the tables of the language files (`## periods`), finds them in texts: a name ("tháng trước"),
 * so many units, a date, from one date to another. What it found is counted in days where the day is known. What is not
 * read as a whole is asked about: nothing of it is left out.
 */

/** Half-open `[fromMs, toMs)`, epoch ms; an absent end is open. */
export const periodSchema = z.strictObject({ fromMs: z.number().optional(), toMs: z.number().optional() });
export type Period = z.infer<typeof periodSchema>;

type Fault = 'period.shape' | 'period.reversed' | 'period.future' | 'period.lunar';
export type PeriodResult =
  | { readonly ok: true; readonly value: Period }
  | { readonly ok: false; readonly reason: Fault };

/** A period with a name: a unit counted from this one (`month -1`), the last so many, all, what is to come. */
type Name = { readonly call: string; readonly count: number; readonly unit: Unit };
/** A date as typed, day before month. A year of 0 is this one, -1 the last one. */
type Typed = {
  readonly day?: number | undefined;
  readonly month?: number | undefined;
  readonly year?: number | undefined;
};
type Point = Name | Typed;

/** What a text says of one period, whatever the day: all of `on`, or from and to; or why it is none. */
export type SaidPeriod = {
  /** The words that say it, folded. */
  readonly text: string;
  readonly on?: Point | undefined;
  readonly from?: Point | undefined;
  readonly to?: Point | undefined;
  readonly fault?: Fault | undefined;
};

/** The periods that buttons offer, and what they are in the tables of the languages. */
const BUTTONS = {
  '7d': 'last 7 days',
  '30d': 'last 30 days',
  month: 'month 0',
  lastMonth: 'month -1',
  all: 'all',
} as const;
export type NamedPeriod = keyof typeof BUTTONS;
export const PERIODS: readonly NamedPeriod[] = ['7d', '30d', 'month', 'lastMonth', 'all'];

export function isNamedPeriod(name: string): name is NamedPeriod {
  return PERIODS.some((period) => period === name);
}

/** The period behind a button. One that reaches into today has no end. */
export function namedPeriod(name: NamedPeriod, nowMs: number, timeZone: string): Period {
  const called = nameOf(BUTTONS[name]);
  return called ? inMs(spanNamed(called, dayAt(nowMs, timeZone)), timeZone) : {};
}

/** What was said, in days of the place. */
export function readPeriod(said: SaidPeriod, nowMs: number, timeZone: string): PeriodResult {
  const days = daysOf(said, dayAt(nowMs, timeZone));
  return typeof days === 'string' ? { ok: false, reason: days } : { ok: true, value: inMs(days, timeZone) };
}

/** A day after all that are typed, of a year that has a 29 February. */
const ANY_DAY = Date.UTC(2096, 11, 31);

/** Whether it is over, or has been going on: neither "this month" nor "tomorrow". */
export function isPast(said: SaidPeriod): boolean {
  const { on } = said;
  const isNow = on && 'call' in on && (on.call === 'all' || (on.call === 'unit' && on.count === 0));
  return !isNow && typeof daysOf(said, ANY_DAY) !== 'string';
}

/** Days `[from, to)`. An absent `to` reaches today, so that a record stamped by a fast clock is not missed. */
type Span = { readonly from?: number | undefined; readonly to?: number | undefined };

function inMs({ from, to }: Span, timeZone: string): Period {
  return {
    ...(from !== undefined && { fromMs: startOfDay(from, timeZone) }),
    ...(to !== undefined && { toMs: startOfDay(to, timeZone) }),
  };
}

function daysOf(said: SaidPeriod, today: number): Span | Fault {
  if (said.fault) return said.fault;
  const span = spanOf(said, today);
  if (!span) return 'period.shape';
  const { from, to } = span;
  if (from !== undefined && to !== undefined && from >= to) return 'period.reversed';
  return from !== undefined && from > today ? 'period.future' : span;
}

function spanOf({ on, from, to }: SaidPeriod, today: number): Span | undefined {
  if (on) return spanAt(on, today);
  if (!from) {
    const until = to && spanAt(to, today);
    return until && { to: until.to };
  }
  const [first, last] = to ? rangeOf(from, to, today) : [spanAt(from, today), {}];
  return first?.from === undefined || !last ? undefined : { from: first.from, to: last.to };
}

function spanAt(point: Point, today: number): Span | undefined {
  return 'call' in point ? spanNamed(point, today) : lastTime(point, today);
}

function spanNamed({ call, count, unit }: Name, today: number): Span {
  if (call === 'all') return {};
  if (call === 'to come') return { from: today + DAY_MS };
  if (call === 'unit') {
    const { from, to } = unitAt(unit, today, count);
    return to > today ? { from } : { from, to };
  }
  // The last so many, today among them.
  if (unit === 'day' || unit === 'week')
    return { from: today - (count * (unit === 'day' ? 1 : 7) - 1) * DAY_MS };
  return { from: monthsBefore(today, count * (unit === 'year' ? 12 : 1)) };
}

/** The day, the month or the year; undefined for dates that no calendar has. */
function datedIn(year: number, { day, month }: Typed): Days | undefined {
  if (month === undefined) return { from: Date.UTC(year, 0), to: Date.UTC(year + 1, 0) };
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) return { from: Date.UTC(year, month - 1), to: Date.UTC(year, month) };
  const from = Date.UTC(year, month - 1, day);
  return new Date(from).getUTCDate() === day && day > 0 ? { from, to: from + DAY_MS } : undefined;
}

/** Without a year, or without a month: the last time that there was such a one. */
function lastTime(date: Typed, today: number): Days | undefined {
  const thisYear = yearOf(today);
  if (date.year !== undefined) return datedIn(date.year > 0 ? date.year : thisYear + date.year, date);
  const months = [0, -1, -2].map((count) => new Date(firstOfMonth(today, count)));
  const candidates =
    date.month === undefined
      ? months.map((one) => datedIn(one.getUTCFullYear(), { ...date, month: one.getUTCMonth() + 1 }))
      : [thisYear, thisYear - 1].map((year) => datedIn(year, date));
  return candidates.find((span) => span && span.from <= today);
}

const yearOf = (day: number) => new Date(day).getUTCFullYear();

/** What one end lacks is the other's; "1/12 - 31/1" crosses New Year if that end has passed. */
function rangeOf(start: Point, end: Point, today: number): readonly (Span | undefined)[] {
  if ('call' in start || 'call' in end) return [spanAt(start, today), spanAt(end, today)];
  const first = start.month === undefined && start.day !== undefined ? { ...end, day: start.day } : start;
  if (end.year !== undefined) {
    const last = lastTime(end, today);
    const years = first.year === undefined && last ? [yearOf(last.from), yearOf(last.from) - 1] : [];
    const found = years
      .map((year) => datedIn(year, first))
      .find((one) => one && last && one.from <= last.from);
    return [years.length > 0 ? found : lastTime(first, today), last];
  }
  const from = lastTime(first, today);
  // "From 1/5 to the 10th" is all of one month.
  const isBare = from && end.day !== undefined && end.month === undefined;
  const last = isBare ? { ...end, month: new Date(from.from).getUTCMonth() + 1 } : end;
  const [same, next] = from ? [0, 1].map((more) => datedIn(yearOf(from.from) + more, last)) : [];
  const isNext = from && next && next.from <= today && (!same || same.from < from.from);
  return [from, isNext ? next : same];
}

/** The whole of `month -1`, `last 7 days`, `all`. */
const NAME =
  /^(?:(?<unit>day|week|month|quarter|year) (?<at>-?\d)|last (?<many>\d+) (?<of>day|month)s|all|to come)$/;

/** The period that a list's name stands for. */
export function nameOf(list: string): Name | undefined {
  const found = NAME.exec(list);
  if (!found) return undefined;
  const { unit, at, many, of } = found.groups ?? {};
  const call = unit ? 'unit' : many ? 'last' : list;
  return { call, count: Number(at ?? many ?? 0), unit: (unit ?? of ?? 'day') as Unit };
}

/** Finds what texts say of time. Made once. */
export type Times = {
  /** The period that a message speaks of, with all its words ("tháng trước nữa" is not last month); and the other words. */
  find(words: readonly Word<Token>[]): {
    readonly said?: SaidPeriod | undefined;
    readonly others: readonly Word<Token>[];
  };
  /** A date, a dash, "T9" or "30ngay" is taken as it was typed. */
  isLiteral(token: Pick<Token, 'text'>): boolean;
  /** Whether a folded text is the name of a period. */
  isName(text: string): boolean;
  /** Words that speak of time, for who looks for typing errors. */
  readonly words: readonly string[];
  /** What number words are worth, folded. */
  readonly numbers: ReadonlyMap<string, number>;
};

/** Units by the lists that have their words. */
const UNITS: Readonly<Record<string, Unit | 'hour'>> = {
  hours: 'hour',
  days: 'day',
  weeks: 'week',
  months: 'month',
  years: 'year',
};
/** Lists that a period may begin with, beside names and numbers. */
const BEGINS = ['from', 'to', 'past', 'of', 'months', 'years', 'ago before', 'before a day'];
/** No period that can be read has more words, nor do more of those before it matter. */
const MAX_WORDS = 20;
const MAX_BEFORE = 4;
/** No word is made of it. */
const MASK = '\u0001';

/** Patterns of the tables; the groups are the parts of a point. */
function createPatterns(words: Words) {
  const tables = [...words.periods.values()];
  const listed = (...names: readonly string[]) =>
    names.flatMap((name) => tables.flatMap((table) => split(table[name])));
  const folded = (...names: readonly string[]) => listed(...names).flatMap(words.foldings);
  const oneOf = (phrases: Iterable<string>) =>
    anyOf([...phrases].sort((one, other) => other.length - one.length));
  const any = (...names: readonly string[]) => `(?:${oneOf(folded(...names))})`;
  const worth = (name: string) =>
    new Map(
      listed(name).flatMap((pair) => {
        const [phrase = '', count] = pair.split('=').map((one) => one.trim());
        return words.foldings(phrase).map((one) => [one, Number(count)] as const);
      }),
    );
  const names = new Map(
    tables.flatMap(Object.entries).flatMap(([list, phrases]: [string, string]) => {
      const name = nameOf(list);
      const all = name ? split(phrases).flatMap(words.foldings) : [];
      return all.flatMap((one) => (name ? [[one, name] as const] : []));
    }),
  );
  const units = new Map(
    Object.entries(UNITS).flatMap(([list, unit]) => folded(list).map((one) => [one, unit] as const)),
  );
  const [numbers, months] = [worth('numbers'), worth('month names')];
  // A letter stands right beside its number: "T9", "24h".
  const [short, long] = [true, false].map((isShort) =>
    oneOf([...units.keys()].filter((one) => (one.length === 1) === isShort)),
  );
  const unit = `(?: ?(?<unit>${long})|(?<=\\d)(?<unit>${short}))`;
  const ofMonth = oneOf(folded('months').map((one) => (one.length > 2 ? `${one} ?` : `${one}\\.?(?=\\d)`)));
  const count = `(?<n>\\d{1,3}|${oneOf(numbers.keys())})`;
  const number = `(?:\\d\\d?|${oneOf(numbers.keys())})${any('ordinal endings')}?`;
  const year = '(?<y>20\\d\\d)';
  const past = [...names].flatMap(([phrase, { call, unit: of }]) =>
    call === 'unit' && of === 'year' ? phrase : [],
  );
  const inYear = `(?:(?: |/| ${any('years', 'of')} )(?:${year}|(?<yearName>${oneOf(past)})))?`;
  // "In May", "May 2026", not "dau may 2 cai".
  const [maybe, inMonth] = [any('doubtful'), `(?<=(?<![^ ])${any('before a month')} )`];
  const doubtful = folded('doubtful');
  const sure = [...months.keys()].filter((one) => !doubtful.includes(one));
  const monthName = `(?<monthName>${oneOf(sure)}|${inMonth}${maybe}|${maybe}(?=(?: ${number})? 20\\d\\d))`;
  const month = `(?:(?:${ofMonth})(?<m>${number})|${monthName})`;
  const beforeDay = `${any('before a day')} `;
  const noAmount = `(?! (?:${anyOf(words.list('amounts'))})(?![^ ]))`;
  const inDigits = [
    `${year}[/-](?<m>\\d\\d?)(?:-(?<d>\\d\\d?))?`,
    ...['/', '\\.', '-'].map((by) => `(?<d>\\d\\d?)${by}(?<m>\\d\\d?)(?:${by}(?<y>20\\d\\d|\\d\\d))?`),
    `(?<m>\\d\\d?)[/.-]${year}`,
    `(?:${any('years')} )?${year}`,
  ];
  const point = [
    `(?<name>${oneOf(names.keys())})`,
    `(?:${beforeDay})?(?:${inDigits.join('|')})${noAmount}`,
    `(?:${beforeDay})?(?<d>${number})(?: ${any('of')})? ${month}${inYear}`,
    `${monthName} (?<d>${number})(?: ${year})?`,
    `${month}${inYear}`,
    `${count}${unit} ${any('ago')}|${any('ago before')} ${count}${unit}`,
    `${beforeDay}(?<d>\\d\\d?${any('ordinal endings')}?)`,
  ].join('|');
  const plain = point.replace(/\(\?<\w+>/g, '(?:');
  const to = any('to');
  const joined = `(?: ?[\\p{Pd}~→]+ ?| (?:${to}) )`;
  const lead = `(?:${any('past', 'of')} )*`;
  const range = `(?<first>${plain}|(?:${beforeDay})?${number})${joined}(?:(?<last>${plain})|(?<now>${any('now')}))`;
  const whole = [
    `${lead}(?:(?<since>${any('from')}) )?(?:${range}|(?<on>${plain}))`,
    `(?:${to}) (?<until>${plain})`,
    `${lead}${count}${unit}(?: ${any('since')})*`,
  ].join('|');
  const alone = (pattern: string) => `(?<![^ ])(?:${pattern})(?![^ ])`;
  return {
    names,
    units,
    numbers,
    months,
    all: tables.flatMap((table) => Object.values(table)),
    listed,
    folded,
    whole: new RegExp(alone(whole), 'uy'),
    begins: firstsOf([...names.keys(), ...numbers.keys(), ...months.keys(), ...folded(...BEGINS)]),
    point: new RegExp(`^(?:${point}|(?:${beforeDay})?(?<d>${number}))$`, 'u'),
    unread: new RegExp(alone(any('unread', 'lunar')), 'gu'),
    unreadFirst: firstsOf(folded('unread', 'lunar')),
    lunar: new RegExp(alone(any('lunar')), 'u'),
    marked: new Set(folded('units')),
    before: new Set(folded('changes before', 'units')),
    after: new Set(folded('changes after', 'to')),
  };
}

export function createTimes(words: Words): Times {
  const patterns = createPatterns(words);
  const { names, units, numbers, months } = patterns;
  const written = remembered((typed: string) => typed.normalize('NFC').toLowerCase());
  /** With their marks: "quà" is no "qua", "Tuấn" no "tuần". */
  const spelt = new Set(
    [...patterns.all, ...words.written('amounts')].flatMap((phrases) => phrases.split(/[\s,=]+/)),
  );
  const onlySpelt = new Set(patterns.listed('unread as spelt'));
  const unreadNames = new Set(patterns.folded('unread'));
  const isSpelt = remembered(
    (typed: string) => isAscii(typed) || isLiteral({ text: typed }) || spelt.has(written(typed)),
  );

  function isLiteral({ text }: Pick<Token, 'text'>): boolean {
    if (!/\d/.test(text)) return isDash(text);
    return isDate({ text }) || (text.length <= 12 && wholeAt(unmark(text), 0) !== null);
  }

  function wholeAt(text: string, at: number): RegExpExecArray | null {
    patterns.whole.lastIndex = at;
    return patterns.whole.exec(text);
  }

  function numberOf(typed: string | undefined): number | undefined {
    return typed === undefined ? undefined : (numbers.get(typed) ?? Number.parseInt(typed, 10));
  }

  /** So many units; of hours, the days that they touch. */
  function counted(call: string, typed: string | undefined, called = ''): Name | undefined {
    const [count, unit] = [numberOf(typed), units.get(called)];
    if (!count || !unit) return undefined;
    if (unit === 'hour') return { call: 'last', count: Math.ceil(count / 24) + 1, unit: 'day' };
    return { call, count: call === 'unit' ? -count : count, unit };
  }

  function pointOf(text: string | undefined): Point | undefined {
    const found = text === undefined ? undefined : patterns.point.exec(text)?.groups;
    if (!found) return undefined;
    const { d, m, y, n, unit, name = '', monthName = '', yearName = '' } = found;
    if (n !== undefined) return counted('unit', n, unit);
    const year = numberOf(y) ?? names.get(yearName)?.count;
    const typed: Typed = {
      day: numberOf(d),
      month: months.get(monthName) ?? numberOf(m),
      year: year !== undefined && year > 0 && year < 100 ? 2000 + year : year,
    };
    return names.get(name) ?? typed;
  }

  /** What the groups of the pattern say. */
  function saidIn(found: Readonly<Record<string, string | undefined>>): Omit<SaidPeriod, 'text'> {
    const { until, since, first, last, on, n, unit } = found;
    if (until !== undefined) return { to: pointOf(until) };
    if (first !== undefined) return { from: pointOf(first), to: pointOf(last) };
    const point = on === undefined ? counted('last', n, unit) : pointOf(on);
    return since === undefined ? { on: point } : { from: point };
  }

  /** Only where one may begin: most texts speak of no time. */
  function foundIn(letters: readonly string[]) {
    const found: { readonly groups: Record<string, string> | undefined; readonly places: number[] }[] = [];
    for (let at = 0; at < letters.length; at++) {
      const word = letters[at] ?? '';
      if (!/\d/.test(word) && !patterns.begins.has(word)) continue;
      const before = letters.slice(Math.max(0, at - MAX_BEFORE), at);
      const near = [...before, ...letters.slice(at, at + MAX_WORDS)].join(' ');
      const one = wholeAt(near, before.join(' ').length + Math.min(before.length, 1));
      if (!one) continue;
      const places = one[0].split(' ').map((_, n) => at + n);
      found.push({ groups: one.groups, places });
      at += places.length - 1;
    }
    return found;
  }

  return {
    find(said) {
      const letters = said.map(({ text, source }) => (isSpelt(source.text) ? unmark(text) : MASK));
      const found = foundIn(letters);
      const read = new Set(found.flatMap(({ places }) => places));
      const others = letters.map((word, at) => (read.has(at) ? MASK : word));
      const isUnread = letters.some((word) => patterns.unreadFirst.has(word));
      const unread = isUnread ? placesOf(others, patterns.unread) : [];
      for (const [at, word] of letters.entries()) {
        const typed = said[at]?.source.text ?? '';
        const isUnit = read.size === 0 && patterns.marked.has(word) && !isAscii(typed);
        const isBefore = read.has(at + 1) && patterns.before.has(word);
        const isAfter = read.has(at - 1) && (patterns.after.has(word) || isDash(word));
        const isOther = onlySpelt.has(written(typed)) || isDate({ text: typed });
        if (!read.has(at) && (isUnit || isBefore || isAfter || isOther)) unread.push(at);
      }
      const taken = new Set([...read, ...unread]);
      if (taken.size === 0) return { others: said };
      const period = letters.filter((_, at) => taken.has(at)).join(' ');
      const isWhole = found.length === 1 && unread.length === 0 && !unreadNames.has(period);
      const fault = patterns.lunar.test(period) ? 'period.lunar' : 'period.shape';
      return {
        said: { text: period, ...(isWhole ? saidIn(found[0]?.groups ?? {}) : { fault }) },
        others: said.filter((_, at) => !taken.has(at)),
      };
    },
    isLiteral,
    isName: (text) => names.has(text),
    words: patterns.all.flatMap((phrases) => phrases.split(/[,=]/).map(fold)),
    numbers,
  };
}

/** The places of the words that a pattern finds: from 0. */
function placesOf(words: readonly string[], pattern: RegExp): number[] {
  const text = words.join(' ');
  let [from, at] = [0, 0];
  return [...text.matchAll(pattern)].flatMap(({ index, 0: found }) => {
    at += text.slice(from, index).split(' ').length - 1;
    from = index;
    return found.split(' ').map((_, n) => at + n);
  });
}

const firstsOf = (phrases: readonly string[]): ReadonlySet<string> =>
  new Set(phrases.map((phrase) => phrase.split(' ')[0] ?? ''));
