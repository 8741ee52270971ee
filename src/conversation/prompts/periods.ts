import type { Scope } from '../flow.ts';
import { parsePeriod } from '../language/periods.ts';
import type { Understood } from '../language/understand.ts';
import { namedPeriod, type Period, type PeriodResult } from '../language/values/period.ts';
import type { NamedPeriod } from '../language/values/time-words.ts';
import { DAY_MS, dayAt, startOfDay } from '../language/zone.ts';
import type { Line, Reply } from '../reply.ts';

/** The period that a message names or dates, or what is wrong with it; undefined where it speaks of none. */
export function periodIn({ period }: Understood, { nowMs, settings }: Scope): PeriodResult | undefined {
  return period === undefined ? undefined : parsePeriod(period, nowMs, settings.timeZone);
}

export function periodNamed(name: NamedPeriod, { nowMs, settings }: Scope): Period {
  return namedPeriod(name, nowMs, settings.timeZone);
}

/** Where a period has no end of its own, the page's is the moment of asking. */
export function isPeriod(name: NamedPeriod, { fromMs, toMs }: Period, scope: Scope): boolean {
  const { fromMs: from, toMs: to } = periodNamed(name, scope);
  return from === fromMs && (to === undefined || to === toMs);
}

/** What is wrong with a period, and how one is typed. */
export function periodFault(reason: string, { nowMs, settings }: Scope): Pick<Reply, 'key' | 'params'> {
  return { key: reason, params: exampleOfPeriod(nowMs, settings.timeZone) };
}

/** A period to show how one is typed: always of this year. */
export function exampleOfPeriod(nowMs: number, timeZone: string): { from: number; to: number } {
  const { fromMs = nowMs } = namedPeriod('month', nowMs, timeZone);
  return { from: fromMs, to: nowMs };
}

/** The period as its first and last day. An end that is no midnight is the moment of asking, not what was asked for. */
export function periodLine({ fromMs, toMs }: Period, timeZone: string): Line {
  const lastDay = toMs === undefined ? undefined : dayAt(toMs - 1, timeZone);
  if (toMs === undefined || lastDay === undefined) return { key: 'history.period', context: 'all' };
  const to = toMs - 1;
  if (fromMs === undefined) {
    return startOfDay(lastDay + DAY_MS, timeZone) === toMs
      ? { key: 'history.period', context: 'until', params: { to } }
      : { key: 'history.period', context: 'all' };
  }
  return dayAt(fromMs, timeZone) === lastDay
    ? { key: 'history.period', context: 'day', params: { from: fromMs } }
    : { key: 'history.period', params: { from: fromMs, to } };
}

/** That a period was heard, where something else is still to be told. */
export function periodNoted({ toMs, ...period }: Period, { nowMs, settings }: Scope): Reply {
  const shown = periodLine({ ...period, toMs: toMs ?? nowMs }, settings.timeZone);
  const context = shown.context === 'day' ? undefined : shown.context;
  return { key: 'history.noted', context, params: { period: shown } };
}
