import { DAY_MS } from '../zone.ts';
import { type Closed, firstOfMonth, type Unit } from './calendar.ts';

/** A part of the period that is named after it: "đầu tháng 10", "nửa cuối năm", "6 tháng đầu năm". */
export type Part = {
  readonly which: 'first' | 'middle' | 'last';
  readonly of: 'third' | 'half' | { readonly unit: 'days' | 'weeks' | 'months'; readonly count: number };
};

/** The days of a part of a calendar's span; undefined where it has no such part. */
export function partOf({ which, of }: Part, unit: Unit, whole: Closed): Closed | undefined {
  if (typeof of === 'object') return counted(which, of, whole);
  const bounds = of === 'half' ? halves(unit, whole) : thirds(unit, whole);
  const at = which === 'first' ? 0 : which === 'last' ? bounds.length - 2 : 1;
  const [from, to] = bounds.slice(at);
  return from === undefined || to === undefined ? undefined : { from, to };
}

function counted(
  which: Part['which'],
  { unit, count }: Exclude<Part['of'], string>,
  { from, to }: Closed,
): Closed | undefined {
  const days = (unit === 'weeks' ? 7 : 1) * count * DAY_MS;
  const part =
    which === 'first'
      ? { from, to: unit === 'months' ? firstOfMonth(from, count) : from + days }
      : { from: unit === 'months' ? firstOfMonth(to, -count) : to - days, to };
  return part.from >= from && part.to <= to ? part : undefined;
}

/** A month's tens of days, a year's four months, a quarter's months; a week's beginning, middle and end, Saturday and Sunday. */
function thirds(unit: Unit, { from, to }: Closed): readonly number[] {
  switch (unit) {
    case 'week':
      return [from, from + 2 * DAY_MS, from + 5 * DAY_MS, to];
    case 'month':
      return [from, from + 10 * DAY_MS, from + 20 * DAY_MS, to];
    case 'quarter':
      return [from, firstOfMonth(from, 1), firstOfMonth(from, 2), to];
    case 'year':
      return [from, firstOfMonth(from, 4), firstOfMonth(from, 8), to];
    case 'day':
      return [];
  }
}

function halves(unit: Unit, { from, to }: Closed): readonly number[] {
  switch (unit) {
    case 'month':
      return [from, from + 15 * DAY_MS, to];
    case 'year':
      return [from, firstOfMonth(from, 6), to];
    case 'day':
    case 'week':
    case 'quarter':
      return [];
  }
}
