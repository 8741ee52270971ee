import { LOCALES, type Locale, perLocale } from '../message.ts';
import { fold } from './fold.ts';

/** What customers call a thing, per language, as they would type it: phrases separated by commas, compared folded. */
export type Phrases = Readonly<Record<Locale, string>>;

/** Phrases separated by commas, folded. */
export function split(phrases: string): string[] {
  return phrases
    .split(',')
    .map(fold)
    .filter((phrase) => phrase !== '');
}

/** The phrases of all languages, folded. */
export function phrasesOf(phrases: Phrases): string[] {
  return LOCALES.flatMap((locale) => split(phrases[locale]));
}

/** `locales/*.json`: what the bot says, and what customers say to it. */
export type Wording = Readonly<Record<Locale, Readonly<Record<string, string>>>>;

/**
 * What the bot understands beside its flows. Their words stand in `locales/*.json`: `phrases.<intent>` counts wherever
 * it stands in a message, `phrases.<intent>_alone` only where the rest of the message is understood too (short words
 * that occur in other talk), `command.<intent>` is a slash command. A test holds that no phrase has two meanings.
 */
const LANGUAGES = LOCALES.map((locale) => `language:${locale}` as const);
const BEFORE_FLOWS = [
  'forget',
  'privacy',
  ...LANGUAGES,
  'language',
  'status',
  'support',
  'cancel',
  'nevermind',
] as const;
const AFTER_FLOWS = [
  ...['help', 'start', 'menu', 'skip', 'next', 'previous', 'keep', 'other', 'retry', 'wait', 'explain'],
  ...['decline', 'confirm', 'bye', 'upset', 'who', 'thanks', 'greet', 'remark'],
] as const;
/** A change of the details at hand stands among the flows. */
const EDIT = { name: 'edit', priority: 25 } as const;
const REMOVE = { name: 'remove', priority: 26 } as const;

/** The intents that have a place in the menu of commands, after the flows; starters are offered by Teams, too. */
export const MENU_COMMANDS = [
  { name: 'language', starter: true },
  { name: 'privacy', starter: false },
  { name: 'help', starter: true },
  { name: 'cancel', starter: false },
] as const;

/** What the words of a flow mean to whoever reads a text. */
export type FlowWords = {
  /** The intent that begins it. */
  readonly name: string;
  /** Of several flows in a message, the one with the highest is meant; above 26 also before a change of details. */
  readonly priority: number;
  /** A code may follow its words. */
  readonly takesCode: boolean;
  /** The list of the history that its words speak of; `vague`: only where nothing names the other one. */
  readonly list?: { readonly type: 'point' | 'gift'; readonly vague?: true } | undefined;
  /** It shows what was: a past period with another flow's words asks for it ("điểm 30 ngày"). */
  readonly showsPast?: true | undefined;
};

export type IntentWords = {
  readonly intent: string;
  /** Slash commands, without the slash. */
  readonly commands: readonly string[];
  readonly always: Phrases;
  readonly alone: Phrases;
};

/** All intents with their words, the most telling first: of several in a message, the first in this list is meant. */
export function intentWords(flows: readonly FlowWords[], wording: Wording): readonly IntentWords[] {
  const among = [...flows, EDIT, REMOVE].sort((a, b) => b.priority - a.priority).map(({ name }) => name);
  return [...BEFORE_FLOWS, ...among, ...AFTER_FLOWS].map((intent) => ({
    intent,
    commands: [...new Set(Object.values(written(`command.${intent}`, wording)))].filter(
      (name) => name !== '',
    ),
    always: written(`phrases.${intent}`, wording),
    alone: written(`phrases.${intent}`, wording, 'alone'),
  }));
}

/** An entry of the locale files, or a variant of it, in each language; '' where there is none. */
export function written(key: string, wording: Wording, context?: string): Phrases {
  const name = context === undefined ? key : `${key}_${context}`;
  return perLocale((locale) => wording[locale][name] ?? '');
}
