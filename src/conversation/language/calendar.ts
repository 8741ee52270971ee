/**
 * Days of a time zone. A day is written as the epoch ms of its midnight in UTC (`Date.UTC(2023, 7, 1)`), which makes
 * counting days plain arithmetic; only `startOfDay` turns it into an instant.
 */
export const DAY_MS = 24 * 60 * 60 * 1000;

/** Days `[from, to)`. */
export type Days = { readonly from: number; readonly to: number };

/** Spans that a calendar has. */
export type Unit = 'day' | 'week' | 'month' | 'quarter' | 'year';

/** The `unit` that is `count` after the one of `day` (before it where `count` is negative). */
export function unitAt(unit: Unit, day: number, count: number): Days {
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
const weekdayOf = (day: number): number => (((day / DAY_MS + 3) % 7) + 7) % 7;

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

/** The day it is in `timeZone` (an IANA name; others throw `RangeError`) at an instant, epoch ms. */
export function dayAt(ms: number, timeZone: string): number {
  return Math.floor(wallClock(ms, timeZone) / DAY_MS) * DAY_MS;
}

/**
 * The first instant of a day, epoch ms. Where clocks jump over midnight, the moment of the jump; where midnight comes
 * twice, the first.
 */
export function startOfDay(day: number, timeZone: string): number {
  const offsets = [day - DAY_MS, day + DAY_MS].map((near) => wallClock(near, timeZone) - near);
  const [before = 0] = offsets;
  const candidates = offsets.map((offset) => day - offset).sort((a, b) => a - b);
  return candidates.find((ms) => wallClock(ms, timeZone) === day) ?? day - before;
}

/** What a clock on the wall shows, as if it were UTC; whole seconds. */
function wallClock(ms: number, timeZone: string): number {
  const second = Math.floor(ms / 1000) * 1000;
  return second + aheadAt(second, timeZone);
}

/** How far the zone is ahead of UTC, ms: from "GMT+07:00"; "GMT" alone is none. */
function aheadAt(ms: number, timeZone: string): number {
  const written = formatter(timeZone).format(ms);
  const [, sign, hours, minutes, seconds = 0] = /GMT([+-])(\d+):(\d+)(?::(\d+))?/.exec(written) ?? [];
  const away = (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -away : away;
}

/** Making one takes longer than a hundred uses of it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  formatters.set(timeZone, made);
  return made;
}
