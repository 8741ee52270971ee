import { createConversation, wordsOf } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { intentWords } from '../../src/conversation/language/vocabulary.ts';
import { WORDING } from '../../src/i18n.ts';

/** The bot's own conversation, made once for all tests of a file. */
const conversation = createConversation({ flows, wording: WORDING });
export const { step, readState, newState, understand, explain, commands } = conversation;

/** What is understood, with the words for it, the most telling first. */
export const INTENTS = intentWords(flows.map(wordsOf), WORDING);
