import type { Config } from './config.ts';
import { createConversation } from './conversation/conversation.ts';
import type { Flow } from './conversation/flow.ts';
import { flows } from './conversation/flows/index.ts';
import type { LanguageText } from './conversation/language/vocabulary.ts';
import { perLocale, type Wording } from './conversation/message.ts';
import { createWords, LANGUAGE_TEXTS, WORDING } from './i18n.ts';
import type { Log } from './observability/log.ts';
import { systemRuntime } from './runtime.ts';

/** For programs around the bot. */
export type TalkOptions = {
  /** In the order of the menu; `conversation/flows/` by default. */
  readonly flows?: readonly Flow[] | undefined;
  /** In addition to `locales/*.json`, for flows of a program around the bot. */
  readonly words?: Wording | undefined;
  /** In addition to `locales/*.md`. */
  readonly languageTexts?: readonly LanguageText[] | undefined;
  /** Preparing a conversation takes a quarter of a second: tests share one. */
  readonly create?: typeof createConversation | undefined;
};

/** Creates the conversation, and the words that channels render its replies with. */
export function openConversation(
  { answers, settings }: Config,
  { log, ...options }: TalkOptions & { readonly log: Log },
) {
  const wording = perLocale((locale) => ({ ...WORDING[locale], ...options.words?.[locale] }));
  const words = createWords({
    timeZone: settings.timeZone,
    resources: wording,
    onMissing: (what) => log.error({ what }, 'wording is missing in locales/'),
  });
  const languageTexts = [...LANGUAGE_TEXTS, ...(options.languageTexts ?? [])];
  const { create = createConversation } = options;
  const conversation = create({ flows: options.flows ?? flows, wording, languageTexts, answers });
  return { conversation, words };
}

/** Crockford's base32: a reference can be read out on the phone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The unguessable ids of one step. `operation` is also the customer's reference. */
export function createStepIds(): { readonly operation: string; readonly view: string } {
  let letters = '';
  for (const byte of systemRuntime.bytes(16)) letters += ALPHABET[byte & 31];
  return { operation: letters.slice(0, 10), view: letters.slice(10) };
}
