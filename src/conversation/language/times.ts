import { GRAMMARS, phrasesIn } from './grammars.ts';
import { isDash, isLiteral, type Token, type Word } from './tokens.ts';
import { NUMBERS } from './values/counted.ts';
import { parsePeriod } from './values/period.ts';
import { NAMES } from './values/spans.ts';
import { split } from './vocabulary.ts';

/** A message's words that speak of a period, as `parsePeriod` reads them, and the other ones. */
export type Times = { readonly said?: string | undefined; readonly others: readonly Word<Token>[] };

type Part = 'sure' | 'unit' | 'number' | 'before' | 'after' | 'both';

/** Phrases that are periods, or speak of one. */
const NAMED = [...NAMES.keys(), ...phrasesIn(({ lunar }) => lunar)].map((phrase) => phrase.split(' '));
/** By their first word, the longest first. */
const phrases = new Map<string, readonly (readonly string[])[]>();
for (const words of NAMED) {
  const [first = ''] = words;
  phrases.set(
    first,
    [...(phrases.get(first) ?? []), words].sort((a, b) => b.length - a.length),
  );
}

const SURE = new Set(phrasesIn(({ time }) => time.sure));
const SPELT_ONLY = new Set(GRAMMARS.flatMap(({ time }) => time.spelt.split(/[\s,]+/)));
/** With the words before them that make them months, of the same language. */
const DOUBTFUL = new Map(
  GRAMMARS.flatMap(({ time }) =>
    split(time.doubtful).map((month) => [month, new Set(split(time.before))] as const),
  ),
);
const UNITS = new Set(phrasesIn(({ time }) => time.units));
const BEFORE = new Set(phrasesIn(({ time }) => time.before));
const AFTER = new Set(phrasesIn(({ time }) => time.after));
const AND = new Set(phrasesIn(({ range }) => range.and));
const AMOUNTS = new Set(phrasesIn(({ units }) => units));
/** With a unit they speak of time, even where no mark tells the unit from a name. */
const TELLING = new Set(
  phrasesIn(
    ({ parts, range, counted }) =>
      `${Object.values(parts).join(', ')}, ${range.whole}, ${counted.few.replaceAll('|', ', ')}`,
  ),
);
const HOURS = new RegExp(`^(?:${GRAMMARS.map(({ counted }) => counted.hours).join('|')})$`);
const ORDINALS = new Set([
  ...[...NUMBERS.keys()].flatMap((words) => words.split(' ')),
  ...phrasesIn(({ time }) => time.ordinals),
  ...['i', 'ii', 'iii', 'iv'],
]);
/** With their marks: "quà" is no "qua", "Tuấn" no "tuần". */
const SPELT = new Set(
  GRAMMARS.flatMap(({ time, periods, days, weekdays, future, lunar, range, parts }) =>
    [time, periods, days, weekdays, { future, lunar }, range, parts].flatMap(Object.values),
  )
    .flat()
    .filter((words) => typeof words === 'string')
    .flatMap((words) => words.split(/[\s,]+/)),
);

/** Words that speak of time, for who looks for typing errors. */
export const TIME_WORDS: readonly string[] = [...SURE, ...UNITS, ...BEFORE, ...AFTER, ...NAMED.flat()];

/**
 * Finds the period that a message speaks of: all its words, so that one that is not understood is never taken for
 * another ("tháng trước nữa" is not last month).
 */
export function timesIn(words: readonly Word<Token>[]): Times {
  const parts = spread(
    words,
    words.map((_, at) => partAt(words, at)),
  );
  const isSaid = words.map((_, at) => parts[at] !== undefined);
  const runs = runsOf(isSaid).filter(([from, to]) => isTelling(words, parts, from, to));
  if (runs.length === 0) return { others: words };
  const said = runs.map(([from, to]) =>
    words
      .slice(from, to)
      .map(({ text }) => text)
      .join(' '),
  );
  const taken = (at: number) => runs.some(([from, to]) => at >= from && at < to);
  return { said: said.join(' '), others: words.filter((_, at) => !taken(at)) };
}

/** Whether a folded text is the name of a period. */
export const isPeriodName = (text: string): boolean => NAMES.has(text);

/** Whether a stretch can be read as a period that is over, or has been going on: neither "this month" nor "tomorrow". */
export function isPast(said: string | undefined): boolean {
  if (said === undefined || PRESENT.has(said) || UNDECIDED.test(said)) return false;
  return parsePeriod(said, ANY_DAY, 'UTC').ok;
}

/** A day after all that were typed, of a year that has a 29 February. */
const ANY_DAY = Date.UTC(2096, 11, 31);
const PRESENT: ReadonlySet<string> = new Set([
  ...phrasesIn(({ periods: { month, all } }) => `${month}, ${all}`),
  ...phrasesIn(({ days: { today, week, quarter, year } }) => `${today}, ${week}, ${quarter}, ${year}`),
]);

/** "Cuối tháng", "cả năm": of which month or year, no word says. */
const UNDECIDED = new RegExp(`^(?:${[...TELLING].join('|')})(?: of)?(?: the)? (?:${[...UNITS].join('|')})$`);

/** What a word may be of a period, by itself. */
function partAt(words: readonly Word<Token>[], at: number): Part | undefined {
  const word = words[at];
  if (!word) return undefined;
  const { text, source } = word;
  if (isLiteral(source)) return isDash(text) ? 'number' : 'sure';
  if (SPELT_ONLY.has(source.text.normalize('NFC').toLowerCase())) return 'sure';
  if (!isSpelt(word)) return undefined;
  const length = phraseAt(words, at);
  if (length > 0 || inPhrase(words, at) || SURE.has(text)) return 'sure';
  if (DOUBTFUL.has(text) && isMonth(words, at)) return 'sure';
  if (isHours(words, at)) return 'sure';
  const isAmount = AMOUNTS.has(words[at + 1]?.text ?? '');
  if (/^20[1-9]\d$/.test(text)) return isAmount ? undefined : 'sure';
  if (/^\d{1,2}(?:st|nd|rd|th)$/.test(text) && words[at - 1]?.text === 'the') return 'sure';
  if (/^\d{1,4}(?:st|nd|rd|th)?$/.test(text)) return isAmount ? undefined : 'number';
  if (UNITS.has(text)) return 'unit';
  if (isOrdinal(words, at)) return 'number';
  if (BEFORE.has(text)) return AFTER.has(text) ? 'both' : 'before';
  return AFTER.has(text) ? 'after' : undefined;
}

/** "In May", "May 2026", "May 5", not "dau may 2 cai". */
function isMonth(words: readonly Word<Token>[], at: number): boolean {
  const [before, word, next] = [words[at - 1]?.text ?? '', words[at], words[at + 1]?.text ?? ''];
  if (/^20\d\d$/.test(next) || DOUBTFUL.get(word?.text ?? '')?.has(before)) return true;
  const isNamed = /^[A-Z]/.test(word?.source.text ?? '') && !AMOUNTS.has(words[at + 2]?.text ?? '');
  return isNamed && (/^\d/.test(next) || /^\d/.test(before));
}

/** "24 giờ". */
function isHours(words: readonly Word<Token>[], at: number): boolean {
  const [before = '', text = '', next = ''] = [at - 1, at, at + 1].map((one) => words[one]?.text);
  return (/^\d{1,3}$/.test(text) && HOURS.test(next)) || (/^\d{1,3}$/.test(before) && HOURS.test(text));
}

/** A number in words or letters right after a unit: "tháng mười một", "quý IV". */
function isOrdinal(words: readonly Word<Token>[], at: number): boolean {
  const [twoBefore = '', before = '', text = ''] = [at - 2, at - 1, at].map((one) => words[one]?.text);
  if (UNITS.has(before)) return ORDINALS.has(text);
  return UNITS.has(twoBefore) && NUMBERS.has(`${before} ${text}`);
}

/** How many words the phrase has that begins here; 0: none does. */
function phraseAt(words: readonly Word<Token>[], at: number): number {
  const found = phrases
    .get(words[at]?.text ?? '')
    ?.find((phrase) => phrase.every((text, i) => words[at + i]?.text === text));
  return found?.length ?? 0;
}

const LONGEST = Math.max(...NAMED.map(({ length }) => length));

/** Whether a phrase that began before goes on here. */
function inPhrase(words: readonly Word<Token>[], at: number): boolean {
  for (let from = Math.max(0, at - LONGEST); from < at; from++) {
    if (from + phraseAt(words, from) > at) return true;
  }
  return false;
}

function isSpelt({ source }: Word<Token>): boolean {
  return /^[\0-\x7f]*$/.test(source.text) || SPELT.has(source.text.normalize('NFC').toLowerCase());
}

/** The parts that belong to a period: what stands beside its names, and again beside that. */
function spread(words: readonly Word<Token>[], parts: readonly (Part | undefined)[]): (Part | undefined)[] {
  const isName = (part: Part | undefined) => part === 'sure' || part === 'unit';
  const within = parts.map(isName);
  for (let at = 1; at < words.length; at++) {
    const part = parts[at];
    if (within[at - 1] && (part === 'number' || part === 'after' || part === 'both')) within[at] = true;
    else if (within[at - 1] && isListed(words, parts, at)) within[at] = true;
  }
  for (let at = words.length - 2; at >= 0; at--) {
    const part = parts[at];
    if (within[at + 1] && (part === 'number' || part === 'before' || part === 'both')) within[at] = true;
  }
  return parts.map((part, at) => (within[at] ? (part ?? 'after') : undefined));
}

/** "Tháng 9 và tháng 10", "tháng 9 với 10". */
function isListed(words: readonly Word<Token>[], parts: readonly (Part | undefined)[], at: number): boolean {
  const next = parts[at + 1];
  return AND.has(words[at]?.text ?? '') && (next === 'sure' || next === 'unit' || next === 'number');
}

/** `[from, to)` of what is true without a gap. */
function runsOf(flags: readonly boolean[]): [from: number, to: number][] {
  const runs: [number, number][] = [];
  flags.forEach((flag, at) => {
    if (!flag) return;
    const last = runs.at(-1);
    if (last && last[1] === at) last[1] = at + 1;
    else runs.push([at, at + 1]);
  });
  return runs;
}

/** Units alone are a period only with their marks, or with a word that makes them one; else they may be anything. */
function isTelling(
  words: readonly Word<Token>[],
  parts: readonly (Part | undefined)[],
  from: number,
  to: number,
): boolean {
  const run = words.slice(from, to);
  const isMarked = run.some(({ source: { text } }) => !/^[\0-\x7f]*$/.test(text));
  const isMade = run.some(({ text }, at) => TELLING.has(text) && parts[from + at + 1] === 'unit');
  return isMarked || isMade || parts.slice(from, to).some((part) => part !== 'unit' && part !== 'before');
}
