import { z } from 'zod';
import type { TextCommand } from './commands.ts';
import type { Context } from './context.ts';
import { toExpecting } from './dialogue/questions.ts';
import { createFlows, type Flow, type Flows } from './flow.ts';
import type { Answer } from './language/interpret.ts';
import { LanguageInterpreter } from './language/interpret.ts';
import type { Mechanism } from './language/mechanisms.ts';
import { isForShop } from './language/table.ts';
import { type LanguageText, Vocabulary } from './language/vocabulary.ts';
import { type Locale, type LocalizedText, perLocale, type Wording } from './message.ts';
import type { Decision } from './reply.ts';
import {
  newState,
  type ReadState,
  STATE_UPGRADES,
  type State,
  stateSchema,
  upgrade,
  VERSION,
} from './state.ts';
import { type Input, step } from './step.ts';

/** An entry of the menus of commands that platforms show. */
export type MenuCommand = {
  /** The wording's name: `telegram.command.<name>`, `teams.command.<name>.title`. */
  readonly name: string;
  /** The command in each language, without the slash. */
  readonly slash: Readonly<Record<Locale, string>>;
  /** Offered to begin with, where a platform has place for a few only. */
  readonly starter: boolean;
};

/** The pure conversation about some flows. */
export type Conversation = {
  /** One step: the same arguments give the same decision. Never throws, whatever the message. */
  step(state: State, input: Input, context: Context): Decision;
  readonly readState: ReadState;
  newState(lastMessageMs?: number): State;
  /** The commands of a text in this state, and why: for the trace. */
  explain(
    text: string,
    state: State,
    context: Pick<Context, 'settings' | 'nowMs' | 'sender'>,
  ): Readonly<Record<string, string>>;
  /** In the order of the menus. */
  readonly commands: readonly MenuCommand[];
};

export type ConversationOptions = {
  /** In the order of the menu; `flows/index.ts` has the bot's own. */
  readonly flows: readonly Flow[];
  /** `locales/*.json`: what the bot says, and the slash commands. */
  readonly wording: Wording;
  /** `locales/*.md`: what customers say. */
  readonly languageTexts: readonly LanguageText[];
  /** The operator's answers. One with the id of a built-in answer replaces it. */
  readonly answers?: readonly Answer[] | undefined;
  /** A mechanism of reading that is switched off, to measure what it is worth. */
  readonly off?: Mechanism | undefined;
};

/**
 * Makes the conversation. Its vocabulary is built here, once.
 *
 * @example
 * const { step, newState } = createConversation({ flows, wording, languageTexts });
 * step(newState(), { kind: 'message', message: { kind: 'text', text: 'my points' } }, context);
 */
export function createConversation({
  flows,
  wording,
  languageTexts,
  answers = [],
  off,
}: ConversationOptions): Conversation {
  const flowsByName = createFlows(flows);
  const vocabulary = new Vocabulary(languageTexts);
  const commands = slashCommands(flows, wording);
  const operatorAnswers = new Map(answers.map(({ id, answer }) => [id, answer] as const));
  const questionTexts = collectQuestions(wording, vocabulary, answers);
  const language = new LanguageInterpreter({
    vocabulary,
    flows,
    commands,
    answers,
    off,
    answered: new Set([...questionTexts.keys()].filter((id) => operatorAnswers.has(id) || !isForShop(id))),
  });
  const fixed = { flows: flowsByName, language, answers: operatorAnswers, questionTexts };
  return {
    step: (state, input, context) => step(state, input, { ...context, ...fixed }),
    readState: createStateReader(flowsByName),
    newState,
    explain(text, state, context) {
      const scope = { ...UNUSED_CONTEXT, ...context, ...fixed };
      const { commands, why } = language.interpret(text, toExpecting(state, scope), scope);
      const line = language.nearestLine(text, why.act);
      const guesses = why.guesses.slice(0, SHOWN_GUESSES).map(({ act, p }) => `${act} ${p.toFixed(2)}`);
      return {
        commands: commands.map(describeCommand).join(' · '),
        ...(guesses.length > 0 && { guesses: guesses.join(' · ') }),
        ...(line !== undefined && { line }),
      };
    },
    commands: [...flows.map(({ name }) => name), ...MENU].map((name) => ({
      name,
      slash: perLocale((locale) => wording[locale][`command.${name}`] ?? ''),
      starter: !LATER.includes(name),
    })),
  };
}

function collectQuestions(
  wording: Wording,
  { examples }: Vocabulary,
  answers: readonly Answer[],
): ReadonlyMap<string, LocalizedText> {
  const builtIn = Object.keys(wording.vi).flatMap((key) => /^answer\.([a-z.]+)$/i.exec(key)?.[1] ?? []);
  const all = new Set([...builtIn, ...answers.map(({ id }) => id)]);
  // A line with a placeholder ("{gift} là gì") is no sentence for a button.
  const isWhole = (text: string) => !text.includes('{');
  const whole = examples.filter(({ act, text }) => act.startsWith('ask ') && isWhole(text));
  const lines = Map.groupBy(whole, ({ act, locale }) => `${locale} ${act}`);
  const first = (id: string, locale: Locale) =>
    answers.findLast((answer) => answer.id === id)?.asks?.[locale]?.find(isWhole) ??
    lines.get(`${locale} ask ${id}`)?.[0]?.text ??
    id;
  return new Map([...all].map((id) => [id, perLocale((locale) => toQuestionText(first(id, locale)))]));
}

/** "có mất phí không" -> "Có mất phí không?" */
const toQuestionText = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\?$/, '')}?`;

/** What the trace shows of what a text may mean. */
const SHOWN_GUESSES = 5;

/** Values for the parts of a context that reading a text does not use. */
const UNUSED_CONTEXT = { serviceUp: true, current: true, ids: { operation: '', view: '' } } as const;

function describeCommand(command: TextCommand): string {
  return Object.values(command)
    .map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)))
    .join(' ');
}

const MENU = ['language', 'privacy', 'help', 'cancel'];
const LATER = ['privacy', 'cancel'];

const SLASH: Readonly<Record<string, string>> = {
  forget: 'show erasing',
  privacy: 'show privacy',
  language: 'show languages',
  status: 'status',
  cancel: 'cancel',
  help: 'show help',
  start: 'show welcome',
  menu: 'show menu',
};

export function slashCommands(flows: readonly Flow[], wording: Wording): ReadonlyMap<string, string> {
  const acts = [...flows.map(({ name }) => [name, `start ${name}`] as const), ...Object.entries(SLASH)];
  const commands = new Map<string, string>();
  for (const [name, act] of acts)
    for (const words of Object.values(wording)) {
      const command = words[`command.${name}`];
      if (command) commands.set(command, act);
    }
  return commands;
}

const inFlowSchema = z.looseObject({
  step: z.looseObject({ flow: z.string().optional() }),
  view: z.unknown().optional(),
});

/** Reads stored states. A flow that is not among these ends. */
function createStateReader(flows: Flows): ReadState {
  return (stored, version = VERSION) => {
    const upgraded = inFlowSchema.parse(upgrade(stored, version, STATE_UPGRADES));
    const { flow: name } = upgraded.step;
    if (name !== undefined && !flows.get(name)) {
      // The slots of an unknown flow may be of unknown kinds.
      const { view: _, ...kept } = upgraded;
      const ended = { ...kept, step: { at: 'idle', unfinished: true }, draft: {} };
      return { state: stateSchema.parse(ended), unknownFlow: true };
    }
    return { state: stateSchema.parse(upgraded) };
  };
}
