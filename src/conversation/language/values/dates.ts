import { DAY_MS } from '../zone.ts';
import { type Item, type Part, scan } from './scan.ts';
import type { Span } from './spans.ts';

/** Days as `spans.ts` writes them, or what is wrong. */
export type Dates =
  | ({ readonly ok: true } & Span)
  | { readonly ok: false; readonly reason: 'period.shape' | 'period.reversed' | 'period.future' };

/** A span that a calendar has. */
type Closed = { readonly from: number; readonly to: number };

const SHAPE = { ok: false, reason: 'period.shape' } as const;

/** Reads a period, named, counted or typed in dates, day before month; `today` decides which year was left out. */
export function typedDates(text: string, today: number): Dates {
  const read = scan(text, today);
  if (!read) return SHAPE;
  const { open, joined } = read;
  const [first, second, ...more] = specified(read.items, today);
  if (!first || more.length > 0) return SHAPE;
  const dates = second ? pair(first, second, joined, today) : single(first, open, today);
  return dates.ok && dates.from !== undefined && dates.from > today
    ? { ok: false, reason: 'period.future' }
    : dates;
}

/** What a word after a date tells of it: "tháng 9 năm ngoái", "thứ hai tuần trước". */
function specified(items: readonly Item[], today: number): Item[] {
  const all: Item[] = [];
  for (const item of items) {
    const before = all.at(-1);
    const from = item.kind === 'named' ? item.named.span.from : undefined;
    const is = item.kind === 'named' ? item.named.is : undefined;
    if (before?.kind === 'date' && before.part.year === undefined && isYear(item))
      all.splice(-1, 1, { kind: 'date', part: { ...before.part, year: item.part.year } });
    else if (before?.kind === 'date' && before.part.year === undefined && is === 'year' && from !== undefined)
      all.splice(-1, 1, { kind: 'date', part: { ...before.part, year: new Date(from).getUTCFullYear() } });
    else if (before?.kind === 'named' && before.named.is === 'weekday' && is === 'week' && from !== undefined)
      all.splice(-1, 1, { kind: 'named', named: { span: dayOfWeek(before.named.span, from, today) } });
    else all.push(item);
  }
  return all;
}

/** "Tháng 8 trong năm 2023". */
function isYear(item: Item): item is Extract<Item, { kind: 'date' }> {
  if (item.kind !== 'date') return false;
  const { day, month, quarter } = item.part;
  return (day ?? month ?? quarter) === undefined;
}

/** The same day of the week that begins on `monday`. */
function dayOfWeek({ from = 0 }: Span, monday: number, today: number): Span {
  const day = monday + (((((from - monday) / DAY_MS) % 7) + 7) % 7) * DAY_MS;
  return day > today ? { from: day } : { from: day, to: day + DAY_MS };
}

function single(item: Item, open: 'from' | 'to' | undefined, today: number): Dates {
  const span = spanOfItem(item, today);
  if (!span || item.kind === 'now') return SHAPE;
  if (open === 'to') return span.from === undefined ? SHAPE : { ok: true, from: span.from };
  if (open === 'from') return { ok: true, ...(span.to !== undefined && { to: span.to }) };
  return { ok: true, ...span };
}

/** Two dates make a range, however they are joined; anything else only where a word or a dash says so. */
function pair(first: Item, second: Item, joined: boolean, today: number): Dates {
  if (first.kind === 'date' && second.kind === 'date') return range(first.part, second.part, today);
  const from = spanOfItem(first, today);
  const to = spanOfItem(second, today);
  if (!joined || !from || !to || from.from === undefined) return SHAPE;
  if (isAfter(from, to)) return { ok: false, reason: 'period.reversed' };
  return { ok: true, from: from.from, ...(to.to !== undefined && { to: to.to }) };
}

function spanOfItem(item: Item, today: number): Span | undefined {
  switch (item.kind) {
    case 'now':
      return {};
    case 'named':
      return item.named.span;
    case 'date':
      return lastTime(item.part, today);
  }
}

/** Undefined for dates that no calendar has, and for years in which nobody earned points. */
function spanOf({ day, month, quarter, year }: Part, inYear = year): Closed | undefined {
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

/** Without a year: this year's or, where that is yet to come, last year's. */
function lastTime(part: Part, today: number): Closed | undefined {
  if (part.year !== undefined) return spanOf(part);
  const year = new Date(today).getUTCFullYear();
  return [year, year - 1].map((y) => spanOf(part, y)).find((span) => span && span.from <= today);
}

/** A year that one end lacks is the other's; "1/12 - 31/1" crosses New Year if that end has passed. */
function range(start: Part, second: Part, today: number): Dates {
  const first = start.month === undefined && start.day !== undefined ? inMonthOf(start, second) : start;
  const from =
    first.year === undefined && second.year !== undefined
      ? [second.year, second.year - 1]
          .map((y) => spanOf(first, y))
          .find((s) => s && !isAfter(s, spanOf(second)))
      : lastTime(first, today);
  if (!from) return SHAPE;
  const to = second.year === undefined ? endWithoutYear(from, second, today) : spanOf(second);
  if (!to) return SHAPE;
  return isAfter(from, to)
    ? { ok: false, reason: 'period.reversed' }
    : { ok: true, from: from.from, to: to.to };
}

/** "1 - 5 November 2026": the month is written once. */
function inMonthOf({ day }: Part, { day: last, month, year }: Part): Part {
  return last === undefined ? { day } : { day, month, year };
}

function endWithoutYear(from: Closed, part: Part, today: number): Closed | undefined {
  const year = new Date(from.from).getUTCFullYear();
  const same = spanOf(part, year);
  const next = spanOf(part, year + 1);
  return next && next.from <= today && (!same || isAfter(from, same)) ? next : same;
}

function isAfter(first: Span, second: Span | undefined): boolean {
  return second?.from !== undefined && first.from !== undefined && second.from < first.from;
}
