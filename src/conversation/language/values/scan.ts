import { unmark, visible } from '../fold.ts';
import { GRAMMARS, phrasesIn } from '../grammars.ts';
import { COUNTED, countedSpan, NAMES, type Named } from './spans.ts';

/** A date as typed: a day, a month, a quarter or a year, perhaps without its year; of "1 - 5/11" the first is a day alone. */
export type Part = {
  readonly day?: number | undefined;
  readonly month?: number | undefined;
  readonly quarter?: number | undefined;
  readonly year?: number | undefined;
};

/** `now`: "đến nay". */
export type Item =
  | { readonly kind: 'date'; readonly part: Part }
  | { readonly kind: 'named'; readonly named: Named }
  | { readonly kind: 'now' };

/**
 * What a text says of time, in order. `open`: which end the words leave open where there is one date only ("từ 1/8" has no
 * `to`, "đến 31/8" no `from`); `joined`: a word or a dash stands between two.
 */
type Scan = {
  readonly items: readonly Item[];
  readonly open?: 'from' | 'to' | undefined;
  readonly joined: boolean;
};

const TO_WORDS = phrasesIn(({ range }) => range.to);
const FROM = new Set(phrasesIn(({ range }) => range.from));
const TO = new Set(TO_WORDS);
const TELLING = new Set(phrasesIn(({ range }) => range.telling));
const NOISE = new Set(
  [...FROM, ...TO, ...phrasesIn(({ fillers, range }) => `${fillers}, ${range.others}`)].filter(
    (word) => !TELLING.has(word),
  ),
);
const anyOf = (words: readonly string[]) => [...words].sort((a, b) => b.length - a.length).join('|');
const END = '(?![a-z0-9])';

const NAME = new RegExp(`(?:${anyOf([...NAMES.keys()])})${END}`, 'y');
const NOW = new RegExp(`(?:${anyOf(TO_WORDS)}) (?:${anyOf(phrasesIn(({ range }) => range.now))})${END}`, 'y');
const DATE = new RegExp(
  [
    // The first day of "1 - 5/11", "1 đến 5/11".
    String.raw`(?<bare>\d{1,2})(?= ?(?:\p{Pd}|${anyOf(TO_WORDS)}) ?(?:ngay )?\d{1,2}[/.]\d)`,
    String.raw`(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?!\d)`,
    String.raw`(?<day>\d{1,2})(?<sep>[/.-])(?<month>\d{1,2})(?:\k<sep>(?<year>\d{4}|\d\d))?(?!\d)`,
    String.raw`(?:thang )?(?<mm>\d{1,2})[/.-](?<mmYear>\d{4})(?!\d)`,
    String.raw`thang (?<only>\d{1,2})(?!\d)`,
    String.raw`q(?<quarter>[1-4]|iv|i{1,3})(?:/(?<quarterYear>\d{4}))?(?![a-z\d])`,
    String.raw`(?<yyyy>\d{4})(?!\d)`,
  ].join('|'),
  'uy',
);
const WORD = /[a-z]+/y;
const GAP = /[\s\p{Pd}~→,.:]+/uy;
const ROMAN = ['i', 'ii', 'iii', 'iv'];

/** Undefined where the text says anything that is no part of a period. */
export function scan(text: string, today: number): Scan | undefined {
  const typed = GRAMMARS.reduce(
    (dates, { inNumbers }) => inNumbers(dates),
    unmark(visible(text)).replace(/ ?\/ ?/g, '/'),
  );
  const items: Item[] = [];
  let open: Scan['open'];
  let joined = false;
  for (let at = 0; at < typed.length; ) {
    const found = itemAt(typed, at, today);
    if (found) {
      items.push(...found.items);
      joined ||= found.items[0]?.kind === 'now';
      at += found.length;
      continue;
    }
    const word = matchAt(WORD, typed, at)?.[0];
    const other = word ?? matchAt(GAP, typed, at)?.[0];
    if (other === undefined || (word !== undefined && !NOISE.has(word))) return undefined;
    at += other.length;
    if (items.length > 0) joined ||= TO.has(other) || /[\p{Pd}~→]/u.test(other);
    else if (FROM.has(other)) open = 'to';
    else if (TO.has(other)) open = 'from';
  }
  return { items, open, joined };
}

/** What stands at this place; undefined: nothing of time. */
function itemAt(
  text: string,
  at: number,
  today: number,
): { readonly items: readonly Item[]; readonly length: number } | undefined {
  const name = matchAt(NAME, text, at);
  const named = name && NAMES.get(name[0])?.(today);
  if (name && named) return { items: [{ kind: 'named', named }], length: name[0].length };
  const counted = matchAt(COUNTED, text, at);
  const span = counted && countedSpan(counted, today);
  if (counted && span) return { items: [{ kind: 'named', named: { span } }], length: counted[0].length };
  const now = matchAt(NOW, text, at);
  if (now) return { items: [{ kind: 'now' }], length: now[0].length };
  const date = matchAt(DATE, text, at);
  return date && { items: [{ kind: 'date', part: partOf(date.groups ?? {}) }], length: date[0].length };
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
  const year = pick('y', 'year', 'mmYear', 'quarterYear', 'yyyy');
  const quarter = groups.quarter;
  return {
    day: pick('d', 'day', 'bare'),
    month: pick('m', 'month', 'mm', 'only'),
    quarter: quarter === undefined ? undefined : ROMAN.indexOf(quarter) + 1 || Number(quarter),
    year: year !== undefined && year < 100 ? 2000 + year : year,
  };
}
