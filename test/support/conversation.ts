import { createConversation, spokenOf } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { createListTalk } from '../../src/conversation/language/codes.ts';
import { createInterpreter } from '../../src/conversation/language/interpret.ts';
import { createPages } from '../../src/conversation/language/pages.ts';
import { type Answer, createQuestions } from '../../src/conversation/language/questions.ts';
import { createReader, type Said } from '../../src/conversation/language/reading.ts';
import { timeWords } from '../../src/conversation/language/values/time-words.ts';
import { readWords } from '../../src/conversation/language/words.ts';
import { SAYINGS, WORDING } from '../../src/i18n.ts';

/** The bot's own conversation, made once for all tests of a file. */
const conversation = createConversation({ flows, wording: WORDING, sayings: SAYINGS });
export const { step, readState, newState, commands, explain } = conversation;

/** What customers say, by the language files. */
export const words = readWords(SAYINGS);
const reader = createReader(words, flows.map(spokenOf), new Map());

/** What texts say at a question. */
export const { interpret } = createInterpreter({
  words,
  flows: flows.map(spokenOf),
  commands: new Map(),
  answers: [],
});

/** What a text says by itself; only what it says. */
export function understand(text: string): Partial<Said> & { readonly code?: string } {
  const { covered: _, agrees: _agrees, assents: _assents, ...said } = conversation.understand(text);
  const [code] = said.codes;
  const all = Object.entries({ ...said, code }).filter(([, value]) => value !== undefined && value !== false);
  return Object.fromEntries(all);
}

/** The words of time of all languages. */
export const TIME = timeWords([...words.periods.values()], words.list('small'));
export const parsePeriod = reader.times.parse;
export const parsePage = createPages(words, reader.times.numbers);
export const talkOfList = createListTalk(words);
/** Finds what answers a question; `answers`: the operator's. */
export const questionsOf = (answers: readonly Answer[] = []) =>
  createQuestions(words, reader.lexicon, reader.asking, answers);
