import { z } from 'zod';

/* Days of a time zone, as the epoch ms of their midnight in UTC, and periods of history. */

/** Half-open `[fromMs, toMs)`, epoch ms; an absent end is open. */
export const periodSchema = z.strictObject({ fromMs: z.number().optional(), toMs: z.number().optional() });
export type Period = z.infer<typeof periodSchema>;

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Days `[from, to)`. Without `to` it reaches today and includes records stamped by a fast clock. */
export type Span = { readonly from?: number | undefined; readonly to?: number | undefined };
export type Days = { readonly from: number; readonly to: number };
export type Unit = 'day' | 'week' | 'month' | 'quarter' | 'year';
const UNITS: readonly Unit[] = ['day', 'week', 'month', 'quarter', 'year'];

/** The first day of the `unit` that is `count` after that of `day`. Weeks begin on Monday. */
export function startOf(unit: Unit, day: number, count: number): number {
  const date = new Date(day);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  switch (unit) {
    case 'day':
      return day + count * DAY_MS;
    case 'week':
      return day + (count * 7 - ((((day / DAY_MS + 3) % 7) + 7) % 7)) * DAY_MS;
    case 'month':
      return Date.UTC(year, month + count);
    case 'quarter':
      return Date.UTC(year, month - (month % 3) + count * 3);
    case 'year':
      return Date.UTC(year + count, 0);
  }
}

/** The same day of an earlier month, or its last day. */
function monthsBefore(day: number, months: number): number {
  const last = startOf('month', day, 1 - months) - DAY_MS;
  return Math.min(startOf('month', day, -months) + (new Date(day).getUTCDate() - 1) * DAY_MS, last);
}

/** The day in `timeZone` (an IANA name; others throw `RangeError`) at an instant, epoch ms. */
export function dayAt(ms: number, timeZone: string): number {
  return Math.floor(toLocalMs(ms, timeZone) / DAY_MS) * DAY_MS;
}

/** The first instant of a day, epoch ms. If clocks skip midnight, the moment of the jump. */
export function startOfDay(day: number, timeZone: string): number {
  const offsets = [day - DAY_MS, day + DAY_MS].map((near) => toLocalMs(near, timeZone) - near);
  const [before = 0] = offsets;
  const candidates = offsets.map((offset) => day - offset).sort((a, b) => a - b);
  return candidates.find((ms) => toLocalMs(ms, timeZone) === day) ?? day - before;
}

/**
 * The local time in `timeZone` at an instant, as epoch ms: as if that local time were UTC. Cut to whole
 * seconds.
 */
function toLocalMs(ms: number, timeZone: string): number {
  const second = Math.floor(ms / 1000) * 1000;
  const quarter = Math.floor(ms / QUARTER_MS);
  if (lastOffset.quarter !== quarter || lastOffset.timeZone !== timeZone) {
    lastOffset = { quarter, timeZone, ms: offsetAt(second, timeZone) };
  }
  return second + lastOffset.ms;
}

/** The last offset is kept: each text asks for today's. No zone changes it within a quarter of an hour. */
const QUARTER_MS = 15 * 60_000;
let lastOffset = { quarter: Number.NaN, timeZone: '', ms: 0 };

/** How far a zone is ahead of UTC, ms. */
function offsetAt(ms: number, timeZone: string): number {
  // "GMT+07:00"; "GMT" alone is UTC itself.
  const written = formatter(timeZone).format(ms);
  const [, sign, hours, minutes, seconds = 0] = /GMT([+-])(\d+):(\d+)(?::(\d+))?/.exec(written) ?? [];
  const ahead = (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -ahead : ahead;
}

/** Making a formatter takes longer than a hundred uses of it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  formatters.set(timeZone, made);
  return made;
}

/** The periods that buttons offer, and their names in the language files. */
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

/** The period of a button. One that reaches into today has no end. */
export function namedPeriod(name: NamedPeriod, nowMs: number, timeZone: string): Period {
  return toPeriod(spanNamed(BUTTONS[name], dayAt(nowMs, timeZone)) ?? {}, timeZone);
}

export function toPeriod({ from, to }: Span, timeZone: string): Period {
  return {
    ...(from !== undefined && { fromMs: startOfDay(from, timeZone) }),
    ...(to !== undefined && { toMs: startOfDay(to, timeZone) }),
  };
}

/** The days that a list of the language files names (`month -1`, `last 7 days`, `all`); else undefined. */
export function spanNamed(list: string, today: number): Span | undefined {
  if (list === 'all') return {};
  if (list === 'to come') return { from: today + DAY_MS };
  const [, named, at] = /^(day|week|month|quarter|year) (-?\d)$/.exec(list) ?? [];
  const [, many, counted] = /^last (\d+) (day|month)s$/.exec(list) ?? [];
  const unit = UNITS.find((name) => name === (named ?? counted));
  if (!unit) return undefined;
  return many ? lastUnits(Number(many), unit, today) : unitAt(unit, today, Number(at));
}

/** The `unit` that is `count` after this one; the one that reaches into today has no end. */
export function unitAt(unit: Unit, today: number, count: number): Span {
  const to = startOf(unit, today, count + 1);
  return { from: startOf(unit, today, count), ...(to <= today && { to }) };
}

/** The last `count` units, today among them. */
export function lastUnits(count: number, unit: Unit, today: number): Span {
  if (unit === 'day' || unit === 'week')
    return { from: today - (count * (unit === 'day' ? 1 : 7) - 1) * DAY_MS };
  return { from: monthsBefore(today, count * (unit === 'year' ? 12 : 1)) };
}
