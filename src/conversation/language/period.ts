import { DAY_MS, type Days, lastUnits, type Span, spanNamed, startOf, unitAt } from '../values/calendar.ts';
import type { Word } from './lists.ts';
import { datesIn, fold, isDate, unmark } from './tokens.ts';
import { indexPhrases, type PhraseIndex, type PhraseMatch, phraseAt, type Vocabulary } from './vocabulary.ts';

/*
 * Reads periods: "tháng trước", "10 ngày qua", "1/8 - 31/8", "from May to July 2026". The customer is asked
 * about a period that cannot be read completely.
 */

type PeriodFault = 'period.shape' | 'period.reversed' | 'period.future';

/** A date as typed. A missing part is the other end's, or makes the date the latest one possible. */
type Dated = {
  readonly day?: number | undefined;
  readonly month?: number | undefined;
  readonly year?: number | undefined;
};
/** An end of a period; `isNow`: "this month", "all". */
type Point = { readonly span: Span; readonly isNow?: boolean } | { readonly date: Dated };

/** The day, the month or the year; undefined for dates that no calendar has. */
function datedIn(year: number, { day, month }: Dated): Days | undefined {
  if (month === undefined) return { from: Date.UTC(year, 0), to: Date.UTC(year + 1, 0) };
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) return { from: Date.UTC(year, month - 1), to: Date.UTC(year, month) };
  const from = Date.UTC(year, month - 1, day);
  return new Date(from).getUTCDate() === day && day > 0 ? { from, to: from + DAY_MS } : undefined;
}

const yearOf = (day: number) => new Date(day).getUTCFullYear();
const monthOf = (day: number) => new Date(day).getUTCMonth() + 1;

/** Without a year, or without a month: the last time that there was such a one. */
function lastTime(date: Dated, today: number): Days | undefined {
  if (date.year !== undefined) return datedIn(date.year, date);
  const months = [0, -1, -2].map((count) => startOf('month', today, count));
  const candidates =
    date.month === undefined
      ? months.map((month) => datedIn(yearOf(month), { ...date, month: monthOf(month) }))
      : [0, 1].map((before) => datedIn(yearOf(today) - before, date));
  return candidates.find((days) => days && days.from <= today);
}

const spanOf = (point: Point, today: number) => ('span' in point ? point.span : lastTime(point.date, today));

/** The days between two points: "1 - 5/11" lacks a month, "1/12 - 31/1" crosses New Year. */
function between(first: Point, last: Point, today: number): Span | undefined {
  if ('span' in first || 'span' in last) {
    const from = spanOf(first, today);
    const to = spanOf(last, today);
    return from && to && { from: from.from, to: to.to };
  }
  const { day, month = first.date.month, year = first.date.year } = last.date;
  const to = lastTime({ day, month, year }, today);
  if (!to) return undefined;
  const start = { day: first.date.day, month: first.date.month ?? monthOf(to.from) };
  const isCrossing = first.date.year === undefined && start.month > monthOf(to.from);
  const from = datedIn((first.date.year ?? yearOf(to.from)) - (isCrossing ? 1 : 0), start);
  return from && { from: from.from, to: to.to };
}

/** A period in a text: its days, or what is wrong. `isPast`: it is over. */
export type ParsedPeriod = {
  readonly span?: Span | undefined;
  readonly fault?: PeriodFault | undefined;
  readonly isPast: boolean;
};

const UNITS = { days: 'day', weeks: 'week', months: 'month', years: 'year' } as const;

/** The words of time of the language files. */
export type Calendar = {
  readonly vocabulary: Vocabulary;
  readonly names: PhraseIndex<string>;
  readonly ordinal: RegExp;
  /** The first words of all phrases of time, numbers in digits aside. */
  readonly openings: ReadonlySet<string>;
  /** The first words of names and units: a period without digits has one of them. */
  readonly cores: ReadonlySet<string>;
};

/** Lists that a period has a word of, unless it is a name or in digits. */
const CORES = ['days', 'weeks', 'months', 'quarters', 'years', 'month names', 'unread'];

export function createCalendar(vocabulary: Vocabulary): Calendar {
  const named = vocabulary.lists.map(({ name }) => name).filter((name) => spanNamed(name, 0) !== undefined);
  const lists = vocabulary.lists.flatMap(({ section, name }) => (section === 'periods' ? name : []));
  const phrases = [...new Set([...lists, ...named])].flatMap((name) => vocabulary.list(name));
  const firstWords = (some: readonly string[]) => new Set(some.map((phrase) => phrase.split(' ')[0] ?? ''));
  return {
    vocabulary,
    openings: firstWords(phrases),
    cores: firstWords([...named, ...CORES].flatMap((name) => vocabulary.list(name))),
    names: indexPhrases(named.flatMap((name) => vocabulary.list(name).map((phrase) => [phrase, name]))),
    ordinal: new RegExp(`^(\\d{1,3})(?:${vocabulary.list('ordinal endings').join('|')})?$`),
  };
}

type TimedWords = { readonly calendar: Calendar; readonly words: readonly string[]; readonly today: number };

const listAt = ({ calendar, words }: TimedWords, list: string, at: number) =>
  phraseAt(calendar.vocabulary.index(list), words, at);
/** The place behind a phrase of a list; the same place where none stands there. */
const skip = (line: TimedWords, list: string, at: number): number => listAt(line, list, at)?.to ?? at;
const nameAt = ({ calendar, words }: TimedWords, at: number) => phraseAt(calendar.names, words, at);
const isDash = ({ words }: TimedWords, at: number) => /^[\p{Pd}~→]+$/u.test(words[at] ?? '');

/** "5", "năm", "mười một", "5th". */
function numberAt(line: TimedWords, at: number): PhraseMatch<number> | undefined {
  const digits = line.calendar.ordinal.exec(line.words[at] ?? '')?.[1];
  return digits === undefined ? listAt(line, 'numbers', at) : { value: Number(digits), to: at + 1 };
}

/** "2023", "năm 2023", "năm ngoái". */
function yearAt(line: TimedWords, at: number): PhraseMatch<number> | undefined {
  const name = nameAt(line, at);
  const [, before] = /^year (-?\d)$/.exec(name?.value ?? '') ?? [];
  if (name && before) return { value: yearOf(line.today) + Number(before), to: name.to };
  const from = skip(line, 'years', skip(line, 'beside a period', at));
  const isYear = /^20\d\d$/.test(line.words[from] ?? '');
  return isYear ? { value: Number(line.words[from]), to: from + 1 } : undefined;
}

/** "Tháng 8", "tháng tám", "tháng 8/2023", "August"; with the year that may follow. */
function monthAt(line: TimedWords, at: number): PhraseMatch<Dated> | undefined {
  const from = skip(line, 'months', at);
  const digits = from > at ? digitsAt(line, from) : undefined;
  if (digits) return digits.value.day === undefined ? digits : undefined;
  const month = from > at ? numberAt(line, from) : listAt(line, 'month names', at);
  const year = month && yearAt(line, month.to);
  const isSure = year !== undefined || listAt(line, 'before a month', at - 1) !== undefined;
  // "May 2026", "in May", not "dau may".
  if (!month || (from === at && !isSure && listAt(line, 'doubtful', at))) return undefined;
  return { value: { month: month.value, year: year?.value }, to: year?.to ?? month.to };
}

/** "1/8", "1.8.2023", "8/2023", "2023-08-31". */
function digitsAt({ words }: TimedWords, at: number): PhraseMatch<Dated> | undefined {
  const word = words[at] ?? '';
  if (!isDate(word)) return undefined;
  const parts = word.split(/[/.-]/).map(Number);
  const [day, month, year] = /^20\d\d/.test(word) ? parts.reverse() : parts;
  // "8/2023", "2023-08".
  if ((month ?? 0) > 2000) return { value: { month: day, year: month }, to: at + 1 };
  return { value: { day, month, year: year !== undefined && year < 100 ? 2000 + year : year }, to: at + 1 };
}

/** A date: "1/8", "15 tháng 8", "5th of November 2026", "Nov 5", "tháng 8", "2023", "ngày 15". */
function dateAt(line: TimedWords, at: number): PhraseMatch<Dated> | undefined {
  const from = skip(line, 'before a day', at);
  const digits = digitsAt(line, from);
  if (digits) return digits;
  const day = numberAt(line, from);
  const month = day && monthAt(line, skip(line, 'beside a period', day.to));
  if (day && month) return { value: { ...month.value, day: day.value }, to: month.to };
  const whole = monthAt(line, at);
  const behind = whole && listAt(line, 'month names', at) && numberAt(line, whole.to);
  if (whole && behind) return { value: { ...whole.value, day: behind.value }, to: behind.to };
  if (whole) return whole;
  const year = yearAt(line, at);
  if (year && !nameAt(line, at)) return { value: { year: year.value }, to: year.to };
  const isDay = from > at && /^\d/.test(line.words[from] ?? '');
  return day && isDay ? { value: { day: day.value }, to: day.to } : undefined;
}

/** A number of units ("10 ngày", "2 months ago"), or a quarter ("quý 1 năm 2025"). */
function unitsAt(line: TimedWords, at: number): PhraseMatch<Point> | undefined {
  const quarter = skip(line, 'quarters', at);
  if (quarter > at) return quarterAt(line, quarter);
  const from = skip(line, 'ago before', at);
  const number = numberAt(line, from);
  if (!number?.value) return undefined;
  for (const [list, unit] of Object.entries(UNITS)) {
    const to = skip(line, list, number.to);
    if (to === number.to) continue;
    const behind = skip(line, 'ago', to);
    const isAgo = from > at || behind > to;
    const span = isAgo ? unitAt(unit, line.today, -number.value) : lastUnits(number.value, unit, line.today);
    return { value: { span }, to: behind };
  }
  return undefined;
}

function quarterAt(line: TimedWords, at: number): PhraseMatch<Point> | undefined {
  const quarter = numberAt(line, at) ?? listAt(line, 'roman numbers', at);
  if (!quarter || quarter.value < 1 || quarter.value > 4) return undefined;
  const year = yearAt(line, quarter.to);
  const first = lastTime({ month: quarter.value * 3 - 2, year: year?.value }, line.today);
  const span = first && { from: first.from, to: startOf('quarter', first.from, 1) };
  return span && { value: { span }, to: year?.to ?? quarter.to };
}

function pointAt(line: TimedWords, at: number): PhraseMatch<Point> | undefined {
  const name = nameAt(line, at);
  const isNow = name?.value === 'all' || name?.value.endsWith(' 0') === true;
  if (name) return { value: { span: spanNamed(name.value, line.today) ?? {}, isNow }, to: name.to };
  const date = dateAt(line, at);
  // "5.000 điểm" is no date.
  if (date && !listAt(line, 'amounts', date.to)) return { value: { date: date.value }, to: date.to };
  return unitsAt(line, at);
}

/** A period that begins at this word: from … to …, since …, until …, or one by itself. */
function wholeAt(line: TimedWords, at: number): PhraseMatch<Point> | undefined {
  const { today } = line;
  const isName = nameAt(line, at) !== undefined;
  const begin = isName ? at : skip(line, 'beside a period', at);
  const until = isName ? at : skip(line, 'to', begin);
  const end = until > begin ? pointAt(line, until) : undefined;
  if (end) return { value: { span: { to: spanOf(end.value, today)?.to } }, to: end.to };
  const since = isName ? at : skip(line, 'from', begin);
  const single = pointAt(line, since);
  const range = single && rangeAt(line, single);
  if (range) return range;
  const number = numberAt(line, skip(line, 'before a day', since));
  const day = number && rangeAt(line, { value: { date: { day: number.value } }, to: number.to });
  if (day) return day;
  if (!single) return undefined;
  const span = spanOf(single.value, today) ?? NEVER;
  const value = since > begin ? { span: { from: span.from } } : { ...single.value, span };
  return { value, to: skip(line, 'behind a period', single.to) };
}

/** The same point, with the one that it reaches to; undefined where none follows. */
function rangeAt(line: TimedWords, first: PhraseMatch<Point>): PhraseMatch<Point> | undefined {
  const { today } = line;
  const joined = isDash(line, first.to) ? first.to + 1 : skip(line, 'to', first.to);
  if (joined === first.to) return undefined;
  const last = pointAt(line, joined);
  return last && { value: { span: between(first.value, last.value, today) ?? NEVER }, to: last.to };
}

const NEVER: Span = { from: Number.NaN };
const NO_WORD = '\u0001';

/** The pieces of a word that speak of time: "1/8-31/8" is three, "30ngày" and "T9" are two. */
function piecesOf({ vocabulary, ordinal }: Calendar, { text, source, value }: Word): readonly string[] {
  if (value) return [NO_WORD];
  const typed = unmark(source.text);
  if (!/\d/.test(typed)) return [/^\p{Pd}+$/u.test(typed) ? typed : unmark(text)];
  const has = (word: string, ...names: readonly string[]) =>
    names.some((name) => vocabulary.index(name).has(word));
  if (ordinal.test(typed) || has(typed, 'unread')) return [typed];
  const [, count = '', unit = ''] = /^(\d{1,3})(\p{L}+)$/u.exec(typed) ?? [];
  if (has(unit, 'days', 'weeks', 'months')) return [count, unit];
  const [, name = '', number = ''] = /^(\p{L}+)(\d{1,2}(?:[/.-]20\d\d)?)$/u.exec(typed) ?? [];
  if (has(name, 'months', 'quarters')) return [name, number];
  const [, month = '', from = '', to = ''] = /^([a-z]+)(\d{1,2})-[a-z]*(\d{1,2})$/.exec(typed) ?? [];
  return has(month, 'months') ? [month, from, '-', month, to] : (datesIn(source.text) ?? [typed]);
}

/** The period in a text, with all its words ("tháng trước nữa" is not last month), and the other words. */
export function findPeriod(
  calendar: Calendar,
  words: readonly Word[],
  today: number,
): { readonly period?: ParsedPeriod; readonly others: readonly Word[] } {
  if (!words.some((word) => mayBeOfTime(calendar, word))) return { others: words };
  const pieces = words.flatMap((word) => piecesOf(calendar, word).map((text) => ({ text, word })));
  const line: TimedWords = { calendar, words: pieces.map(({ text }) => text), today };
  const { taken, points } = takePoints(line);
  if (taken.size === 0) return { others: words };
  const changing = line.words.flatMap((_, at) => (changes(line, taken, at) ? at : []));
  for (const at of changing) taken.add(at);
  const [point, ...others] = points;
  const isOne = point !== undefined && others.length + changing.length === 0;
  const span = isOne ? spanOf(point, today) : undefined;
  const fault = faultOf(span, today);
  const ofTime = new Set(pieces.flatMap(({ word }, at) => (taken.has(at) ? word : [])));
  const isPast = !fault && isOne && !('isNow' in point && point.isNow);
  return {
    period: { ...(fault ? { fault } : { span }), isPast },
    others: words.filter((word) => !ofTime.has(word)),
  };
}

/** Whether a word may be of a period: most texts have no such word. */
const mayBeOfTime = ({ cores }: Calendar, { text, source, value }: Word): boolean =>
  value === undefined && (cores.has(unmark(text)) || /\d/.test(source.text));

/** Most words open no period: nothing else is looked at for them. */
const opensPeriod = ({ calendar, words }: TimedWords, at: number): boolean =>
  calendar.openings.has(words[at] ?? '') || /^[\d\p{Pd}]/u.test(words[at] ?? '');

/** Where the words of time stand, and the points that they name. */
function takePoints(line: TimedWords) {
  const taken = new Set<number>();
  const points: Point[] = [];
  for (let at = 0; at < line.words.length; ) {
    if (!opensPeriod(line, at)) {
      at += 1;
      continue;
    }
    const unread = skip(line, 'unread', at);
    const whole = unread > (nameAt(line, at)?.to ?? at) ? undefined : wholeAt(line, at);
    const to = whole?.to ?? unread;
    if (to > at) points.push(whole?.value ?? { span: NEVER });
    for (let place = at; place < to; place++) taken.add(place);
    at = Math.max(to, at + 1);
  }
  return { taken, points };
}

/** Whether a word next to a period changes it: "đầu tháng 8", "tháng 8 - 10". */
function changes(line: TimedWords, taken: ReadonlySet<number>, at: number): boolean {
  if (taken.has(at)) return false;
  const isBefore = listAt(line, 'changes before', at) ?? listAt(line, 'units', at);
  if (taken.has(at + 1) && isBefore) return true;
  if (!taken.has(at - 1)) return false;
  return (
    listAt(line, 'changes after', at) !== undefined ||
    isDash(line, at) ||
    line.calendar.ordinal.test(line.words[at] ?? '')
  );
}

function faultOf(span: Span | undefined, today: number): PeriodFault | undefined {
  if (!span || Number.isNaN(span.from)) return 'period.shape';
  const { from, to } = span;
  if (from !== undefined && to !== undefined && from >= to) return 'period.reversed';
  return from !== undefined && from > today ? 'period.future' : undefined;
}

/** Whether a word speaks of time: "30ngay", "t9", "1/8", "yesterday". */
export function isTimeWord(calendar: Calendar, text: string): boolean {
  if (isDate(text)) return true;
  const isName = calendar.names.get(fold(text))?.some(({ words }) => words.length === 1) === true;
  const word = { text, source: { text, pause: false } };
  return isName || (/\d/.test(text) && piecesOf(calendar, word).length > 1);
}
