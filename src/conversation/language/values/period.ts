import { z } from 'zod';
import { dayAt, startOfDay } from '../zone.ts';
import { type Dates, typedDates } from './dates.ts';
import { type NamedPeriod, namedSpan, PERIODS, type Span, type TimeWords } from './time-words.ts';

/** Half-open `[fromMs, toMs)`, epoch ms; an absent end is open. */
export const periodSchema = z.strictObject({ fromMs: z.number().optional(), toMs: z.number().optional() });
export type Period = z.infer<typeof periodSchema>;

export type PeriodResult =
  | { readonly ok: true; readonly value: Period }
  | { readonly ok: false; readonly reason: Extract<Dates, { ok: false }>['reason'] };

export function isNamedPeriod(name: string): name is NamedPeriod {
  return PERIODS.some((period) => period === name);
}

/** The period behind a button. One that reaches into today has no end. */
export function namedPeriod(name: NamedPeriod, nowMs: number, timeZone: string): Period {
  return inMs(namedSpan(name, dayAt(nowMs, timeZone)), timeZone);
}

/**
 * Reads a typed period, in days of `timeZone`, half-open: a range (`1/8/2023 - 31/8/2023`, `từ 1/8 đến nay`, `1 - 5 November`),
 * a day, a month (`8/2023`, `tháng 9 năm ngoái`), a quarter, a year, `từ …` or `đến …` alone, or words (`hôm qua`,
 * `tháng trước nữa`, `3 tháng gần đây`, `last Monday`). Day before month always; `2023-08-31` too. Without a year: the
 * last time that this day was. What is not understood as a whole is no period: nothing of it is left out.
 */
export function readPeriod(text: string, nowMs: number, timeZone: string, words: TimeWords): PeriodResult {
  const dates = typedDates(text, dayAt(nowMs, timeZone), words);
  return dates.ok ? { ok: true, value: inMs(dates, timeZone) } : dates;
}

function inMs({ from, to }: Span, timeZone: string): Period {
  return {
    ...(from !== undefined && { fromMs: startOfDay(from, timeZone) }),
    ...(to !== undefined && { toMs: startOfDay(to, timeZone) }),
  };
}
