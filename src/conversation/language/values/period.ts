import { z } from 'zod';
import { fold } from '../fold.ts';
import { DAYS, type Grammar, type NamedDays, type NamedPeriod, PERIODS } from '../grammar.ts';
import { GRAMMARS, phrasesIn } from '../grammars.ts';
import { DAY_MS, dayAt, startOfDay } from '../zone.ts';
import { typedDates } from './dates.ts';

/** Half-open `[fromMs, toMs)`, epoch ms; an absent end is open. */
export const periodSchema = z.strictObject({ fromMs: z.number().optional(), toMs: z.number().optional() });
export type Period = z.infer<typeof periodSchema>;

export type PeriodResult =
  | { readonly ok: true; readonly value: Period }
  | { readonly ok: false; readonly reason: 'period.shape' | 'period.reversed' | 'period.future' };

export function isNamedPeriod(name: string): name is NamedPeriod {
  return PERIODS.some((period) => period === name);
}

/**
 * The period behind a button. `7d` and `30d` are today and the days before it. A period that reaches into today has
 * no end, so that a record stamped by a fast clock is not missed.
 */
export function namedPeriod(name: NamedPeriod, nowMs: number, timeZone: string): Period {
  const today = dayAt(nowMs, timeZone);
  switch (name) {
    case '7d':
      return since(today - 6 * DAY_MS, timeZone);
    case '30d':
      return since(today - 29 * DAY_MS, timeZone);
    case 'month':
      return since(firstOfMonth(today, 0), timeZone);
    case 'lastMonth':
      return days(firstOfMonth(today, -1), firstOfMonth(today, 0), timeZone);
    case 'all':
      return {};
  }
}

/**
 * Reads a typed period, in days of `timeZone`, half-open: a range (`1/8/2023 - 31/8/2023`, `từ 1/8 đến 31/8`), a day, a
 * month (`8/2023`), a year, `từ …` or `đến …` alone, or words (`hôm qua`, `tuần này`, `10 ngày`, `last month`). Day
 * before month always; `2023-08-31` too. Without a year: the last time that this day was.
 */
export function parsePeriod(text: string, nowMs: number, timeZone: string): PeriodResult {
  const period = byWords(fold(text), nowMs, timeZone);
  if (period) return { ok: true, value: period };
  const today = dayAt(nowMs, timeZone);
  const typed = typedDates(text, today);
  if (!typed.ok) return typed;
  const { from, to } = typed;
  if (from !== undefined && from > today) return { ok: false, reason: 'period.future' };
  return {
    ok: true,
    value: {
      ...(from !== undefined && { fromMs: startOfDay(from, timeZone) }),
      ...(to !== undefined && { toMs: startOfDay(to, timeZone) }),
    },
  };
}

const named = new Map(
  PERIODS.flatMap((name) =>
    phrasesIn(({ periods }) => periods[name]).map((phrase) => [phrase, name] as const),
  ),
);
const namedDays = new Map(
  DAYS.flatMap((name) => phrasesIn(({ days }) => days[name]).map((phrase) => [phrase, name] as const)),
);

function byWords(words: string, nowMs: number, timeZone: string): Period | undefined {
  const name = named.get(words);
  if (name) return namedPeriod(name, nowMs, timeZone);
  const today = dayAt(nowMs, timeZone);
  const day = namedDays.get(words);
  if (day) return byDay(day, today, timeZone);
  const count = countedDays(words);
  return count === undefined ? undefined : since(today - (count - 1) * DAY_MS, timeZone);
}

function byDay(name: NamedDays, today: number, timeZone: string): Period {
  // Weeks begin on Monday; 1 January 1970 was a Thursday.
  const monday = today - ((today / DAY_MS + 3) % 7) * DAY_MS;
  const year = new Date(today).getUTCFullYear();
  switch (name) {
    case 'today':
      return since(today, timeZone);
    case 'yesterday':
      return days(today - DAY_MS, today, timeZone);
    case 'week':
      return since(monday, timeZone);
    case 'lastWeek':
      return days(monday - 7 * DAY_MS, monday, timeZone);
    case 'year':
      return since(Date.UTC(year, 0), timeZone);
    case 'lastYear':
      return days(Date.UTC(year - 1, 0), Date.UTC(year, 0), timeZone);
  }
}

const sources = (of: keyof Grammar['counted']): string =>
  GRAMMARS.map(({ counted }) => counted[of]).join('|');
const COUNTED = new RegExp(
  `^(?:(?:${sources('before')}) ){0,3}(\\d{1,3}) ?(?:(${sources('days')})|(${sources('weeks')})|(?:${sources('months')}))` +
    `(?: (?:${sources('after')}))?$`,
);

/** "10 ngay qua", "last 2 weeks"; a month counts as 30 days. */
function countedDays(words: string): number | undefined {
  const match = COUNTED.exec(words);
  const count = Number(match?.[1] ?? 0);
  if (count === 0) return undefined;
  return count * (match?.[2] ? 1 : match?.[3] ? 7 : 30);
}

function since(day: number, timeZone: string): Period {
  return { fromMs: startOfDay(day, timeZone) };
}

function days(from: number, to: number, timeZone: string): Period {
  return { fromMs: startOfDay(from, timeZone), toMs: startOfDay(to, timeZone) };
}

function firstOfMonth(day: number, months: number): number {
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months);
}
