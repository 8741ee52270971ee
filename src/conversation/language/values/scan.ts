import { visible } from '../fold.ts';
import { DAY_MS } from '../zone.ts';
import { monthsBefore, type Unit } from './calendar.ts';
import type { Part } from './parts.ts';
import { type Named, type Phrase, type Role, type Sense, type TimeWords, unitNamed } from './time-words.ts';

/** A date as typed: a day, a month, a quarter or a year, perhaps without its year; `bare`: a number that may be a day. */
export type Typed = {
  readonly day?: number | undefined;
  readonly month?: number | undefined;
  readonly quarter?: number | undefined;
  readonly year?: number | undefined;
  readonly bare?: true;
};

/** `unit`: "năm" of "cả năm", which no word says which of; `part`: of the item after it; `now`: "đến nay". */
export type Item =
  | { readonly kind: 'date'; readonly date: Typed }
  | { readonly kind: 'named'; readonly named: Named }
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'part'; readonly part: Part }
  | { readonly kind: 'now' };

/**
 * What a text says of time, in order. `open`: which end the words leave open where there is one date only ("từ 1/8" has no
 * `to`, "đến 31/8" no `from`); `joined`: a word or a dash makes a range of two; `listed`: "tháng 9 và tháng 10".
 */
export type Scan = {
  readonly ok: true;
  readonly items: readonly Item[];
  readonly open?: 'from' | 'to' | undefined;
  readonly joined: boolean;
  readonly listed: boolean;
};

/** Days of the moon cannot be told from the words alone. */
type Fault = { readonly ok: false; readonly reason: 'period.shape' | 'period.lunar' };
const SHAPE = { ok: false, reason: 'period.shape' } as const;

/** A piece of a text about time: a date in digits, a number, a phrase of the tables, a dash, or anything else. */
type Piece =
  | { readonly is: 'date'; readonly date: Typed }
  | { readonly is: 'phrase'; readonly senses: readonly Sense[]; readonly words: readonly string[] }
  | { readonly is: 'dash' }
  | { readonly is: 'other'; readonly word: string };

const DATE = new RegExp(
  [
    String.raw`(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?!\d)`,
    String.raw`(?<yFirst>20\d\d)[/-](?<mLast>\d{1,2})(?![\d/-])`,
    // Of "1-5/11" the first is a day alone.
    String.raw`(?!\d{1,2}-\d{1,2}[/.]\d)(?<day>\d{1,2})(?<sep>[/.-])(?<month>\d{1,2})(?:\k<sep>(?<year>\d{4}|\d\d))?(?!\d)`,
    String.raw`(?<mm>\d{1,2})[/.-](?<mmYear>\d{4})(?!\d)`,
    String.raw`(?<yyyy>\d{4})(?!\d)`,
  ].join('|'),
  'uy',
);
const WORD =
  /(?<digits>\d+)(?<th>(?:st|nd|rd|th)(?![a-z]))?|(?<letters>[a-z]+)|(?<dash>[\p{Pd}~→]+)|(?<gap>[\s,.:/]+)/uy;

/** A fault where the text says anything that is no part of a period. */
export function scan(text: string, today: number, words: TimeWords): Scan | Fault {
  const found = cut(words.spelt(visible(text)).replace(/ ?\/ ?/g, '/'), words);
  if (found === undefined) return SHAPE;
  if (found.some((piece) => has(piece, 'lunar'))) return { ok: false, reason: 'period.lunar' };
  return read(found, today, words) ?? SHAPE;
}

/** The pieces of a text; undefined where it has a sign that no period has. */
function cut(text: string, words: TimeWords): Piece[] | undefined {
  const plain: { word: string; piece?: Piece }[] = [];
  for (let at = 0; at < text.length; ) {
    const date = matchAt(DATE, text, at);
    const word = date ? undefined : matchAt(WORD, text, at);
    const { digits, th, letters, dash } = word?.groups ?? {};
    if (date) plain.push({ word: '', piece: { is: 'date', date: dateOf(date.groups ?? {}) } });
    else if (dash !== undefined) plain.push({ word: '', piece: { is: 'dash' } });
    else if (digits !== undefined) plain.push({ word: digits, ...(th && { piece: dayOf(Number(digits)) }) });
    else if (letters !== undefined) plain.push({ word: letters });
    else if (word === undefined) return undefined;
    at += (date ?? word)?.[0].length ?? 1;
  }
  const found: Piece[] = [];
  for (let at = 0; at < plain.length; ) {
    const { word = '', piece } = plain[at] ?? {};
    const phrase = piece ? undefined : phraseAt(plain, at, found, words);
    if (piece) found.push(piece);
    else if (phrase) found.push({ is: 'phrase', ...phrase });
    else if (/^\d/.test(word))
      found.push({ is: 'phrase', senses: [{ is: 'number', worth: Number(word) }], words: [word] });
    else found.push({ is: 'other', word });
    at += phrase?.words.length ?? 1;
  }
  return found;
}

const dayOf = (day: number): Piece => ({ is: 'date', date: { day } });

/** The longest phrase that begins here; right after a number, a unit is counted: "3 tháng trước". */
function phraseAt(
  plain: readonly { word: string; piece?: Piece }[],
  at: number,
  found: readonly Piece[],
  { byFirst, all }: TimeWords,
): Phrase | undefined {
  const word = (i: number) => plain[i]?.word ?? '';
  const before = found.at(-1);
  // "Ngày 5 tháng trước" counts no months.
  const isFree = unitOf(found.at(-2)) === undefined;
  const number = !isFree ? undefined : has(before, 'few') ? 0 : worthOf(before);
  const unit = all.get(word(at));
  const counted = unit && unitOf({ is: 'phrase', ...unit });
  // "20 tháng trước" is a day of last month.
  if (counted !== undefined && number !== undefined && (number <= 12 || counted !== 'month')) return unit;
  return byFirst.get(word(at))?.find(({ words, senses }) => {
    if (!words.every((one, i) => word(at + i) === one)) return false;
    if (words.length < 2 || !senses.some(({ is }) => is === 'name')) return true;
    // "Đầu năm tới giờ" has no "năm tới", "the start of May" does not begin with the start of all.
    const ends = (role: Role) => all.get(words.at(-1) ?? '')?.senses.some(({ is }) => is === role);
    const goesOn = (role: Role) =>
      byFirst.get(word(at + words.length))?.some((next) => next.senses.some(({ is }) => is === role));
    return !(ends('to') && goesOn('now')) && !(ends('first') && goesOn('of'));
  });
}

function read(pieces: readonly Piece[], today: number, { small }: TimeWords): Scan | undefined {
  const items: Item[] = [];
  let open: Scan['open'];
  let [joined, listed, wantsUnit] = [false, false, false];
  for (let at = 0; at < pieces.length; ) {
    const piece = pieces[at];
    if (piece === undefined) break;
    const found = itemAt(pieces, at, today, wantsUnit);
    if (found) {
      items.push(...found.items);
      const last = found.items.at(-1);
      joined ||= last?.kind === 'now';
      wantsUnit = last?.kind === 'part';
      at += found.length;
      continue;
    }
    const isNoise =
      (piece.is === 'other' && small.has(piece.word)) || piece.is === 'dash' || isSmall(piece, small);
    if (!isNoise) return undefined;
    wantsUnit ||= has(piece, 'whole');
    joined ||= has(piece, 'between');
    const isTo = has(piece, 'to') || piece.is === 'dash';
    if (items.length > 0) {
      joined ||= isTo;
      listed ||= has(piece, 'and');
    } else if (has(piece, 'from')) open = 'to';
    // "Toi hom qua" is yesterday's evening; "den hom qua" ends there.
    else if (isTo && !(has(piece, 'daytimes') && nameAt(pieces[at + 1]))) open = 'from';
    at += 1;
  }
  return { ok: true, items, open, joined, listed };
}

const NOISE: readonly Role[] = [
  'from',
  'to',
  'between',
  'and',
  'of',
  'whole',
  'daytimes',
  'noise',
  'past',
  'since',
  'ago before',
];

/** Says nothing of its own; a unit beside what it names, too. */
function isSmall(piece: Piece, small: ReadonlySet<string>): boolean {
  if (piece.is !== 'phrase' || has(piece, 'telling')) return false;
  return (
    NOISE.some((role) => has(piece, role)) ||
    unitOf(piece) !== undefined ||
    piece.words.every((word) => small.has(word))
  );
}

type Found = { readonly items: readonly Item[]; readonly length: number };

/** What stands at this place; undefined: nothing of time. */
function itemAt(pieces: readonly Piece[], at: number, today: number, wantsUnit: boolean): Found | undefined {
  const piece = pieces[at];
  const next = pieces[at + 1];
  if (piece === undefined) return undefined;
  if (has(piece, 'now') && isTo(pieces[at - 1])) return { items: [{ kind: 'now' }], length: 1 };
  const ordinal = ordinalOf(piece);
  // "First quarter".
  if (ordinal !== undefined && next && unitOf(next) === 'quarter')
    return { items: [{ kind: 'date', date: { quarter: ordinal } }], length: 2 };
  const part = partAt(pieces, at);
  if (part) return part;
  const counted = countedAt(pieces, at, today);
  if (counted) return counted;
  if (piece.is === 'date') return { items: [{ kind: 'date', date: piece.date }], length: 1 };
  const unit = unitOf(piece);
  const dated = unit && next && datedBy(unit, next, pieces[at + 2]);
  if (dated) return { items: [{ kind: 'date', date: dated }], length: 2 };
  const month = monthOf(piece);
  if (month !== undefined) {
    const day = next && (next.is === 'date' ? next.date.day : worthOf(next));
    const isAlone = next?.is !== 'date' || next.date.month === undefined;
    const isDay = isAlone && day !== undefined && day <= 31;
    return { items: [{ kind: 'date', date: isDay ? { day, month } : { month } }], length: isDay ? 2 : 1 };
  }
  if (wantsUnit && unit !== undefined && unit !== 'hour' && unit !== 'day')
    return { items: [{ kind: 'unit', unit }], length: 1 };
  const name = nameAt(piece);
  // "T2" may be a month: a Monday only beside a week.
  if (name)
    return name.short && !nameAt(next)
      ? undefined
      : { items: [{ kind: 'named', named: name.call(today) }], length: 1 };
  const number = worthOf(piece);
  if (number !== undefined && number <= 31)
    return { items: [{ kind: 'date', date: { day: number, bare: true } }], length: 1 };
  return undefined;
}

/** "Tháng 9", "quý IV", "ngày 5", "tháng 8/2023", "quý 4/2025"; not "tháng 3 ngày". */
function datedBy(unit: Unit | 'hour', next: Piece, after: Piece | undefined): Typed | undefined {
  const number = nameAt(next) ? undefined : (worthOf(next) ?? ordinalOf(next));
  // "Tháng từ 1/8": the number that "từ" is without its marks stands before no digit.
  const isWord =
    has(next, 'from') && after !== undefined && (after.is === 'date' || worthOf(after) !== undefined);
  const date = next.is === 'date' ? next.date : undefined;
  switch (unit) {
    case 'day':
      return number !== undefined && number <= 31
        ? { day: number }
        : date?.day === undefined
          ? undefined
          : date;
    case 'month':
      if (number !== undefined && number <= 12 && !isWord) return { month: number };
      return date?.month !== undefined && date.day === undefined ? date : undefined;
    case 'quarter': {
      if (number !== undefined && number <= 4) return { quarter: number };
      const { day, month, year } = date ?? {};
      if (day !== undefined && month !== undefined && year === undefined && day <= 4)
        return { quarter: day, year: 2000 + month };
      return day === undefined && month !== undefined && month <= 4 ? { quarter: month, year } : undefined;
    }
    case 'year':
      return date?.year !== undefined && date.month === undefined ? date : undefined;
    case 'week':
    case 'hour':
      return undefined;
  }
}

/** How many "mấy ngày" are: rather too many than too few. */
const FEW = { hour: 24, day: 7, week: 4, month: 6, quarter: 4, year: undefined } as const;

/** "10 ngày qua", "last 2 weeks", "3 ngày trước", "5 tháng 11"; today counts, but of "3 tháng trước" the month is meant. */
function countedAt(pieces: readonly Piece[], at: number, today: number): Found | undefined {
  const [piece, next] = [pieces[at], pieces[at + 1]];
  const few = has(piece, 'few');
  const count = piece && (few ? 'few' : worthOf(piece));
  if (piece === undefined || next === undefined || count === undefined || nameAt(piece)) return undefined;
  const month = monthOf(next) ?? (has(next, 'of') ? monthOf(pieces[at + 2]) : undefined);
  if (month !== undefined && count !== 'few')
    return { items: [{ kind: 'date', date: { day: count, month } }], length: monthOf(next) ? 2 : 3 };
  const unit = unitOf(next);
  if (unit === undefined || count === 0 || unit === 'quarter') return undefined;
  const dated =
    unit === 'month' && pieces[at + 2] ? datedBy(unit, pieces[at + 2] ?? piece, pieces[at + 3]) : undefined;
  if (dated && count !== 'few')
    return { items: [{ kind: 'date', date: { day: count, ...dated } }], length: 3 };
  let length = 2;
  let [isAgo, isSince] = [has(pieces[at - 1], 'ago before'), has(pieces[at - 1], 'past')];
  for (; length < 4; length++) {
    const after = pieces[at + length];
    if (has(after, 'ago')) isAgo = true;
    else if (has(after, 'since')) isSince = true;
    else break;
  }
  if (isAgo && !isSince && count !== 'few' && unit !== 'hour')
    return { items: [{ kind: 'named', named: unitNamed(unit, -count, today) }], length };
  const many = count === 'few' ? FEW[unit] : count;
  const span = many === undefined ? {} : { from: firstDay(unit, many, today) };
  return { items: [{ kind: 'named', named: { span } }], length };
}

function firstDay(unit: Exclude<Unit, 'quarter'> | 'hour', many: number, today: number): number {
  switch (unit) {
    case 'hour':
      return today - Math.ceil(many / 24) * DAY_MS;
    case 'day':
      return today - (many - 1) * DAY_MS;
    case 'week':
      return today - (many * 7 - 1) * DAY_MS;
    case 'month':
      return monthsBefore(today, many);
    case 'year':
      return monthsBefore(today, many * 12);
  }
}

const ENDS = ['first', 'middle', 'end'] as const;
const whichOf = (piece: Piece | undefined) => ENDS.find((role) => has(piece, role));

/** "Đầu tháng 10", "nửa cuối năm", "6 tháng đầu năm", "tuần đầu tháng 10", "first 6 months of". */
function partAt(pieces: readonly Piece[], at: number): Found | undefined {
  const [piece, next, third, fourth] = [0, 1, 2, 3].map((i) => pieces[at + i]);
  const part = (
    which: Part['which'] | 'end' | undefined,
    of: Part['of'],
    length: number,
  ): Found | undefined =>
    which && { items: [{ kind: 'part', part: { which: which === 'end' ? 'last' : which, of } }], length };
  if (has(piece, 'first half')) return part('first', 'half', 1);
  if (has(piece, 'last half')) return part('last', 'half', 1);
  if (has(piece, 'half') && whichOf(next)) return part(whichOf(next), 'half', 2);
  const counted = countOf(piece, next);
  // "6 tháng đầu", and "first 6 months of", which has its parts in the other order.
  if (counted && whichOf(third)) return part(whichOf(third), counted, 3);
  if (has(piece, 'few') && unitOf(next) && whichOf(third)) return part(whichOf(third), 'third', 3);
  const later = countOf(next, third);
  if (whichOf(piece) && later && has(fourth, 'of')) return part(whichOf(piece), later, 4);
  const one = oneOf(piece);
  if (one && !isTo(pieces[at - 1]) && worthOf(pieces[at - 1]) === undefined && whichOf(next))
    return part(whichOf(next), one, 2);
  const another = oneOf(next);
  if (whichOf(piece) && another && has(third, 'of')) return part(whichOf(piece), another, 3);
  return has(piece, 'past') && !has(next, 'of') && next?.is !== 'date'
    ? undefined
    : part(whichOf(piece), 'third', 1);
}

function countOf(number: Piece | undefined, unit: Piece | undefined): Part['of'] | undefined {
  const count = number && worthOf(number);
  const one = oneOf(unit);
  return count === undefined || one === undefined ? undefined : { ...one, count };
}

function oneOf(piece: Piece | undefined): Exclude<Part['of'], string> | undefined {
  const unit = unitOf(piece);
  return unit === 'day' || unit === 'week' || unit === 'month' ? { unit: `${unit}s`, count: 1 } : undefined;
}

const isTo = (piece: Piece | undefined): boolean => has(piece, 'to') || piece?.is === 'dash';

function sense<Is extends Sense['is']>(
  piece: Piece | undefined,
  is: Is,
): Extract<Sense, { is: Is }> | undefined {
  if (piece?.is !== 'phrase') return undefined;
  return piece.senses.find((one): one is Extract<Sense, { is: Is }> => one.is === is);
}

const has = (piece: Piece | undefined, role: Role): boolean =>
  piece?.is === 'phrase' && piece.senses.some(({ is }) => is === role);
const nameAt = (piece: Piece | undefined) => sense(piece, 'name');
const unitOf = (piece: Piece | undefined) => sense(piece, 'unit')?.unit;
const monthOf = (piece: Piece | undefined) => sense(piece, 'month')?.month;
const worthOf = (piece: Piece | undefined): number | undefined => {
  const number = sense(piece, 'number');
  return number?.ordinal ? undefined : number?.worth;
};
const ordinalOf = (piece: Piece | undefined): number | undefined => sense(piece, 'number')?.worth;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function dateOf(groups: Readonly<Record<string, string | undefined>>): Typed {
  const pick = (...names: string[]) => {
    const text = names.map((name) => groups[name]).find((value) => value !== undefined);
    return text === undefined ? undefined : Number(text);
  };
  const year = pick('y', 'yFirst', 'year', 'mmYear', 'yyyy');
  return {
    day: pick('d', 'day'),
    month: pick('m', 'mLast', 'month', 'mm'),
    year: year !== undefined && year < 100 ? 2000 + year : year,
  };
}
