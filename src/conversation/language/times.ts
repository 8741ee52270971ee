import { DAYS, PERIODS } from './grammar.ts';
import { GRAMMARS, phrasesIn } from './grammars.ts';
import { isDash, isLiteral, type Token, type Word } from './tokens.ts';
import { parsePeriod } from './values/period.ts';
import { split } from './vocabulary.ts';

/** A message's words that speak of a period, as `parsePeriod` reads them, and the other ones. */
export type Times = { readonly said?: string | undefined; readonly others: readonly Word<Token>[] };

type Part = 'sure' | 'unit' | 'number' | 'before' | 'after' | 'both';

/** Phrases by their first word, the longest first. */
const phrases = new Map<string, readonly (readonly string[])[]>();
/** Phrases that are periods. */
const NAMES = new Set([
  ...PERIODS.flatMap((name) => phrasesIn(({ periods }) => periods[name])),
  ...DAYS.flatMap((name) => phrasesIn(({ days }) => days[name])),
  ...phrasesIn(({ future }) => future),
]);
const NAMED = [...NAMES].map((phrase) => phrase.split(' '));
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
const AMOUNTS = new Set(phrasesIn(({ units }) => units));
/** With their marks: "quà" is no "qua", "Tuấn" no "tuần". */
const SPELT = new Set(
  GRAMMARS.flatMap(({ time, periods, days, future }) =>
    [...Object.values({ ...time, ...periods, ...days }), future].flatMap((words) => words.split(/[\s,]+/)),
  ),
);

/** Words that speak of time, for who looks for typing errors. */
export const TIME_WORDS: readonly string[] = [...SURE, ...UNITS, ...BEFORE, ...AFTER];

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
  return said !== undefined && !PRESENT.has(said) && parsePeriod(said, ANY_DAY, 'UTC').ok;
}

/** A day after all that were typed, of a year that has a 29 February. */
const ANY_DAY = Date.UTC(2096, 11, 31);
const PRESENT: ReadonlySet<string> = new Set([
  ...phrasesIn(({ periods: { month, all } }) => `${month}, ${all}`),
  ...phrasesIn(({ days: { today, week, quarter, year } }) => `${today}, ${week}, ${quarter}, ${year}`),
]);

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
  if (DOUBTFUL.has(text)) return isMonth(words, at) ? 'sure' : undefined;
  const isAmount = AMOUNTS.has(words[at + 1]?.text ?? '');
  if (/^20[1-9]\d$/.test(text)) return isAmount ? undefined : 'sure';
  if (/^\d{1,4}(?:st|nd|rd|th)?$/.test(text)) return isAmount ? undefined : 'number';
  if (UNITS.has(text)) return 'unit';
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
  }
  for (let at = words.length - 2; at >= 0; at--) {
    const part = parts[at];
    if (within[at + 1] && (part === 'number' || part === 'before' || part === 'both')) within[at] = true;
  }
  return parts.map((part, at) => (within[at] ? part : undefined));
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

/** Units alone are a period only with their marks; without, they may be anything. */
function isTelling(
  words: readonly Word<Token>[],
  parts: readonly (Part | undefined)[],
  from: number,
  to: number,
): boolean {
  const run = words.slice(from, to);
  const isMarked = run.some(({ source: { text } }) => !/^[\0-\x7f]*$/.test(text));
  return isMarked || parts.slice(from, to).some((part) => part !== 'unit' && part !== 'before');
}
