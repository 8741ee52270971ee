import type { Unit } from './calendar.ts';
import { fold, isAscii, remembered, unmark } from './text.ts';
import { isDash, isDate, type Token, type Word } from './tokens.ts';
import { anyOf, byFirstWord, split, type Words } from './words.ts';

/*
 * The words of time in a text: the table of the language files (`## periods`), and the stretch of a text that speaks of one
 * period. What the stretch means stands in `period.ts`.
 */

/** A date as typed: a day, a month, a quarter or a year, perhaps without its year. */
export type Typed = {
  readonly day?: number | undefined;
  readonly month?: number | undefined;
  readonly quarter?: number | undefined;
  readonly year?: number | undefined;
};

/** A period with a name: units from now (`month -1`), the last so many, a weekend, a weekday, all, what is to come. */
export type Name = { readonly call: string; readonly count: number; readonly unit?: Unit };

/** What a phrase of the table is: the name of its list, and what it is worth. */
type Sense = {
  readonly is: string;
  readonly worth?: number;
  readonly name?: Name;
  readonly unit?: Unit | 'hour';
};

/** A date in digits, a number, a phrase of the table, or a word that is in none. */
export type Piece = {
  readonly text: string;
  readonly senses: readonly Sense[];
  readonly date?: Typed | undefined;
  /** The words that it is made of: `[from, to)`. */
  readonly from: number;
  readonly to: number;
};

/** What a text says of one period, in order. */
export type Pieces = readonly Piece[];

type Phrase = { readonly words: readonly string[]; readonly senses: readonly Sense[] };

/** Lists that count: "ba = 3", "january = 1". */
const WORTH: Readonly<Record<string, string>> = {
  numbers: 'number',
  ordinals: 'ordinal',
  'month names': 'month name',
};
const UNITS: Readonly<Record<string, Unit | 'hour'>> = {
  hours: 'hour',
  days: 'day',
  weeks: 'week',
  months: 'month',
  quarters: 'quarter',
  years: 'year',
};
/** Small words: what each does stands in `period.ts`. */
const ROLES = [
  ...['from', 'to', 'between', 'now', 'and', 'of', 'whole', 'first', 'middle', 'end', 'half', 'few', 'past'],
  ...['first half', 'last half', 'since', 'ago', 'ago before', 'daytimes', 'noise', 'telling', 'lunar'],
];
const WEEKDAYS = ['weekday', 'last weekday', 'this weekday', 'weekday to come'];

/** The whole of `month -1`, `last 7 days`, `weekend 0`, `all`. */
const NAME = /^(?:(?<unit>day|week|month|quarter|year) (?<at>-?\d)|last (?<many>\d+) (?<of>day|month)s)$/;
const OTHER_NAMES = /^(?:all|to come|weekend(?: (-?\d))?)$/;

/** The period that a list's name stands for. */
export function nameOf(list: string): Name | undefined {
  const { unit, at, many, of } = NAME.exec(list)?.groups ?? {};
  if (unit) return { call: 'unit', count: Number(at), unit: unitCalled(unit) };
  if (many) return { call: 'last', count: Number(many), unit: unitCalled(of) };
  const other = OTHER_NAMES.exec(list);
  return other ? { call: list.replace(/ -?\d$/, ''), count: Number(other[1] ?? Number.NaN) } : undefined;
}

/** The unit of that name, a day where it is another's. */
export const unitCalled = (name = ''): Unit =>
  (['week', 'month', 'quarter', 'year'] as const).find((one) => one === name) ?? 'day';

/** `th`: what ends an ordinal in digits: "1st". */
const datesWith = (th: string) =>
  new RegExp(
    [
      String.raw`(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?!\d)`,
      String.raw`(?<yFirst>20\d\d)[/-](?<mLast>\d{1,2})(?![\d/-])`,
      // Of "1-5/11" the first is a day alone.
      String.raw`(?!\d{1,2}-\d{1,2}[/.]\d)(?<day>\d{1,2})(?<sep>[/.-])(?<month>\d{1,2})(?:\k<sep>(?<year>\d{4}|\d\d))?(?!\d)`,
      String.raw`(?<mm>\d{1,2})[/.-](?<mmYear>\d{4})(?!\d)`,
      String.raw`(?<yyyy>\d{4})(?!\d)`,
      String.raw`(?<th>\d{1,2})(?:${th})(?![a-z])`,
    ].join('|'),
    'uy',
  );
const PLAIN = /\d+|[a-z]+|[\p{Pd}~→]+|[^\s,.:/]/uy;

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
    day: pick('d', 'day', 'th'),
    month: pick('m', 'mLast', 'month', 'mm'),
    year: year !== undefined && year < 100 ? 2000 + year : year,
  };
}

export const is = (piece: Piece | undefined, role: string): boolean =>
  piece?.senses.some((sense) => sense.is === role) ?? false;
export const worthOf = (piece: Piece | undefined, role = 'number'): number | undefined =>
  piece?.senses.find((sense) => sense.is === role)?.worth;
export const named = (piece: Piece | undefined): Name | undefined =>
  piece?.senses.find(({ name }) => name)?.name;
export const unitOf = (piece: Piece | undefined): Unit | 'hour' | undefined =>
  piece?.senses.find(({ unit }) => unit)?.unit;

/** A part of a text: letters or digits of a word, a date, a dash. */
type Plain = { readonly text: string; readonly at: number; readonly date?: Typed };

type Place = 'sure' | 'unit' | 'number' | 'before' | 'after' | 'both';

/** Finds what texts say of time. Made once. */
export type Times = {
  /**
   * The period that a message speaks of: all its words, so that one that is not understood is never taken for another
   * ("tháng trước nữa" is not last month); and the other words.
   */
  find(words: readonly Word<Token>[]): {
    readonly said?: Pieces | undefined;
    readonly others: readonly Word<Token>[];
  };
  /** All of a text. */
  pieces(words: readonly Word<Token>[]): Pieces;
  /** A date, a dash, "T9" or "30ngay" is taken as it was typed. */
  isLiteral(token: Pick<Token, 'text'>): boolean;
  /** Whether a folded text is the name of a period. */
  isName(text: string): boolean;
  /** Words that say nothing beside a period. */
  readonly small: ReadonlySet<string>;
  /** Words that speak of time, for who looks for typing errors. */
  readonly words: readonly string[];
  /** What number words are worth, folded. */
  readonly numbers: ReadonlyMap<string, number>;
};

export function createTimes(words: Words): Times {
  const tables = [...words.periods.values()];
  const phrases = phrasesOf(words);
  const byFirst = byFirstWord(phrases.values());
  const of = (name: string): ReadonlySet<string> =>
    new Set(tables.flatMap((table) => split(table[name])).flatMap(words.foldings));
  const [sure, units, before, after, hours] = ['sure', 'units', 'before', 'after', 'hours'].map(of);
  const ordinals = of('after a unit');
  const amounts = new Set(words.list('amounts'));
  /** With their marks: "quà" is no "qua", "Tuấn" no "tuần". */
  const spelt = new Set(
    tables.flatMap((table) => Object.values(table)).flatMap((all) => all.split(/[\s,=~]+/)),
  );
  const onlySpelt = new Set(tables.flatMap((table) => split(table['only as spelt'])));
  /** With the words before them that make them months, of the same language. */
  const doubtful = new Map(
    tables.flatMap((table) => {
      const makes = new Set(split(table.before).map(fold));
      return split(table.doubtful).map((month) => [fold(month), makes] as const);
    }),
  );
  const any = (...names: readonly string[]) => anyOf(names.flatMap((name) => [...of(name)]));
  const months = any('months');
  /** Written in one piece: "T9", "t9-t11", "Q1/2026", "30ngay". */
  const inOne = new RegExp(
    `^(?:(?:${months})\\.?\\d{1,2}(?:[/.-](?:\\d{4}|(?:${months})?\\d{1,2}))?|(?:${any('quarters')})[1-4]/\\d{2,4}` +
      `|\\d{1,3}(?!(?:${words.list('amount endings').join('|')})$)(?:${any('hours', 'days', 'weeks', 'months', 'years')}))$`,
  );

  const dates = datesWith(any('ordinal endings'));
  const ordinal = new RegExp(`^\\d{1,2}(?:${any('ordinal endings')})$`);
  const beforeDay = of('before a day');

  function isLiteral({ text }: Pick<Token, 'text'>): boolean {
    if (!/\d/.test(text)) return isDash(text);
    if (isDate({ text })) return true;
    const folded = text.length > 12 ? '' : unmark(text);
    return inOne.test(folded) && !sure?.has(folded);
  }

  function plainOf({ text, source }: Word<Token>, at: number, isWhole: boolean): Plain[] {
    const isCut = /\d/.test(text) && (isWhole || isLiteral(source) || sure?.has(text) || ordinal.test(text));
    if (!isCut) return [{ text, at, ...(/^20[1-9]\d$/.test(text) && { date: { year: Number(text) } }) }];
    const letters = unmark(text);
    const found: Plain[] = [];
    for (let from = 0; from < letters.length; ) {
      const date = matchAt(dates, letters, from);
      const [piece] = date ?? matchAt(PLAIN, letters, from) ?? [];
      if (date) found.push({ text: piece ?? '', at, date: dateOf(date.groups ?? {}) });
      else if (piece !== undefined) found.push({ text: piece, at });
      from += piece?.length ?? 1;
    }
    return found;
  }

  /** The longest phrase that begins here; right after a number, a unit is counted: "3 tháng trước". */
  function phraseAt(all: readonly Plain[], at: number, found: readonly Piece[]): Phrase | undefined {
    const word = (i: number) => (all[i]?.date ? '' : (all[i]?.text ?? ''));
    const last = found.at(-1);
    // "Ngày 5 tháng trước" counts no months.
    const isCounted = unitOf(found.at(-2)) === undefined && (is(last, 'few') || is(last, 'number'));
    const unit = phrases.get(word(at));
    const isUnit = unit?.senses.some((sense) => sense.unit) ?? false;
    // "20 tháng trước" is a day of last month.
    const isDay = (worthOf(last) ?? 0) > 12 && unit?.senses.some(({ unit: of }) => of === 'month');
    if (isUnit && isCounted && !isDay) return unit;
    return byFirst.get(word(at))?.find((phrase) => {
      if (!phrase.words.every((one, i) => word(at + i) === one)) return false;
      if (phrase.words.length < 2 || !phrase.senses.some(({ name }) => name)) return true;
      // "Đầu năm tới giờ" has no "năm tới", "the start of May" does not begin with the start of all.
      const ends = phrases.get(phrase.words.at(-1) ?? '');
      const next = byFirst.get(word(at + phrase.words.length)) ?? [];
      const meets = (end: string, role: string) =>
        ends?.senses.some((sense) => sense.is === end) &&
        next.some(({ senses }) => senses.some((sense) => sense.is === role));
      return !meets('to', 'now') && !meets('first', 'of');
    });
  }

  function cut(said: readonly Word<Token>[], isWhole: boolean): Piece[] {
    const all = said.flatMap((word, at) => plainOf(word, at, isWhole));
    const found: Piece[] = [];
    for (let i = 0; i < all.length; ) {
      const { text = '', at = 0, date } = all[i] ?? {};
      const isOther = !date && !isSpelt(said[at]?.source.text ?? '');
      const phrase = date || isOther ? undefined : phraseAt(all, i, found);
      const length = phrase?.words.length ?? 1;
      const [worth] = /^\d{1,4}/.exec(text) ?? [];
      const number = worth === undefined || isOther ? [] : [{ is: 'number', worth: Number(text) }];
      const to = (all[i + length - 1]?.at ?? at) + 1;
      const senses = date ? [] : isDash(text) ? [{ is: 'to' }] : (phrase?.senses ?? number);
      found.push({ text: phrase?.words.join(' ') ?? text, senses, date, from: at, to });
      i += length;
    }
    return found;
  }

  const written = remembered((typed: string) => typed.normalize('NFC').toLowerCase());
  /** With its marks; without any, it may be whatever has its letters. */
  const isSpelt = remembered(
    (typed: string) => isAscii(typed) || isLiteral({ text: typed }) || spelt.has(written(typed)),
  );

  /** What a piece may be of a period, by itself. */
  function placeOf(
    piece: Piece,
    at: number,
    pieces: Pieces,
    said: readonly Word<Token>[],
  ): Place | undefined {
    const { text, senses, date, from } = piece;
    const source = said[from]?.source.text ?? '';
    const [first = ''] = text.split(' ');
    const next = pieces[at + 1];
    const isAmount = amounts.has(next?.text ?? '');
    if (isDash(text)) return 'number';
    if (isLiteral({ text: source })) return 'sure';
    if (onlySpelt.has(written(source))) return 'sure';
    if (!isSpelt(source)) return undefined;
    const isShort = senses.some(({ name }) => name?.call === 'weekday in a week');
    if ((named(piece) && !isShort) || is(piece, 'lunar') || sure?.has(text)) return 'sure';
    if (sure?.has(said[from]?.text ?? '')) return 'sure';
    if (doubtful.has(text) && isMonth(at, pieces, source)) return 'sure';
    if (is(piece, 'number') && hours?.has(next?.text ?? '')) return 'sure';
    if (is(pieces[at - 1], 'number') && hours?.has(text)) return 'sure';
    if (date?.year !== undefined) return isAmount ? undefined : 'sure';
    if (date?.day !== undefined) return beforeDay.has(pieces[at - 1]?.text ?? '') ? 'sure' : 'number';
    if (/^\d{1,4}$/.test(text)) return isAmount ? undefined : 'number';
    if (units?.has(text)) return 'unit';
    const isAfterUnit = units?.has(pieces[at - 1]?.text ?? '') ?? false;
    if (isAfterUnit && (is(piece, 'number') || is(piece, 'ordinal') || ordinals.has(first))) return 'number';
    if (before?.has(first)) return after?.has(first) ? 'both' : 'before';
    return after?.has(first) ? 'after' : undefined;
  }

  /** "In May", "May 2026", "May 5", not "dau may 2 cai". */
  function isMonth(at: number, pieces: Pieces, typed: string): boolean {
    const [previous, next] = [pieces[at - 1], pieces[at + 1]];
    const isNumber = (piece: Piece | undefined) => /^\d/.test(piece?.text ?? '');
    if (next?.date || doubtful.get(pieces[at]?.text ?? '')?.has(previous?.text ?? '')) return true;
    const isName = /^[A-Z]/.test(typed) && !amounts.has(pieces[at + 2]?.text ?? '');
    return isName && (isNumber(next) || isNumber(previous));
  }

  /** What stands beside the names of a period belongs to it, and again what stands beside that. */
  function spread(pieces: Pieces, places: readonly (Place | undefined)[]): boolean[] {
    const within = places.map((place) => place === 'sure' || place === 'unit');
    const isListed = (at: number) =>
      is(pieces[at], 'and') && ['sure', 'unit', 'number'].includes(places[at + 1] ?? '');
    for (const at of within.keys()) {
      const isNext = ['number', 'after', 'both'].includes(places[at] ?? '') || isListed(at);
      if (within[at - 1] && isNext) within[at] = true;
    }
    for (let at = within.length - 2; at >= 0; at--)
      if (within[at + 1] && ['number', 'before', 'both'].includes(places[at] ?? '')) within[at] = true;
    return within;
  }

  return {
    find(said) {
      const pieces = cut(said, false);
      const places = pieces.map((piece, at) => placeOf(piece, at, pieces, said));
      const within = spread(pieces, places);
      const runs: number[][] = [];
      for (const [at, isIn] of within.entries())
        if (isIn && within[at - 1]) runs.at(-1)?.push(at);
        else if (isIn) runs.push([at]);
      /** Units alone are a period only with their marks, or with a word that makes them one. */
      const isTelling = (run: readonly number[]) =>
        run.some((at, i) => {
          const place = places[at];
          const isUnit = run.slice(i).some((one) => places[one] === 'unit');
          const isMade = isUnit && MAKES.some((role) => is(pieces[at], role));
          const isMarked = said
            .slice(pieces[at]?.from, pieces[at]?.to)
            .some((word) => !isAscii(word.source.text));
          return isMade || isMarked || (place !== 'unit' && place !== 'before');
        });
      const taken = runs.filter(isTelling).flat();
      if (taken.length === 0) return { others: said };
      const found = taken.flatMap((at) => pieces[at] ?? []);
      const isTaken = (at: number) => found.some(({ from, to }) => at >= from && at < to);
      return { said: found, others: said.filter((_, at) => !isTaken(at)) };
    },
    pieces: (said) => cut(said, true),
    isLiteral,
    isName: (text) => phrases.get(text)?.senses.some(({ name }) => name) ?? false,
    small: new Set(words.list('small')),
    words: [...phrases.keys(), ...[sure, units, before, after].flatMap((all) => [...(all ?? [])])],
    numbers: new Map(
      [...phrases].flatMap(([phrase, { senses }]) =>
        senses.flatMap(({ is: role, worth }) =>
          role === 'number' && worth ? [[phrase, worth] as const] : [],
        ),
      ),
    ),
  };
}

/** With a unit they speak of time, even where no mark tells the unit from a name. */
const MAKES = ['first', 'middle', 'end', 'half', 'whole', 'few'];

/** All phrases of the tables, folded. */
function phrasesOf(words: Words): ReadonlyMap<string, Phrase> {
  const all = new Map<string, Phrase>();
  const add = (phrase: string, sense: Sense) => {
    for (const folded of words.foldings(phrase)) {
      const key = folded.match(/[a-z]+|\d+/g)?.join(' ') ?? '';
      all.set(key, { words: key.split(' '), senses: [...(all.get(key)?.senses ?? []), sense] });
    }
  };
  const pairs = (list: string | undefined) =>
    split(list).map((pair) => {
      const [phrase = '', worth] = pair.split('=').map((one) => one.trim());
      return { phrase, worth: Number(worth) };
    });
  for (const table of words.periods.values()) {
    for (const [list, phrases] of Object.entries(table)) {
      const name = nameOf(list);
      const [unit, role] = [UNITS[list], WORTH[list]];
      if (role) for (const { phrase, worth } of pairs(phrases)) add(phrase, { is: role, worth });
      else if (name ?? unit ?? ROLES.includes(list))
        for (const phrase of split(phrases))
          add(phrase, { is: unit ?? list, ...(name && { name }), ...(unit && { unit }) });
    }
    const days = pairs(table.weekdays);
    for (const which of WEEKDAYS)
      for (const around of split(table[which]))
        for (const { phrase, worth } of days)
          add(around.replace('~', phrase), { is: 'name', name: { call: which, count: worth - 1 } });
    for (const { phrase, worth } of pairs(table['weekdays in a week']))
      add(phrase, { is: 'name', name: { call: 'weekday in a week', count: worth - 1 } });
  }
  return all;
}
