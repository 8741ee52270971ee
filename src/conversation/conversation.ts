import { createAdapter } from './adapter.ts';
import type { Spoken } from './commands.ts';
import type { Context } from './context.ts';
import type { Decision } from './decision.ts';
import { expecting } from './dialogue/expecting.ts';
import { createFlows, type Flow } from './flow.ts';
import type { Answer } from './language/answers.ts';
import { createLanguage, type Understood } from './language/understand.ts';
import { type FlowWords, MENU_COMMANDS, type Phrases, type Wording, written } from './language/vocabulary.ts';
import { type ConversationState, newState, type ReadState } from './state.ts';
import { type Input, step } from './step.ts';
import { stateReader } from './stored-state.ts';

/** An entry of the menus of commands that platforms show. */
export type Command = {
  /** The wording's name: `telegram.command.<name>`, `teams.command.<name>.title`. */
  readonly name: string;
  /** The slash command in each language, without the slash; the conversation understands all of them. */
  readonly written: Phrases;
  /** Offered to begin with, where a platform has place for a few only. */
  readonly starter: boolean;
};

/** The pure conversation about some flows: everything that lists flows derives from them. */
export type Conversation = {
  /**
   * One step: same arguments, same decision. Never throws, whatever the message. Property tests hold that no redeem is
   * asked for without a press that carries the live operation id, and a proved identifier.
   */
  step(state: ConversationState, input: Input, context: Context): Decision;
  readonly readState: ReadState;
  newState(lastMessageMs?: number): ConversationState;
  /** What a text says by itself, whatever question it answers. */
  understand(text: string): Understood;
  /** What a text is taken for where the conversation is, and why: for the look inside. */
  explain(
    text: string,
    state: ConversationState,
    context: Pick<Context, 'settings' | 'nowMs' | 'sender'>,
  ): Readonly<Record<string, string>>;
  /** In the order of the menus. */
  readonly commands: readonly Command[];
};

export type ConversationOptions = {
  /** In the order of the menu; `flows/index.ts` has the bot's own. */
  readonly flows: readonly Flow[];
  /** The locale files: what customers call the flows, and everything else that they may say. */
  readonly wording: Wording;
  /** The operator's answers to customers' questions, beside those of the wording or in place of them. */
  readonly answers?: readonly Answer[] | undefined;
};

/**
 * Makes the conversation. Its vocabulary is built here, once.
 *
 * @example
 * const { step, newState } = createConversation({ flows, wording });
 * step(newState(), { kind: 'message', message: { kind: 'text', text: 'my points' } }, context);
 */
export function createConversation({ flows, wording, answers }: ConversationOptions): Conversation {
  const known = createFlows(flows);
  const understanding = createLanguage(flows.map(wordsOf), wording, answers);
  const language = createAdapter(understanding, flows);
  const operators = new Map((answers ?? []).map(({ id, answer }) => [id, answer] as const));
  const starters = flows.map(({ name }) => ({ name, starter: true }));
  return {
    step: (state, input, context) =>
      step(state, input, { ...context, flows: known, language, answers: operators }),
    readState: stateReader(known),
    newState,
    understand: understanding.understand,
    explain(text, state, context) {
      const scope = { ...NOWHERE, ...context, flows: known, language, answers: operators };
      const { commands, why } = language.interpret(text, expecting(state, scope), scope);
      const nearest = why.nearest?.map(({ example, score }) => `${example} ${score.toFixed(2)}`);
      return {
        commands: commands.map(inShort).join(' · '),
        ...(why.covered.length > 0 && { covered: why.covered.join(' · ') }),
        ...(nearest && { nearest: nearest.join(' · ') }),
      };
    },
    commands: [...starters, ...MENU_COMMANDS].map(({ name, starter }) => ({
      name,
      written: written(`command.${name}`, wording),
      starter,
    })),
  };
}

/** What no reading of a text depends on. */
const NOWHERE = { serviceUp: true, current: true, ids: { operation: '', view: '' } } as const;

/** A command as people read it: "set gift LOA01". */
function inShort(command: Spoken): string {
  return Object.values(command)
    .map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)))
    .join(' ');
}

/** What reading texts needs to know of a flow. */
export function wordsOf({ name, priority, list, slots }: Flow): FlowWords {
  return {
    name,
    priority,
    list,
    takesCode: slots.includes('codes') || slots.includes('gift'),
    showsPast: slots.includes('list') ? true : undefined,
  };
}
