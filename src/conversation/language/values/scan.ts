import { unmark, visible } from '../fold.ts';
import { GRAMMARS, phrasesIn } from '../grammars.ts';
import type { Unit } from './calendar.ts';
import { COUNTED, countedSpan } from './counted.ts';
import { PART, type Part, partIn } from './parts.ts';
import { NAMES, type Named } from './spans.ts';

/** A date as typed: a day, a month, a quarter or a year, perhaps without its year; of "1 - 5/11" the first is a day alone. */
export type Typed = {
  readonly day?: number | undefined;
  readonly month?: number | undefined;
  readonly quarter?: number | undefined;
  readonly year?: number | undefined;
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

const FROM = new Set(phrasesIn(({ range }) => range.from));
const TO_WORDS = phrasesIn(({ range }) => range.to);
const TO = new Set(TO_WORDS);
const AND = new Set(phrasesIn(({ range }) => range.and));
const BETWEEN = new Set(phrasesIn(({ range }) => range.between));
const WHOLE = new Set(phrasesIn(({ range }) => range.whole));
const DAYTIMES = new Set(phrasesIn(({ range }) => range.daytimes));
const TELLING = new Set(phrasesIn(({ range }) => range.telling));
const NOISE = new Set(
  [
    ...[...FROM, ...TO, ...AND, ...BETWEEN, ...WHOLE, ...DAYTIMES],
    ...phrasesIn(({ fillers, range }) => `${fillers}, ${range.others}`),
  ].filter((word) => !TELLING.has(word)),
);
const anyOf = (words: readonly string[]) => [...words].sort((a, b) => b.length - a.length).join('|');
const END = '(?![a-z0-9])';

const NOW_WORDS = `(?:${anyOf(phrasesIn(({ range }) => range.now))})${END}`;
const NOW = new RegExp(`(?:${anyOf(TO_WORDS)}) ${NOW_WORDS}`, 'y');
/** "Đầu năm tới giờ" has no "năm tới". */
const NAMED = [...NAMES.keys()]
  .sort((a, b) => b.length - a.length)
  .map((name) => (TO.has(name.split(' ').at(-1) ?? '') ? `${name}(?! ${NOW_WORDS})` : name));
const NAME = new RegExp(`(?:${NAMED.join('|')})${END}`, 'y');
const LUNAR = new RegExp(`\\b(?:${anyOf(phrasesIn(({ lunar }) => lunar))})${END}`);
const UNITS = (['week', 'month', 'quarter', 'year'] as const).map(
  (unit) => `(?<${unit}>${anyOf(phrasesIn(({ range }) => range.units[unit]))})${END}(?! \\d)`,
);
const UNIT = new RegExp(UNITS.join('|'), 'y');
const DATE = new RegExp(
  [
    // The first day of "1 - 5/11", "1 đến 5/11"; a day alone.
    String.raw`(?<bare>\d{1,2})(?= ?(?:\p{Pd}|${anyOf(TO_WORDS)}) ?(?:ngay )?\d{1,2}[/.]\d)`,
    String.raw`d(?<alone>\d{1,2})(?!\d)`,
    String.raw`(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?!\d)`,
    String.raw`(?<yFirst>20\d\d)[/-](?<mLast>\d{1,2})(?![\d/-])`,
    String.raw`(?<day>\d{1,2})(?<sep>[/.-])(?<month>\d{1,2})(?:\k<sep>(?<year>\d{4}|\d\d))?(?!\d)`,
    String.raw`(?:thang )?(?<mm>\d{1,2})[/.-](?<mmYear>\d{4})(?!\d)`,
    String.raw`thang (?<only>\d{1,2})(?!\d)`,
    String.raw`q(?<quarter>[1-4]|iv|i{1,3})(?:/(?<quarterYear>\d{4}|\d\d))?(?![a-z\d])`,
    String.raw`(?<yyyy>\d{4})(?!\d)`,
  ].join('|'),
  'uy',
);
const WORD = /[a-z]+/y;
const GAP = /[\s\p{Pd}~→,.:]+/uy;
const ROMAN = ['i', 'ii', 'iii', 'iv'];

const SHAPE = { ok: false, reason: 'period.shape' } as const;

/** A fault where the text says anything that is no part of a period. */
export function scan(text: string, today: number): Scan | Fault {
  const typed = GRAMMARS.reduce(
    (dates, { inNumbers }) => inNumbers(dates),
    unmark(visible(text)).replace(/ ?\/ ?/g, '/'),
  );
  if (LUNAR.test(typed)) return { ok: false, reason: 'period.lunar' };
  const items: Item[] = [];
  let open: Scan['open'];
  let [joined, listed] = [false, false];
  // "Năm" alone is a small word, but not after "cả" or "đầu".
  let wantsUnit = false;
  for (let at = 0; at < typed.length; ) {
    const found: Found | undefined =
      itemAt(typed, at, today) ?? (wantsUnit ? bareUnitAt(typed, at) : undefined);
    if (found) {
      items.push(found.item);
      joined ||= found.item.kind === 'now';
      wantsUnit = found.item.kind === 'part';
      at += found.length;
      continue;
    }
    const word = matchAt(WORD, typed, at)?.[0];
    const other = word ?? matchAt(GAP, typed, at)?.[0];
    if (other === undefined || (word !== undefined && !NOISE.has(word))) return SHAPE;
    at += other.length;
    wantsUnit ||= WHOLE.has(other);
    joined ||= BETWEEN.has(other);
    if (items.length > 0) {
      joined ||= TO.has(other) || /[\p{Pd}~→]/u.test(other);
      listed ||= AND.has(other);
    } else if (FROM.has(other)) open = 'to';
    // "Toi hom qua" is yesterday's evening; "den hom qua" ends there.
    else if (TO.has(other) && !(DAYTIMES.has(other) && matchAt(NAME, typed, at + 1))) open = 'from';
  }
  return { ok: true, items, open, joined, listed };
}

type Found = { readonly item: Item; readonly length: number };

/** What stands at this place; undefined: nothing of time. */
function itemAt(text: string, at: number, today: number): Found | undefined {
  const name = matchAt(NAME, text, at);
  const named = name && NAMES.get(name[0])?.(today);
  if (name && named) return { item: { kind: 'named', named }, length: name[0].length };
  const half = matchAt(PART, text, at);
  const part = half && partIn(half.groups ?? {});
  if (half && part) return { item: { kind: 'part', part }, length: half[0].length };
  const many = matchAt(COUNTED, text, at);
  const counted = many && countedSpan(many.groups ?? {}, today);
  if (many && counted) return { item: { kind: 'named', named: counted }, length: many[0].length };
  const now = matchAt(NOW, text, at);
  if (now) return { item: { kind: 'now' }, length: now[0].length };
  const date = matchAt(DATE, text, at);
  return date && { item: { kind: 'date', date: dateOf(date.groups ?? {}) }, length: date[0].length };
}

function bareUnitAt(text: string, at: number): Found | undefined {
  const match = matchAt(UNIT, text, at);
  const unit = (['week', 'month', 'quarter', 'year'] as const).find((one) => match?.groups?.[one]);
  return match && unit && { item: { kind: 'unit', unit }, length: match[0].length };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function dateOf(groups: Readonly<Record<string, string | undefined>>): Typed {
  const pick = (...names: string[]) => {
    const text = names.map((name) => groups[name]).find((value) => value !== undefined);
    return text === undefined ? undefined : Number(text);
  };
  const year = pick('y', 'yFirst', 'year', 'mmYear', 'quarterYear', 'yyyy');
  const quarter = groups.quarter;
  return {
    day: pick('d', 'day', 'bare', 'alone'),
    month: pick('m', 'mLast', 'month', 'mm', 'only'),
    quarter: quarter === undefined ? undefined : ROMAN.indexOf(quarter) + 1 || Number(quarter),
    year: year !== undefined && year < 100 ? 2000 + year : year,
  };
}
