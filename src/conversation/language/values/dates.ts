import { DAY_MS } from '../zone.ts';
import { type Closed, firstOfMonth, type Unit, unitAt, weekdayOf } from './calendar.ts';
import { type Part, partOf } from './parts.ts';
import { type Item, type Scan, scan, type Typed } from './scan.ts';
import { type Span, type TimeWords, unitNamed } from './time-words.ts';

/** Days as `time-words.ts` writes them, or what is wrong. */
export type Dates =
  | ({ readonly ok: true } & Span)
  | {
      readonly ok: false;
      readonly reason: 'period.shape' | 'period.reversed' | 'period.future' | 'period.lunar';
    };

const SHAPE = { ok: false, reason: 'period.shape' } as const;

/** Reads a period, named, counted or typed in dates, day before month; `today` decides which year was left out. */
export function typedDates(text: string, today: number, words: TimeWords): Dates {
  const read = scan(text, today, words);
  if (!read.ok) return read;
  const said = specified(read.items, today);
  const isBetween = read.listed && said.length === 3 && isMiddle(said[0]);
  const [first, second, ...more] = parted(isBetween ? said.slice(1) : said, today) ?? [];
  if (!first || more.length > 0) return SHAPE;
  const joined = read.joined || isBetween;
  const dates = second ? pair(first, second, { ...read, joined }, today) : single(first, read.open, today);
  return dates.ok && dates.from !== undefined && dates.from > today
    ? { ok: false, reason: 'period.future' }
    : dates;
}

/** What a word after a date tells of it: "tháng 9 năm ngoái", "ngày 5 tháng trước", "thứ hai tuần trước". */
function specified(items: readonly Item[], today: number): Item[] {
  const all: Item[] = [];
  for (const item of items) {
    const before = all.at(-1);
    const told = before && specifiedBy(before, item, today);
    if (told) all.splice(-1, 1, told);
    else all.push(item);
  }
  return all;
}

function specifiedBy(before: Item, item: Item, today: number): Item | undefined {
  const { is, span } = item.kind === 'named' ? item.named : {};
  const from = span?.from;
  if (before.kind === 'date' && before.date.year === undefined) {
    const { date } = before;
    // "1 tháng 8", "the 5th of November".
    if (date.day !== undefined && date.month === undefined && isMonth(item))
      return { kind: 'date', date: { ...item.date, day: date.day } };
    if (isYear(item)) return { kind: 'date', date: { ...date, year: item.date.year } };
    if (from === undefined) return undefined;
    const [year, month] = [new Date(from).getUTCFullYear(), new Date(from).getUTCMonth() + 1];
    if (is === 'year') return { kind: 'date', date: { ...date, year } };
    if (is === 'month' && date.day !== undefined && date.month === undefined)
      return { kind: 'date', date: { ...date, month, year } };
  }
  const isWeekday = before.kind === 'named' && before.named.is === 'weekday';
  return isWeekday && is === 'week' && from !== undefined
    ? { kind: 'named', named: unitNamed('day', dayInWeek(before.named.span, from, today), today) }
    : undefined;
}

const isMonth = (item: Item): item is Extract<Item, { kind: 'date' }> =>
  item.kind === 'date' && item.date.day === undefined && item.date.month !== undefined;

/** "Tháng 8 trong năm 2023". */
function isYear(item: Item): item is Extract<Item, { kind: 'date' }> {
  if (item.kind !== 'date') return false;
  const { day, month, quarter } = item.date;
  return (day ?? month ?? quarter) === undefined;
}

/** How many days after today the same day of the week is that begins on `monday`. */
function dayInWeek({ from = 0 }: Span, monday: number, today: number): number {
  return (monday - today) / DAY_MS + weekdayOf(from);
}

/** "Giữa 1/10 và 15/10" is from one to the other. */
const isMiddle = (item: Item | undefined): boolean =>
  item?.kind === 'part' && item.part.which === 'middle' && item.part.of === 'third';

/** The parts with what they are parts of: "cuối tháng 9", "đầu năm"; undefined where that has none. */
function parted(items: readonly Item[], today: number): Item[] | undefined {
  const all: Item[] = [];
  for (let at = 0; at < items.length; at++) {
    const [item, next] = [items[at], items[at + 1]];
    if (item?.kind !== 'part') {
      if (item) all.push(item);
      continue;
    }
    const span = next && partOfItem(item.part, next, today);
    if (!span) return undefined;
    all.push({ kind: 'named', named: { span } });
    at += 1;
  }
  return all;
}

function partOfItem(part: Part, item: Item, today: number): Closed | undefined {
  switch (item.kind) {
    case 'unit': {
      const spans = [0, -1].map((count) => partOf(part, item.unit, unitAt(item.unit, today, count)));
      return spans.find((span) => span && span.from <= today);
    }
    case 'named': {
      const { is, span } = item.named;
      if (is === undefined || is === 'weekday' || span.from === undefined) return undefined;
      return partOf(part, is, unitAt(is, span.from, 0));
    }
    case 'date': {
      const whole = lastTime(item.date, today);
      return whole && partOf(part, unitOf(item.date), whole);
    }
    case 'part':
    case 'now':
      return undefined;
  }
}

function unitOf({ day, month, quarter }: Typed): Unit {
  if (day !== undefined) return 'day';
  if (month !== undefined) return 'month';
  return quarter === undefined ? 'year' : 'quarter';
}

function single(item: Item, open: Scan['open'], today: number): Dates {
  const span = spanOfItem(item, today);
  if (!span || item.kind === 'now') return SHAPE;
  if (open === 'to') return span.from === undefined ? SHAPE : { ok: true, from: span.from };
  if (open === 'from') return { ok: true, ...(span.to !== undefined && { to: span.to }) };
  return { ok: true, ...span };
}

/**
 * Two make a range where a word or a dash says so, or where both are days; two that are only named one after the other
 * are a period where nothing lies between them ("tháng 9 và tháng 10").
 */
function pair(first: Item, second: Item, { joined, listed }: Scan, today: number): Dates {
  const ends =
    first.kind === 'date' && second.kind === 'date'
      ? range(first.date, second.date, today)
      : {
          from: spanOfItem(first, today),
          to: spanOfItem(second, today),
        };
  const { from, to } = ends;
  if (!from || !to || from.from === undefined) return SHAPE;
  const isRange = joined || (!listed && isDay(first) && isDay(second));
  if (!isRange && from.to !== to.from) return SHAPE;
  if (isAfter(from, to)) return { ok: false, reason: 'period.reversed' };
  return { ok: true, from: from.from, ...(to.to !== undefined && { to: to.to }) };
}

const isDay = (item: Item): boolean => item.kind === 'date' && item.date.day !== undefined;

function spanOfItem(item: Item, today: number): Span | undefined {
  switch (item.kind) {
    case 'now':
      return {};
    case 'named':
      return item.named.span;
    case 'unit':
      return unitNamed(item.unit, 0, today).span;
    case 'date':
      return lastTime(item.date, today);
    case 'part':
      return undefined;
  }
}

/** Undefined for dates that no calendar has, and for years in which nobody earned points. */
function spanOf({ day, month, quarter, year }: Typed, inYear = year): Closed | undefined {
  if (inYear === undefined || inYear < 2000 || inYear > 2099) return undefined;
  if (quarter !== undefined)
    return { from: Date.UTC(inYear, quarter * 3 - 3), to: Date.UTC(inYear, quarter * 3) };
  // Of "1 - 5/11" the first day by itself.
  if (month === undefined && day !== undefined) return undefined;
  if (month === undefined) return { from: Date.UTC(inYear, 0), to: Date.UTC(inYear + 1, 0) };
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) return { from: Date.UTC(inYear, month - 1), to: Date.UTC(inYear, month) };
  const from = Date.UTC(inYear, month - 1, day);
  return new Date(from).getUTCDate() === day && day > 0 ? { from, to: from + DAY_MS } : undefined;
}

/** Without a year, or without a month: the last time that there was such a one. */
function lastTime({ bare, ...date }: Typed, today: number): Closed | undefined {
  if (bare && date.month === undefined) return undefined;
  if (date.year !== undefined) return spanOf(date);
  const year = new Date(today).getUTCFullYear();
  const candidates =
    date.day !== undefined && date.month === undefined
      ? [0, -1, -2].map((months) => inMonthOf(date, monthOf(firstOfMonth(today, months))))
      : [year, year - 1].map((y) => ({ ...date, year: y }));
  return candidates.map((one) => spanOf(one)).find((span) => span && span.from <= today);
}

const monthOf = (day: number): Typed => ({
  month: new Date(day).getUTCMonth() + 1,
  year: new Date(day).getUTCFullYear(),
});

/** A year that one end lacks is the other's; "1/12 - 31/1" crosses New Year if that end has passed. */
function range(
  start: Typed,
  { bare, ...typed }: Typed,
  today: number,
): { from?: Closed | undefined; to?: Closed | undefined } {
  // "Tháng 8 - 10".
  const isMonth = bare && start.day === undefined && start.month !== undefined;
  const end = isMonth ? { month: typed.day, year: typed.year } : typed;
  const isBare = start.month === undefined && start.day !== undefined;
  const first = isBare && end.day !== undefined && end.month !== undefined ? inMonthOf(start, end) : start;
  const from =
    first.year === undefined && end.year !== undefined
      ? [end.year, end.year - 1].map((y) => spanOf(first, y)).find((s) => s && !isAfter(s, spanOf(end)))
      : lastTime(first, today);
  if (!from) return {};
  if (end.day !== undefined && end.month === undefined)
    return { from, to: spanOf(inMonthOf(end, monthOf(from.from))) };
  if (end.year !== undefined) return { from, to: spanOf(end) };
  return { from, to: endWithoutYear(from, end, today) };
}

/** "1 - 5 November 2026": the month is written once. */
function inMonthOf({ day }: Typed, { month, year }: Typed): Typed {
  return { day, month, year };
}

function endWithoutYear(from: Closed, end: Typed, today: number): Closed | undefined {
  const year = new Date(from.from).getUTCFullYear();
  const same = spanOf(end, year);
  const next = spanOf(end, year + 1);
  return next && next.from <= today && (!same || isAfter(from, same)) ? next : same;
}

function isAfter(first: Span, second: Span | undefined): boolean {
  return second?.from !== undefined && first.from !== undefined && second.from < first.from;
}
