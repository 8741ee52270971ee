import { GRAMMARS, phrasesIn } from './grammars.ts';
import { type PeriodResult, readPeriod } from './values/period.ts';
import { timeWords } from './values/time-words.ts';

const small = phrasesIn(({ fillers }) => fillers);

/** The words of time of all languages. */
export const TIME = timeWords(
  GRAMMARS.map(({ periods }) => periods),
  small,
);

/** Reads a typed period (`readPeriod`). */
export const parsePeriod = (text: string, nowMs: number, timeZone: string): PeriodResult =>
  readPeriod(text, nowMs, timeZone, TIME);

/** What number words are worth, folded. */
export const NUMBERS: ReadonlyMap<string, number> = new Map(
  [...TIME.all].flatMap(([words, { senses }]) =>
    senses.flatMap((sense) =>
      sense.is === 'number' && !sense.ordinal ? [[words, sense.worth] as const] : [],
    ),
  ),
);
