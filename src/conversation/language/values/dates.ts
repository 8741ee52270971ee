import { unmark, visible } from '../fold.ts';
import { GRAMMARS, phrasesIn } from '../grammars.ts';
import { DAY_MS } from '../zone.ts';

/** `[from, to)` in days as `zone.ts` writes them; an absent end is open. */
type Dates =
  | { readonly ok: true; readonly from?: number | undefined; readonly to?: number | undefined }
  | { readonly ok: false; readonly reason: 'period.shape' | 'period.reversed' };

/** A date as typed: a day, a month or a year, perhaps without its year. */
type Part = {
  readonly day?: number | undefined;
  readonly month?: number | undefined;
  readonly year?: number | undefined;
};
type Span = { readonly from: number; readonly to: number };

const SHAPE = { ok: false, reason: 'period.shape' } as const;

/** Reads one date or two, day before month; `today` decides which year was left out. */
export function typedDates(text: string, today: number): Dates {
  const read = scan(text);
  if (!read) return SHAPE;
  const [first, second] = read.parts;
  if (!first) return SHAPE;
  if (second) return range(first, second, today);
  const span = lastTime(first, today);
  if (!span) return SHAPE;
  if (read.open === 'to') return { ok: true, from: span.from };
  return read.open === 'from' ? { ok: true, to: span.to } : { ok: true, ...span };
}

/** Which end the words leave open where there is one date only: "từ 1/8" has no `to`, "đến 31/8" no `from`. */
type Scan = { readonly parts: readonly Part[]; readonly open?: 'from' | 'to' | undefined };

const DATE = new RegExp(
  [
    String.raw`(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?!\d)`,
    String.raw`(?<day>\d{1,2})(?<sep>[/.-])(?<month>\d{1,2})(?:\k<sep>(?<year>\d{4}|\d\d))?(?!\d)`,
    String.raw`(?:thang )?(?<mm>\d{1,2})[/.-](?<mmYear>\d{4})(?!\d)`,
    String.raw`thang (?<only>\d{1,2})(?!\d)`,
    String.raw`(?<yyyy>\d{4})(?!\d)`,
  ].join('|'),
  'y',
);
const WORD = /[a-z]+/y;
const GAP = /[\s\p{Pd}~→,.:]+/uy;
const FROM = new Set(phrasesIn(({ range }) => range.from));
const TO = new Set(phrasesIn(({ range }) => range.to));
const NOISE = new Set([
  ...FROM,
  ...TO,
  ...phrasesIn(({ fillers, dateWords, range }) => `${fillers}, ${dateWords}, ${range.others}`),
]);

function scan(text: string): Scan | undefined {
  const typed = GRAMMARS.reduce(
    (dates, { inNumbers }) => inNumbers(dates),
    unmark(visible(text)).replace(/ ?\/ ?/g, '/'),
  );
  const parts: Part[] = [];
  let open: Scan['open'];
  for (let at = 0; at < typed.length; ) {
    const date = matchAt(DATE, typed, at);
    const other = date ?? matchAt(WORD, typed, at) ?? matchAt(GAP, typed, at);
    if (!other) return undefined;
    at += other[0].length;
    if (date) parts.push(partOf(date.groups ?? {}));
    else if (parts.length === 0 && FROM.has(other[0])) open = 'to';
    else if (parts.length === 0 && TO.has(other[0])) open = 'from';
    else if (/[a-z]/.test(other[0]) && !NOISE.has(other[0])) return undefined;
  }
  return parts.length > 2 ? undefined : { parts, open };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function partOf(groups: Readonly<Record<string, string | undefined>>): Part {
  const pick = (...names: string[]) => {
    const text = names.map((name) => groups[name]).find((value) => value !== undefined);
    return text === undefined ? undefined : Number(text);
  };
  const year = pick('y', 'year', 'mmYear', 'yyyy');
  return {
    day: pick('d', 'day'),
    month: pick('m', 'month', 'mm', 'only'),
    year: year !== undefined && year < 100 ? 2000 + year : year,
  };
}

/** Undefined for dates that no calendar has, and for years in which nobody earned points. */
function spanOf({ day, month, year }: Part, inYear = year): Span | undefined {
  if (inYear === undefined || inYear < 2000 || inYear > 2099) return undefined;
  if (month === undefined) return { from: Date.UTC(inYear, 0), to: Date.UTC(inYear + 1, 0) };
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) return { from: Date.UTC(inYear, month - 1), to: Date.UTC(inYear, month) };
  const from = Date.UTC(inYear, month - 1, day);
  return new Date(from).getUTCDate() === day && day > 0 ? { from, to: from + DAY_MS } : undefined;
}

/** Without a year: this year's or, where that is yet to come, last year's. */
function lastTime(part: Part, today: number): Span | undefined {
  if (part.year !== undefined) return spanOf(part);
  const year = new Date(today).getUTCFullYear();
  return [year, year - 1].map((y) => spanOf(part, y)).find((span) => span && span.from <= today);
}

/** A year that one end lacks is the other's; "1/12 - 31/1" crosses New Year if that end has passed. */
function range(first: Part, second: Part, today: number): Dates {
  const from =
    first.year === undefined && second.year !== undefined
      ? [second.year, second.year - 1]
          .map((y) => spanOf(first, y))
          .find((s) => s && !isAfter(s, spanOf(second)))
      : lastTime(first, today);
  if (!from) return SHAPE;
  const to = second.year === undefined ? endWithoutYear(from, second, today) : spanOf(second);
  if (!to) return SHAPE;
  return isAfter(from, to)
    ? { ok: false, reason: 'period.reversed' }
    : { ok: true, from: from.from, to: to.to };
}

function endWithoutYear(from: Span, part: Part, today: number): Span | undefined {
  const year = new Date(from.from).getUTCFullYear();
  const same = spanOf(part, year);
  const next = spanOf(part, year + 1);
  return next && next.from <= today && (!same || isAfter(from, same)) ? next : same;
}

function isAfter(first: Span, second: Span | undefined): boolean {
  return second !== undefined && second.from < first.from;
}
