import { DAY_MS } from '../zone.ts';

/** Spans that a calendar has; all arithmetic on days is as `zone.ts` writes them. */
export type Unit = 'day' | 'week' | 'month' | 'quarter' | 'year';

/** Days `[from, to)`. */
export type Closed = { readonly from: number; readonly to: number };

/** The `unit` that is `count` after the one of `day` (before it where `count` is negative). */
export function unitAt(unit: Unit, day: number, count: number): Closed {
  return { from: startOf(unit, day, count), to: startOf(unit, day, count + 1) };
}

function startOf(unit: Unit, day: number, count: number): number {
  switch (unit) {
    case 'day':
      return day + count * DAY_MS;
    case 'week':
      return day + (count * 7 - weekdayOf(day)) * DAY_MS;
    case 'month':
      return firstOfMonth(day, count);
    case 'quarter':
      return firstOfMonth(day, count * 3 - (new Date(day).getUTCMonth() % 3));
    case 'year':
      return Date.UTC(new Date(day).getUTCFullYear() + count, 0);
  }
}

/** Weeks begin on Monday (0); 1 January 1970 was a Thursday. */
export const weekdayOf = (day: number): number => (((day / DAY_MS + 3) % 7) + 7) % 7;

/** The first day of a month that is `months` after the one of `day`. */
export function firstOfMonth(day: number, months: number): number {
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months);
}

/** The same day of an earlier month, or its last day. */
export function monthsBefore(day: number, months: number): number {
  const last = firstOfMonth(day, 1 - months) - DAY_MS;
  return Math.min(firstOfMonth(day, -months) + (new Date(day).getUTCDate() - 1) * DAY_MS, last);
}
