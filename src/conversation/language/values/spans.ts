import { DAYS, type NamedDays, type NamedPeriod, PERIODS } from '../grammar.ts';
import { GRAMMARS, phrasesIn } from '../grammars.ts';
import { split } from '../vocabulary.ts';
import { DAY_MS } from '../zone.ts';
import { monthsBefore, type Unit, unitAt, weekdayOf } from './calendar.ts';

/**
 * Days `[from, to)` as `zone.ts` writes them. An absent `to` reaches today, so that a record stamped by a fast clock is not
 * missed; an absent `from` has no beginning.
 */
export type Span = { readonly from?: number | undefined; readonly to?: number | undefined };

/** What a phrase calls: a period, and what it can tell more of what stands beside it ("tháng 9 năm ngoái", "đầu tháng này"). */
export type Named = { readonly span: Span; readonly is?: Unit | 'weekday' | undefined };

/** The period behind a button. `7d` and `30d` are today and the days before it. */
export const namedSpan = (name: NamedPeriod, today: number): Span => periodNamed(name, today).span;

function periodNamed(name: NamedPeriod, today: number): Named {
  switch (name) {
    case '7d':
      return { span: { from: today - 6 * DAY_MS } };
    case '30d':
      return { span: { from: today - 29 * DAY_MS } };
    case 'month':
      return unitNamed('month', 0, today);
    case 'lastMonth':
      return unitNamed('month', -1, today);
    case 'all':
      return { span: {} };
  }
}

function daysNamed(name: NamedDays, today: number): Named {
  switch (name) {
    case 'today':
      return unitNamed('day', 0, today);
    case 'yesterday':
      return unitNamed('day', -1, today);
    case 'dayBefore':
      return unitNamed('day', -2, today);
    case 'week':
      return unitNamed('week', 0, today);
    case 'lastWeek':
      return unitNamed('week', -1, today);
    case 'weekBefore':
      return unitNamed('week', -2, today);
    case 'monthBefore':
      return unitNamed('month', -2, today);
    case 'quarter':
      return unitNamed('quarter', 0, today);
    case 'lastQuarter':
      return unitNamed('quarter', -1, today);
    case 'year':
      return unitNamed('year', 0, today);
    case 'lastYear':
      return unitNamed('year', -1, today);
    case 'yearBefore':
      return unitNamed('year', -2, today);
    case 'halfMonth':
      return { span: { from: today - 14 * DAY_MS } };
    case 'halfYear':
      return { span: { from: monthsBefore(today, 6) } };
    case 'pastYear':
      return { span: { from: monthsBefore(today, 12) } };
    case 'lastTime':
      return { span: {} };
  }
}

/** This one (0), the last one (-1), … The one that is going on has no end. */
export function unitNamed(is: Unit, count: number, today: number): Named {
  const { from, to } = unitAt(is, today, count);
  return { span: to > today ? { from } : { from, to }, is };
}

/** `latest`: today counts; `last`: today does not; `this`: of this week, which may be to come. */
function weekdayNamed(weekday: number, which: 'latest' | 'last' | 'this', today: number): Named {
  const since = weekdayOf(today) - weekday;
  const inWeek = ((since % 7) + 7) % 7;
  const back = which === 'this' ? since : which === 'last' && inWeek === 0 ? 7 : inWeek;
  return { ...unitNamed('day', -back, today), is: 'weekday' };
}

const future = (today: number): Named => ({ span: { from: today + DAY_MS } });

/** What each phrase that names a period calls, given today. */
export const NAMES: ReadonlyMap<string, (today: number) => Named> = new Map(
  [
    ...PERIODS.map((name) => ({
      phrases: phrasesIn(({ periods }) => periods[name]),
      call: (today: number) => periodNamed(name, today),
    })),
    ...DAYS.map((name) => ({
      phrases: phrasesIn(({ days }) => days[name]),
      call: (today: number) => daysNamed(name, today),
    })),
    { phrases: phrasesIn((grammar) => grammar.future), call: future },
    ...GRAMMARS.flatMap(({ weekdays }) =>
      weekdays.names.flatMap((names, weekday) => {
        const around = (patterns: string) =>
          split(names).flatMap((name) => split(patterns.replaceAll('~', name)));
        return [
          ...(['latest', 'last', 'this'] as const).map((which) => ({
            phrases: around(weekdays[which]),
            call: (today: number) => weekdayNamed(weekday, which, today),
          })),
          { phrases: around(weekdays.next), call: future },
        ];
      }),
    ),
  ].flatMap(({ phrases, call }) => phrases.map((phrase) => [phrase, call] as const)),
);
