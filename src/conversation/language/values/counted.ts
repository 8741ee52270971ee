import { fold } from '../fold.ts';
import { GRAMMARS } from '../grammars.ts';
import { DAY_MS } from '../zone.ts';
import { monthsBefore } from './calendar.ts';
import { type Named, unitNamed } from './spans.ts';

type Words = (typeof GRAMMARS)[number]['counted'];

const sources = (of: Exclude<keyof Words, 'numbers'>): string =>
  GRAMMARS.map(({ counted }) => counted[of])
    .filter((source) => source !== '')
    .join('|');

/** What number words are worth, folded. */
export const NUMBERS: ReadonlyMap<string, number> = new Map(
  GRAMMARS.flatMap(({ counted }) =>
    Object.entries(counted.numbers).map(([word, worth]) => [fold(word), worth] as const),
  ),
);
const WORDS = [...NUMBERS.keys()].sort((a, b) => b.length - a.length).join('|');
const END = '(?![a-z0-9])';

/** What is counted, in the order of size. */
const SORTS = ['hours', 'days', 'weeks', 'months', 'years'] as const;
const UNITS = SORTS.map((sort) => `(?<${sort}>${sources(sort)})`).join('|');
export const AMOUNT = `(?:(?<count>\\d{1,3}|${WORDS})|(?<few>${sources('few')})) ?(?:${UNITS})${END}`;

/** "10 ngay qua", "last 2 weeks", "3 ngay truoc"; sticky, over folded text. */
export const COUNTED = new RegExp(
  `(?<lead>(?:(?:${sources('before')}) ){0,3})${AMOUNT}` +
    `(?: (?:(?<ago>${sources('ago')})|(?<since>${sources('after')}))${END}){0,2}`,
  'y',
);

type Counted = { readonly unit: (typeof SORTS)[number]; readonly count: number | 'few' };

export function countedIn(groups: Groups): Counted | undefined {
  const unit = SORTS.find((sort) => groups[sort] !== undefined);
  const { count: written, few } = groups;
  const count = few === undefined ? (NUMBERS.get(written ?? '') ?? Number(written)) : 'few';
  return unit === undefined || count === 0 ? undefined : { unit, count };
}

type Groups = Readonly<Record<string, string | undefined>>;

/** How many "mấy ngày" are: rather too many than too few. */
const FEW = { hours: 24, days: 7, weeks: 4, months: 6, years: undefined } as const;
const CALENDAR = { days: 'day', weeks: 'week', months: 'month', years: 'year' } as const;

/**
 * The days that such a phrase counts, today among them ("3 thang gan day"); of "3 thang truoc" the month that was three
 * months ago. Undefined for none at all.
 */
export function countedSpan(groups: Groups, today: number): Named | undefined {
  const counted = countedIn(groups);
  if (!counted) return undefined;
  const { unit, count } = counted;
  const isAgo = groups.ago !== undefined && groups.since === undefined && groups.lead === '';
  if (isAgo && count !== 'few' && unit !== 'hours') return unitNamed(CALENDAR[unit], -count, today);
  const many = count === 'few' ? FEW[unit] : count;
  return { span: many === undefined ? {} : { from: firstDay(unit, many, today) } };
}

function firstDay(unit: Counted['unit'], count: number, today: number): number {
  switch (unit) {
    case 'hours':
      return today - Math.ceil(count / 24) * DAY_MS;
    case 'days':
      return today - (count - 1) * DAY_MS;
    case 'weeks':
      return today - (count * 7 - 1) * DAY_MS;
    case 'months':
      return monthsBefore(today, count);
    case 'years':
      return monthsBefore(today, count * 12);
  }
}
