import type { Expecting } from '../../src/conversation/commands.ts';
import { createConversation, slashCommands } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { createInterpreter } from '../../src/conversation/language/interpret.ts';
import { createPages } from '../../src/conversation/language/lists.ts';
import { type Answer, createLikes } from '../../src/conversation/language/nearest.ts';
import { nameOf, type PeriodResult } from '../../src/conversation/language/period.ts';
import { createReader, type Said } from '../../src/conversation/language/reading.ts';
import { readWords, split } from '../../src/conversation/language/words.ts';
import { SAYINGS, WORDING } from '../../src/i18n.ts';

/** The bot's own conversation, made once for all tests of a file. */
const conversation = createConversation({ flows, wording: WORDING, sayings: SAYINGS });
export const { step, readState, newState, commands, explain } = conversation;

/** What customers say, by the language files. */
export const words = readWords(SAYINGS);
export const reader = createReader(words, flows, new Map());

/** What texts say at a question. */
export const { interpret } = createInterpreter({ words, flows, commands: new Map(), answers: [] });
const { hear } = createReader(words, flows, slashCommands(flows, WORDING));

/** What a text says by itself; only what it says. */
export function understand(
  text: string,
): Partial<Omit<Said, 'period'>> & { readonly code?: string; readonly period?: string } {
  const { covered: _, agrees: _agrees, denies: _denies, exact: _exact, ...said } = hear(text);
  const [code] = said.codes;
  const period = said.period?.text;
  const all = Object.entries({ ...said, period, code }).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  return Object.fromEntries(all);
}

/** The names of periods of all languages. */
export const PERIOD_NAMES = [...words.periods.values()].flatMap((table) =>
  Object.entries(table).flatMap(([list, phrases]) => (nameOf(list) ? split(phrases) : [])),
);

/** What a text says of time; `at`: where. */
function periodAt(text: string, nowMs: number, timeZone: string, at: Expecting): PeriodResult {
  const reading = { settings: { gifts: [], codePrefixes: [], timeZone }, nowMs };
  for (const command of interpret(text, at, reading).commands) {
    if (command.do === 'period') return { ok: true, value: command.period };
    const wrong = command.do === 'unclear' && command.wrong?.kind === 'period' && command.wrong;
    if (wrong) return { ok: false, reason: wrong.reason as Extract<PeriodResult, { ok: false }>['reason'] };
  }
  return { ok: false, reason: 'period.shape' };
}
const NOWHERE: Expecting = { at: 'nothing', buttons: [], codes: [], references: [] };
/** A text that answers the question for a period. */
export const parsePeriod = (text: string, nowMs: number, timeZone: string) =>
  periodAt(text, nowMs, timeZone, { ...NOWHERE, at: 'slot', flow: 'history', kind: 'period' });
/** The period among what else a text says. */
export const periodIn = (text: string, nowMs: number, timeZone: string) =>
  periodAt(text, nowMs, timeZone, NOWHERE);
export const parsePage = createPages(words, reader.times.numbers);
/** Finds what answers a question; `answers`: the operator's. */
export const questionsOf = (answers: readonly Answer[] = []) =>
  createLikes(words, reader.lexicon, reader.asking, answers).question;
