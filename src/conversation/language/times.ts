import { fold, unmark } from './fold.ts';
import { isDash, isDate, type Token, type Word } from './tokens.ts';
import { type PeriodResult, readPeriod } from './values/period.ts';
import { type Phrase, pieces, type Role, type Sense, timeWords } from './values/time-words.ts';
import { split, type Words } from './words.ts';

/** A message's words that speak of a period, and the other ones. */
export type Found = { readonly said?: string | undefined; readonly others: readonly Word<Token>[] };

/** What texts say of time. */
export type Times = {
  /**
   * Finds the period that a message speaks of: all its words, so that one that is not understood is never taken for
   * another ("tháng trước nữa" is not last month).
   */
  find(words: readonly Word<Token>[]): Found;
  /** Reads a typed period (`readPeriod`). */
  parse(text: string, nowMs: number, timeZone: string): PeriodResult;
  /** Whether a stretch can be read as a period that is over, or has been going on: neither "this month" nor "tomorrow". */
  isPast(said: string | undefined): boolean;
  /** Whether a folded text is the name of a period. */
  isName(text: string): boolean;
  /** A date, a dash, "T9" or "30ngay" is taken as it was typed. */
  isLiteral(token: Pick<Token, 'text'>): boolean;
  /** Words that speak of time, for who looks for typing errors. */
  readonly words: readonly string[];
  /** What number words are worth, folded. */
  readonly numbers: ReadonlyMap<string, number>;
};

type Part = 'sure' | 'unit' | 'number' | 'before' | 'after' | 'both';

/** Whether a phrase has one of these meanings. */
const means = ({ senses }: Phrase, ...wanted: readonly (Role | Sense['is'])[]): boolean =>
  senses.some(({ is }) => wanted.includes(is));

/** A day after all that were typed, of a year that has a 29 February. */
const ANY_DAY = Date.UTC(2096, 11, 31);

export function createTimes(words: Words): Times {
  const tables = [...words.periods.values()];
  const TIME = timeWords(tables, words.list('small'));
  const written = (name: string) => tables.flatMap((table) => split(table[name]));
  /** The folded phrases of the tables' entry, as texts spell them too. */
  const of = (name: string): ReadonlySet<string> =>
    new Set(written(name).flatMap((phrase) => [fold(phrase), fold(TIME.spelt(phrase))]));
  const NUMBERS: ReadonlyMap<string, number> = new Map(
    [...TIME.all].flatMap(([phrase, { senses }]) =>
      senses.flatMap((sense) =>
        sense.is === 'number' && !sense.ordinal ? [[phrase, sense.worth] as const] : [],
      ),
    ),
  );

  /** Phrases that are periods, or speak of one, in pieces; by the first, the longest first. */
  const NAMED = [...TIME.all.values()].filter(
    (phrase) => means(phrase, 'name', 'lunar') && !phrase.senses.some((sense) => 'short' in sense),
  );
  const phrases = new Map<string, readonly Phrase[]>();
  for (const phrase of NAMED.toSorted((a, b) => b.words.length - a.words.length)) {
    const [first = ''] = phrase.words;
    phrases.set(first, [...(phrases.get(first) ?? []), phrase]);
  }

  const SURE = of('sure');
  const SPELT_ONLY = new Set(written('only as spelt'));
  /** With the words before them that make them months, of the same language. */
  const DOUBTFUL = new Map(
    tables.flatMap((table) => {
      const before = new Set(split(table.before).map(fold));
      return split(table.doubtful).map((month) => [fold(month), before] as const);
    }),
  );
  const UNITS = of('units');
  const BEFORE = of('before');
  const AFTER = of('after');
  const AND = of('and');
  const HOURS = of('hours');
  const AMOUNTS = new Set(words.list('amounts'));
  /** With a unit they speak of time, even where no mark tells the unit from a name. */
  const TELLING = new Set(
    ['first', 'middle', 'end', 'half', 'whole', 'few'].flatMap((role) => [...of(role)]),
  );
  const ORDINALS = new Set([
    ...[...NUMBERS.keys()].flatMap((phrase) => phrase.split(' ')),
    ...of('after a unit'),
    ...['i', 'ii', 'iii', 'iv'],
  ]);
  /** With their marks: "quà" is no "qua", "Tuấn" no "tuần". */
  const SPELT = new Set(
    tables.flatMap((table) => Object.values(table)).flatMap((phrases) => phrases.split(/[\s,=~]+/)),
  );
  /** "Cuối tháng", "cả năm": of which month or year, no word says. */
  const UNDECIDED = new RegExp(
    `^(?:${[...TELLING].join('|')})(?: of)?(?: the)? (?:${[...UNITS].join('|')})$`,
  );
  const LONGEST = Math.max(0, ...NAMED.map(({ words: { length } }) => length));

  const any = (...names: readonly string[]) => names.flatMap((name) => [...of(name)]).join('|') || '(?!)';
  const months = any('months');
  /** Written in one piece: "T9", "t9-t11", "Q1/2026", "30ngay". */
  const IN_ONE = new RegExp(
    `^(?:(?:${months})\\.?\\d{1,2}(?:[/.-](?:\\d{4}|(?:${months})?\\d{1,2}))?|(?:${any('quarters')})[1-4]/\\d{2,4}` +
      `|\\d{1,3}(?!d$)(?:${any('hours', 'days', 'weeks', 'months', 'years')}))$`,
  );

  function isInOne(text: string): boolean {
    if (!/\d/.test(text) || text.length > 12) return false;
    const folded = unmark(text);
    return IN_ONE.test(folded) && !SURE.has(folded);
  }

  const isLiteral = (token: Pick<Token, 'text'>) =>
    isDate(token) || isDash(token.text) || isInOne(token.text);

  function find(words: readonly Word<Token>[]): Found {
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
    return (/^\d{1,3}$/.test(text) && HOURS.has(next)) || (/^\d{1,3}$/.test(before) && HOURS.has(text));
  }

  /** A number in words or letters right after a unit: "tháng mười một", "quý IV". */
  function isOrdinal(words: readonly Word<Token>[], at: number): boolean {
    const [twoBefore = '', before = '', text = ''] = [at - 2, at - 1, at].map((one) => words[one]?.text);
    if (UNITS.has(before)) return ORDINALS.has(text);
    return UNITS.has(twoBefore) && NUMBERS.has(`${before} ${text}`);
  }

  /** How many words the phrase has that begins here; 0: none does. A word may be several pieces. */
  function phraseAt(words: readonly Word<Token>[], at: number): number {
    const [first = ''] = pieces(words[at]?.text ?? '');
    const found = phrases.get(first)?.find(({ words: phrase }) => lengthOf(phrase, words, at) > 0);
    return found ? lengthOf(found.words, words, at) : 0;
  }

  function lengthOf(phrase: readonly string[], words: readonly Word<Token>[], at: number): number {
    for (
      let length = 1, said: string[] = [];
      said.length < phrase.length && words[at + length - 1];
      length++
    ) {
      said = [...said, ...pieces(words[at + length - 1]?.text ?? '')];
      if (said.length === phrase.length && said.every((word, i) => word === phrase[i])) return length;
    }
    return 0;
  }

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
  function isListed(
    words: readonly Word<Token>[],
    parts: readonly (Part | undefined)[],
    at: number,
  ): boolean {
    const next = parts[at + 1];
    return AND.has(words[at]?.text ?? '') && (next === 'sure' || next === 'unit' || next === 'number');
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

  return {
    find,
    isLiteral,
    parse: (text, nowMs, timeZone) => readPeriod(text, nowMs, timeZone, TIME),
    isPast(said) {
      if (said === undefined || UNDECIDED.test(said)) return false;
      const senses = TIME.all.get(pieces(said).join(' '))?.senses ?? [];
      if (senses.some((sense) => sense.is === 'name' && sense.present)) return false;
      return readPeriod(said, ANY_DAY, 'UTC', TIME).ok;
    },
    isName(text) {
      const phrase = TIME.all.get(pieces(text).join(' '));
      return phrase !== undefined && means(phrase, 'name');
    },
    words: [
      ...[SURE, UNITS, BEFORE, AFTER].flatMap((all) => [...all]),
      ...NAMED.map((phrase) => phrase.words.join(' ')),
    ],
    numbers: NUMBERS,
  };
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
