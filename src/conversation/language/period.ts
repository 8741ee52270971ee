import { z } from 'zod';
import {
  DAY_MS,
  type Days,
  dayAt,
  firstOfMonth,
  monthsBefore,
  startOfDay,
  type Unit,
  unitAt,
  weekdayOf,
} from './calendar.ts';
import {
  is,
  type Name,
  named,
  nameOf,
  type Pieces,
  type Typed,
  unitCalled,
  unitOf,
  worthOf,
} from './period-words.ts';

/*
 * What the words of a period mean, in days, day before month always. What is not understood as a whole is no period:
 * nothing of it is left out.
 */

/** Half-open `[fromMs, toMs)`, epoch ms; an absent end is open. */
export const periodSchema = z.strictObject({ fromMs: z.number().optional(), toMs: z.number().optional() });
export type Period = z.infer<typeof periodSchema>;

type Fault = {
  readonly ok: false;
  readonly reason: 'period.shape' | 'period.reversed' | 'period.future' | 'period.lunar';
};
export type PeriodResult = { readonly ok: true; readonly value: Period } | Fault;

/** The periods that buttons offer, and what they are in the tables of the languages. */
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

/** The period behind a button. One that reaches into today has no end. */
export function namedPeriod(name: NamedPeriod, nowMs: number, timeZone: string): Period {
  const called = nameOf(BUTTONS[name]);
  return called ? inMs(spanNamed(called, dayAt(nowMs, timeZone)), timeZone) : {};
}

/** Reads what `period-words.ts` found; `small`: words that say nothing beside it. */
export function readPeriod(
  pieces: Pieces,
  nowMs: number,
  timeZone: string,
  small: ReadonlySet<string>,
): PeriodResult {
  const days = daysOf(pieces, dayAt(nowMs, timeZone), small);
  return 'ok' in days ? days : { ok: true, value: inMs(days, timeZone) };
}

/** A day after all that were typed, of a year that has a 29 February. */
const ANY_DAY = Date.UTC(2096, 11, 31);

/** Whether it is over, or has been going on: neither "this month" nor "tomorrow", nor "cuối tháng" of no month. */
export function isPast(pieces: Pieces, small: ReadonlySet<string>): boolean {
  const [first, second, ...more] = pieces.filter((piece) => !is(piece, 'of'));
  const { call, count } = named(first) ?? {};
  if (second === undefined && (call === 'all' || (call === 'unit' && count === 0))) return false;
  const isPart = ['whole', 'first', 'middle', 'end', 'half', 'few'].some((role) => is(first, role));
  const isUndecided = isPart && more.length === 0 && unitOf(second) !== undefined;
  return !isUndecided && !('ok' in daysOf(pieces, ANY_DAY, small));
}

/** Days `[from, to)`. An absent `to` reaches today, so that a record stamped by a fast clock is not missed. */
type Span = { readonly from?: number | undefined; readonly to?: number | undefined };

function inMs({ from, to }: Span, timeZone: string): Period {
  return {
    ...(from !== undefined && { fromMs: startOfDay(from, timeZone) }),
    ...(to !== undefined && { toMs: startOfDay(to, timeZone) }),
  };
}

/** This one (0), the last one (-1), … The one that is going on has no end. */
function unitNamed(unit: Unit, count: number, today: number): Span {
  const { from, to } = unitAt(unit, today, count);
  return to > today ? { from } : { from, to };
}

/** What a name of the tables calls, on a day. */
function spanNamed({ call, count, unit = 'day' }: Name, today: number): Span {
  switch (call) {
    case 'unit':
      return unitNamed(unit, count, today);
    case 'last':
      return { from: firstDay(unit, count, today) };
    case 'weekend': {
      // Without a count the latest that has begun.
      const monday = unitAt('week', today, count || 0).from;
      const isToCome = Number.isNaN(count) && monday + 5 * DAY_MS > today;
      const from = monday + (isToCome ? -2 : 5) * DAY_MS;
      return { from, to: from + 2 * DAY_MS };
    }
    case 'all':
      return {};
    case 'to come':
    case 'weekday to come':
      return { from: today + DAY_MS };
    default: {
      // The latest, today too; the last one, which is before today; the one of this week, which may be to come.
      const passed = weekdayOf(today) - count;
      const latest = (passed + 7) % 7;
      const back = call === 'this weekday' ? passed : call === 'last weekday' && latest === 0 ? 7 : latest;
      return unitNamed('day', -back, today);
    }
  }
}

/** The first of the last so many days, today among them. */
function firstDay(unit: string, many: number, today: number): number {
  if (unit === 'hour') return today - Math.ceil(many / 24) * DAY_MS;
  if (unit === 'day' || unit === 'week') return today - (many * (unit === 'day' ? 1 : 7) - 1) * DAY_MS;
  return monthsBefore(today, many * (unit === 'year' ? 12 : 1));
}

/*
 * A period is first written in signs, a sign a piece, which are then joined by a table until a span or two are left:
 *
 *     #5          a number                     month       a unit
 *     5/11/2026   a date; any part may lack    Q4/2025     a quarter
 *     [f:t:unit]  a span, days since 1970      <  -  &     from, to, and
 *     !           a word that changes a period in a way that nobody here knows: it stays, so it is none
 */

const ENDS = ['first', 'middle', 'end'];
/** What roles are written as, the first that a piece has; those that say nothing leave no sign. */
const SIGNS: Readonly<Record<string, string>> = {
  'first half': 'first half',
  'last half': 'end half',
  half: 'half',
  few: 'few',
  whole: 'whole',
  first: 'first',
  middle: 'middle',
  end: 'end',
  between: '^',
  'ago before': 'before',
  ago: 'ago',
  from: '<',
  to: '-',
  and: '&',
  past: 'past',
  since: 'since',
  of: '',
  daytimes: '',
  noise: '',
};

/** How many "mấy ngày" are: rather too many than too few. */
const FEW: Readonly<Record<string, number>> = { hour: 24, day: 7, week: 4, month: 6, year: 1000 };

function written({ from, to }: Span, unit = ''): string {
  const day = (ms: number | undefined) => (ms === undefined ? '' : ms / DAY_MS);
  return `[${day(from)}:${day(to)}:${unit}]`;
}

function signOf(pieces: Pieces, at: number, today: number, small: ReadonlySet<string>): string {
  const [before, piece, next] = [pieces[at - 1], pieces[at], pieces[at + 1]];
  if (piece === undefined) return '';
  const { date, text } = piece;
  if (date) return `${date.day ?? ''}/${date.month ?? ''}/${date.year ?? ''}`;
  const [number, month, name] = [worthOf(piece), worthOf(piece, 'month name'), named(piece)];
  const unit = unitOf(piece);
  const ordinal = worthOf(piece, 'ordinal') ?? number;
  const isBehindUnit = unitOf(before) !== undefined;
  // "Tháng từ 1/8": the number that "từ" is without its marks stands before no digit.
  const isWord = is(piece, 'from') && (next?.date !== undefined || worthOf(next) !== undefined);
  if (is(piece, 'now') && is(before, 'to')) return 'now';
  // "Tháng năm năm ngoái", "quý tư", "first quarter".
  if (ordinal !== undefined && !isWord && (isBehindUnit || unitOf(next) === 'quarter')) return `#${ordinal}`;
  if (is(piece, 'few') && unitOf(next)) return 'few';
  if (is(piece, 'half') && ENDS.some((end) => is(next, end))) return 'half';
  if (is(piece, 'since') && isBehindUnit) return 'since';
  // "T2" may be a month: a Monday only beside a week.
  if (name && (name.call !== 'weekday in a week' || named(next)))
    return written(spanNamed(name, today), name.unit ?? (name.call.includes('weekday') ? 'weekday' : ''));
  if (is(piece, 'telling') && !is(piece, 'ago') && !is(piece, 'few')) return '!';
  if (number !== undefined && !unit) return `#${number}`;
  if (month !== undefined) return `/${month}/`;
  // "Toi hom qua" is yesterday's evening; "den hom qua" ends there.
  if (is(piece, 'daytimes') && named(next)) return '';
  if (is(piece, 'past') && is(piece, 'end')) return 'last';
  if (unit) return unit;
  const role = Object.keys(SIGNS).find((one) => is(piece, one));
  if (role !== undefined) return SIGNS[role] ?? '';
  return text.split(' ').every((word) => small.has(word)) ? '' : '!';
}

type Join = (parts: readonly string[], today: number) => string | undefined;

/** What stands in a row and what it becomes, `$1` or made by a function; in this order. */
const JOINS: readonly (readonly [RegExp, string | Join])[] = [
  [/quarter #([1-4])\b|#([1-4]) quarter/g, 'Q$1$2/'],
  [/quarter \/([1-4])\/(\d{4})/g, 'Q$1/$2'],
  [/quarter ([1-4])\/(\d\d)\//g, 'Q$1/20$2'],
  [/month (?:#(\d\d?)\b|\/(\d+)\/)(\d*)/g, '/$1$2/$3'],
  [/day #(\d+)\b/g, '$1//'],
  [/(?:#(\d+)|\b(\d+)\/\/) \/(\d+)\//g, '$1$2/$3/'],
  [/(?<!\S)\/(\d+)\/ (?:#(\d+)|(\d+)\/\/)(?= |$)(?! (?:day|week|month))/g, '$2$3/$1/'],
  [/((?<!\S)\/\d+\/) - #(\d+)/g, '$1 - /$2/'],
  [/- #(\d+) (?=\/\/\d)/g, '- $1// '],
  [/(?:year )?\/\/(\d{4})/g, '//$1'],
  [/(\d*\/\d*\/|Q\d\/) \/\/(\d{4})/g, '$1$2'],
  [/(\d*\/\d*\/|Q\d\/) \[(\d+):\d*:year\]/g, ([date, day]) => `${date}${yearOf(day)}`],
  [
    /(?:#(\d+)|(\d+)\/\/) \[(\d+):\d*:month\]/g,
    ([one, two, day]) => `${one ?? two}/${monthOf(day)}/${yearOf(day)}`,
  ],
  [
    /\[(\d+):\d*:weekday\] \[(\d+):\d*:week\]/g,
    ([day, monday], today) => dayInWeek(Number(day), Number(monday), today),
  ],
  [/#(\d+) (day|week|month) (first|end)\b/g, '$3 $1 $2s of'],
  [/(first|last|end) #(\d+) (day|week|month)(?= [\d/[Q])/g, '$1 $2 $3s of'],
  [/(?<!# |\d )(day|week|month) (first|end)\b/g, '$2 1 $1s of'],
  [/half (first|end)/g, '$1 half'],
  // From one to the other.
  [/^middle (\S+) & (\S+)$/g, '^ $1 - $2'],
  [/few (\w+) (first|middle|end)/g, '$2'],
  [/before #(\d+) (\w+)/g, '#$1 $2 ago'],
  [/(past |last )?#(\d+) (day|week|month|year)((?: ago| since)+)/g, agoOf],
  [
    /(?:past |last )?(?:#(\d+)|few) (hour|day|week|month|year)(?: ago| since)*/g,
    ([many, unit = ''], today) =>
      many === '0' ? '!' : written({ from: firstDay(unit, Number(many ?? FEW[unit]), today) }),
  ],
  [
    /whole (week|month|quarter|year)/g,
    ([unit], today) => written(unitNamed(unitCalled(unit), 0, today), unit),
  ],
  [
    /(first|middle|end|last)( half| \d+ \w+s of)? (?:(week|month|quarter|year)(?! [\d/[Q])|(?:\w+ )?([\d/[Q]\S*))/g,
    partOf,
  ],
  [/\b(?:past|whole|day|week|month|quarter|year|since)\b/g, ''],
];

const yearOf = (day = '') => new Date(Number(day) * DAY_MS).getUTCFullYear();
const monthOf = (day = '') => new Date(Number(day) * DAY_MS).getUTCMonth() + 1;

function dayInWeek(day: number, monday: number, today: number): string {
  const count = monday - today / DAY_MS + weekdayOf(day * DAY_MS);
  return written(unitNamed('day', count, today), 'day');
}

/** "3 tháng trước" is a month; "last 3 days ago" nobody says. */
function agoOf([past, many, unit, more = '']: readonly string[], today: number): string {
  const isSpan = past !== undefined || more.includes('since');
  if (many === '0') return '!';
  return isSpan
    ? written({ from: firstDay(unit ?? '', Number(many), today) })
    : written(unitNamed(unitCalled(unit), -Number(many), today), unit);
}

/** Where a month, a quarter, a year and a week are cut in three and in two. */
const CUTS: Readonly<Record<string, readonly (readonly [unit: string, ...at: number[]])[]>> = {
  week: [['day', 2, 5]],
  month: [
    ['day', 10, 20],
    ['day', 15],
  ],
  quarter: [['month', 1, 2]],
  year: [
    ['month', 4, 8],
    ['month', 6],
  ],
};

/** "Đầu tháng 10", "nửa cuối năm", "6 tháng đầu năm". */
function partOf([end, of = '', unit, thing]: readonly string[], today: number): string | undefined {
  const [, from, named] = /^\[(\d*):\d*:(\w+)\]$/.exec(thing ?? '') ?? [];
  const typed = thing === undefined || from !== undefined ? undefined : dateIn(thing);
  const whole = typed ? lastTime(typed, today) : undefined;
  const kind = unit ?? named ?? (typed && unitOfDate(typed));
  const first = from === undefined ? whole?.from : Number(from) * DAY_MS;
  if (kind === undefined || kind === 'weekday' || (unit === undefined && first === undefined))
    return undefined;
  // Of no month in particular: the one whose part has begun.
  const wholes = [0, -1].map((count) =>
    unitAt(unitCalled(kind), first ?? today, first === undefined ? count : 0),
  );
  const parts = wholes.map((all) => cutOut(end === 'last' ? 'end' : (end ?? ''), of, kind, all));
  const part = first === undefined ? parts.find((one) => one && one.from <= today) : parts[0];
  return part && written(part);
}

function cutOut(end: string, of: string, kind: string, { from, to }: Days): Days | undefined {
  const [, many, unit = ''] = /^ (\d+) (\w+)s of$/.exec(of) ?? [];
  const at = (base: number, count: number, by: string) =>
    by === 'month' ? firstOfMonth(base, count) : base + count * (by === 'week' ? 7 : 1) * DAY_MS;
  if (many !== undefined) {
    const count = Number(many);
    const part = end === 'first' ? { from, to: at(from, count, unit) } : { from: at(to, -count, unit), to };
    return part.from >= from && part.to <= to ? part : undefined;
  }
  const [by, ...cuts] = CUTS[kind]?.[of === ' half' ? 1 : 0] ?? [''];
  const bounds = [from, ...cuts.map((count) => at(from, count, by)), to];
  const place = end === 'first' ? 0 : end === 'end' ? bounds.length - 2 : 1;
  const [start, stop] = bounds.slice(place);
  return cuts.length === 0 || start === undefined || stop === undefined
    ? undefined
    : { from: start, to: stop };
}

const SHAPE = { ok: false, reason: 'period.shape' } as const;
/** Nobody needs more words for a period. */
const MOST_SIGNS = 20;
const THING = String.raw`(\[\S*\]|#\d+|Q\S+|\d*/\d*/\d*|now)`;
/** One date or span, perhaps open at an end, or two. */
const WHOLE = new RegExp(`^(<|-|\\^)? ?${THING}(?:(?: ([-&]))* ${THING})?$`);

function daysOf(pieces: Pieces, today: number, small: ReadonlySet<string>): Span | Fault {
  if (pieces.some((piece) => is(piece, 'lunar'))) return { ok: false, reason: 'period.lunar' };
  const signs = pieces.map((_, at) => signOf(pieces, at, today, small)).filter((sign) => sign !== '');
  if (signs.length > MOST_SIGNS) return SHAPE;
  let said = signs.join(' ');
  for (const [row, into] of JOINS)
    said = said.replace(row, (...found) => {
      const end = found.findIndex((one) => typeof one === 'number');
      const groups = found.slice(1, end);
      return typeof into === 'string'
        ? into.replace(/\$(\d)/g, (_, at) => groups[Number(at) - 1] ?? '')
        : (into(groups, today) ?? '!');
    });
  const [, open, first, join, second] = WHOLE.exec(said.replace(/ +/g, ' ').trim()) ?? [];
  if (first === undefined) return SHAPE;
  const isJoined = open === '^' || join === '-' || second === 'now';
  const days = second === undefined ? single(first, open, today) : pair(first, second, join, isJoined, today);
  const isToCome = !('ok' in days) && days.from !== undefined && days.from > today;
  return isToCome ? { ok: false, reason: 'period.future' } : days;
}

function dateIn(sign: string): Typed | undefined {
  const number = (digits: string | undefined) => (digits ? Number(digits) : undefined);
  const [, quarter, inYear] = /^Q(\d)\/(\d*)$/.exec(sign) ?? [];
  if (quarter) return { quarter: Number(quarter), year: number(inYear) };
  const [, bare, day, month, year] = /^(?:#(\d+)|(\d*)\/(\d*)\/(\d*))$/.exec(sign) ?? [];
  const typed = { day: number(bare ?? day), month: number(month), year: number(year) };
  return (typed.day ?? typed.month ?? typed.year) === undefined ? undefined : typed;
}

function spanIn(sign: string, today: number): Span | undefined {
  if (sign === 'now') return {};
  const [, from, to] = /^\[(\d*):(\d*):/.exec(sign) ?? [];
  const ms = (day: string | undefined) => (day ? Number(day) * DAY_MS : undefined);
  if (from !== undefined) return { from: ms(from), to: ms(to) };
  const date = sign.startsWith('#') ? undefined : dateIn(sign);
  return date && lastTime(date, today);
}

function single(sign: string, open: string | undefined, today: number): Span | Fault {
  const span = spanIn(sign, today);
  if (!span || sign === 'now' || open === '^') return SHAPE;
  if (open === '<') return span.from === undefined ? SHAPE : { from: span.from };
  return open === '-' ? { to: span.to } : span;
}

/**
 * Two make a range where a word or a dash says so, or where both are days; two that are only named one after the other
 * are a period where nothing lies between them ("tháng 9 và tháng 10").
 */
function pair(
  first: string,
  second: string,
  join: string | undefined,
  isJoined: boolean,
  today: number,
): Span | Fault {
  const [start, end] = [dateIn(first), dateIn(second)];
  const { from, to } =
    start && end ? range(start, end, today) : { from: spanIn(first, today), to: spanIn(second, today) };
  if (!from || !to || from.from === undefined) return SHAPE;
  const areDays = start?.day !== undefined && end?.day !== undefined && join !== '&';
  if (!isJoined && !areDays && from.to !== to.from) return SHAPE;
  return isAfter(from, to) ? { ok: false, reason: 'period.reversed' } : { from: from.from, to: to.to };
}

const unitOfDate = ({ day, month, quarter }: Typed): Unit =>
  day !== undefined ? 'day' : month !== undefined ? 'month' : quarter === undefined ? 'year' : 'quarter';

/** Undefined for dates that no calendar has, and for years in which nobody earned points. */
function spanOf({ day, month, quarter, year }: Typed, inYear = year): Days | undefined {
  if (inYear === undefined || inYear < 2000 || inYear > 2099) return undefined;
  if (quarter !== undefined)
    return { from: Date.UTC(inYear, quarter * 3 - 3), to: Date.UTC(inYear, quarter * 3) };
  if (month === undefined && day !== undefined) return undefined;
  if (month === undefined) return { from: Date.UTC(inYear, 0), to: Date.UTC(inYear + 1, 0) };
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) return { from: Date.UTC(inYear, month - 1), to: Date.UTC(inYear, month) };
  const from = Date.UTC(inYear, month - 1, day);
  return new Date(from).getUTCDate() === day && day > 0 ? { from, to: from + DAY_MS } : undefined;
}

/** Without a year, or without a month: the last time that there was such a one. */
function lastTime(date: Typed, today: number): Days | undefined {
  if (date.year !== undefined) return spanOf(date);
  const year = new Date(today).getUTCFullYear();
  const isDay = date.day !== undefined && date.month === undefined;
  const candidates = isDay
    ? [0, -1, -2].map((months) => spanOf({ ...date, ...monthAt(firstOfMonth(today, months)) }))
    : [year, year - 1].map((one) => spanOf(date, one));
  return candidates.find((span) => span && span.from <= today);
}

const monthAt = (day: number): Typed => ({
  month: new Date(day).getUTCMonth() + 1,
  year: new Date(day).getUTCFullYear(),
});

/** What one end lacks is the other's; "1/12 - 31/1" crosses New Year if that end has passed. */
function range(start: Typed, end: Typed, today: number): { from?: Span | undefined; to?: Span | undefined } {
  const first =
    start.day !== undefined && start.month === undefined
      ? { ...end, ...start, month: end.month, year: end.year }
      : start;
  const from =
    first.year === undefined && end.year !== undefined
      ? [end.year, end.year - 1]
          .map((year) => spanOf(first, year))
          .find((one) => one && !isAfter(one, spanOf(end)))
      : lastTime(first, today);
  if (!from) return {};
  if (end.day !== undefined && end.month === undefined)
    return { from, to: spanOf({ ...end, ...monthAt(from.from) }) };
  if (end.year !== undefined) return { from, to: spanOf(end) };
  const [same, next] = [0, 1].map((more) => spanOf(end, new Date(from.from).getUTCFullYear() + more));
  const isNext = next && next.from <= today && (!same || isAfter(from, same));
  return { from, to: isNext ? next : same };
}

function isAfter(first: Span, second: Span | undefined): boolean {
  return second?.from !== undefined && first.from !== undefined && second.from < first.from;
}
