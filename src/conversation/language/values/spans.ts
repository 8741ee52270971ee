import { fold } from '../fold.ts';
import { DAYS, type NamedDays, type NamedPeriod, PERIODS } from '../grammar.ts';
import { GRAMMARS, phrasesIn } from '../grammars.ts';
import { DAY_MS } from '../zone.ts';

/**
 * Days `[from, to)` as `zone.ts` writes them. An absent `to` reaches today, so that a record stamped by a fast clock is not
 * missed; an absent `from` has no beginning.
 */
export type Span = { readonly from?: number | undefined; readonly to?: number | undefined };

/** What a phrase calls: a period, and what it can tell more about a date before it ("tháng 9 năm ngoái"). */
export type Named = { readonly span: Span; readonly is?: 'year' | 'week' | 'weekday' | 'future' | undefined };

/** The period behind a button. `7d` and `30d` are today and the days before it. */
export function namedSpan(name: NamedPeriod, today: number): Span {
  switch (name) {
    case '7d':
      return { from: today - 6 * DAY_MS };
    case '30d':
      return { from: today - 29 * DAY_MS };
    case 'month':
      return { from: firstOfMonth(today, 0) };
    case 'lastMonth':
      return { from: firstOfMonth(today, -1), to: firstOfMonth(today, 0) };
    case 'all':
      return {};
  }
}

/** What each phrase that names a period calls, given today. */
export const NAMES = new Map<string, (today: number) => Named>();
for (const name of PERIODS)
  for (const phrase of phrasesIn(({ periods }) => periods[name]))
    NAMES.set(phrase, (today) => ({ span: namedSpan(name, today) }));
for (const name of DAYS)
  for (const phrase of phrasesIn(({ days }) => days[name]))
    NAMES.set(phrase, (today) => daysNamed(name, today));
for (const phrase of phrasesIn(({ future }) => future))
  NAMES.set(phrase, (today) => ({ span: { from: today + DAY_MS }, is: 'future' }));

const WEEKDAYS = DAYS.slice(DAYS.indexOf('monday'));

function daysNamed(name: NamedDays, today: number): Named {
  const monday = mondayOf(today);
  const week = (weeks: number): Named => ({
    span: { from: monday + weeks * 7 * DAY_MS, to: monday + (weeks + 1) * 7 * DAY_MS },
    is: 'week',
  });
  const day = (days: number): Named => ({
    span: { from: today + days * DAY_MS, to: today + (days + 1) * DAY_MS },
  });
  switch (name) {
    case 'today':
      return { span: { from: today } };
    case 'yesterday':
      return day(-1);
    case 'dayBefore':
      return day(-2);
    case 'week':
      return { span: { from: monday }, is: 'week' };
    case 'lastWeek':
      return week(-1);
    case 'weekBefore':
      return week(-2);
    case 'monthBefore':
      return { span: { from: firstOfMonth(today, -2), to: firstOfMonth(today, -1) } };
    case 'quarter':
      return { span: { from: firstOfQuarter(today, 0) } };
    case 'lastQuarter':
      return { span: { from: firstOfQuarter(today, -1), to: firstOfQuarter(today, 0) } };
    case 'halfYear':
      return { span: { from: monthsBefore(today, 6) } };
    case 'pastYear':
      return { span: { from: monthsBefore(today, 12) } };
    case 'year':
      return { span: { from: firstOfYear(today, 0) }, is: 'year' };
    case 'lastYear':
      return { span: { from: firstOfYear(today, -1), to: firstOfYear(today, 0) }, is: 'year' };
    case 'yearBefore':
      return { span: { from: firstOfYear(today, -2), to: firstOfYear(today, -1) }, is: 'year' };
    default:
      return { ...day(-((weekdayOf(today) - WEEKDAYS.indexOf(name) + 7) % 7)), is: 'weekday' };
  }
}

const sources = (of: Exclude<keyof (typeof GRAMMARS)[number]['counted'], 'numbers'>): string =>
  GRAMMARS.map(({ counted }) => counted[of]).join('|');
/** In the order of their worth, from 1 on. */
const NUMBERS = new Map(
  GRAMMARS.flatMap(({ counted }) =>
    counted.numbers.split(',').map((word, at) => [fold(word), at + 1] as const),
  ),
);

/** "10 ngay qua", "last 2 weeks"; sticky, over folded text. */
export const COUNTED = new RegExp(
  `(?:(?:${sources('before')}) ){0,3}(\\d{1,3}|${[...NUMBERS.keys()].sort((a, b) => b.length - a.length).join('|')}) ?` +
    `(?:(${sources('days')})|(${sources('weeks')})|(${sources('months')})|(?:${sources('years')}))(?![a-z0-9])` +
    `(?: (?:${sources('after')})(?![a-z0-9])){0,2}`,
  'y',
);

/** The days that such a phrase counts, today among them; undefined for none at all. */
export function countedSpan(match: RegExpExecArray, today: number): Span | undefined {
  const [, written = '', days, weeks, months] = match;
  const count = NUMBERS.get(written) ?? Number(written);
  if (count === 0) return undefined;
  if (days ?? weeks) return { from: today - (count * (days ? 1 : 7) - 1) * DAY_MS };
  return { from: monthsBefore(today, count * (months ? 1 : 12)) };
}

/** The same day of an earlier month, or its last day. */
function monthsBefore(today: number, months: number): number {
  const first = firstOfMonth(today, -months);
  const last = firstOfMonth(today, 1 - months) - DAY_MS;
  return Math.min(first + (new Date(today).getUTCDate() - 1) * DAY_MS, last);
}

/** Weeks begin on Monday (0); 1 January 1970 was a Thursday. */
const weekdayOf = (day: number): number => (day / DAY_MS + 3) % 7;
const mondayOf = (day: number): number => day - weekdayOf(day) * DAY_MS;

function firstOfMonth(day: number, months: number): number {
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months);
}

function firstOfQuarter(day: number, quarters: number): number {
  const month = new Date(day).getUTCMonth();
  return firstOfMonth(day, quarters * 3 - (month % 3));
}

const firstOfYear = (day: number, years: number): number =>
  Date.UTC(new Date(day).getUTCFullYear() + years, 0);
