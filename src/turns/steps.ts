import type { Context, Settings } from '../conversation/context.ts';
import type { Decision, Unlock } from '../conversation/decision.ts';
import type { Effect, Outcome } from '../conversation/effect.ts';
import type { Sender } from '../conversation/message.ts';
import type { PhotoEffect } from '../conversation/photo.ts';
import type { Reply } from '../conversation/reply.ts';
import type { ConversationState, ReadState } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';

/** The pure conversation, as turns use it. */
export type Conversation = {
  step(state: ConversationState, input: Input, context: Context): Decision;
  /** Reads what `version` stored. */
  readState: ReadState;
  newState(nowMs: number): ConversationState;
  readonly settings: Settings;
  /** Whether AntCRM is in reach, as far as is known; cheap, asked at every step. Absent: always. */
  serviceUp?(): boolean;
};

/** What all steps of one turn decided together. */
export type TurnResult = {
  readonly state: ConversationState;
  readonly replies: readonly Reply[];
  readonly wakeAtMs: number | null;
  readonly settled: readonly string[];
  readonly unlock: readonly Unlock[];
  readonly escalated: readonly string[];
  /** The ids of what answered the customer's questions; `none` where nothing did. */
  readonly questions: readonly string[];
  readonly forget: boolean;
};

/** A turn that leaves all as it was, but for the state's wake-up. */
export function leave(
  state: ConversationState,
  wakeAtMs: number | null,
  replies: readonly Reply[] = [],
): TurnResult {
  return { state, replies, wakeAtMs, settled: [], unlock: [], escalated: [], questions: [], forget: false };
}

/** A step that asks for more effects than this in one turn is a bug that would never end. */
const MAX_EFFECTS = 4;

/**
 * Steps until no effect is asked for any more. Throws what `step` or `perform` throws. `now` is the store's clock: time
 * passes while effects are performed.
 */
export async function runSteps(
  start: { state: ConversationState; input: Input; sender: Sender },
  tools: {
    conversation: Conversation;
    ids(): Context['ids'];
    now(): number;
    perform(effect: Effect | PhotoEffect): Promise<Outcome | PhotoEffect>;
  },
): Promise<TurnResult> {
  const { conversation, ids, now, perform } = tools;
  const replies: Reply[] = [];
  const settled: string[] = [];
  const unlock: Unlock[] = [];
  const escalated: string[] = [];
  const questions: string[] = [];
  let forget = false;
  let { state, input } = start;
  for (let effects = 0; ; effects++) {
    const context = {
      settings: conversation.settings,
      serviceUp: conversation.serviceUp?.() ?? true,
      nowMs: now(),
      sender: start.sender,
      ids: ids(),
    };
    const decision = conversation.step(state, input, context);
    state = decision.state;
    replies.push(...decision.replies);
    settled.push(...(decision.settled ?? []));
    unlock.push(...(decision.unlock ?? []));
    escalated.push(...(decision.escalated ?? []));
    if (decision.question) questions.push(decision.question.answer ?? 'none');
    forget ||= decision.forget ?? false;
    if (decision.effect === undefined) {
      const wakeAtMs = decision.wakeAtMs ?? null;
      return { state, replies, wakeAtMs, settled, unlock, escalated, questions, forget };
    }
    if (effects === MAX_EFFECTS) throw new Error(`a turn asked for more than ${MAX_EFFECTS} effects`);
    input = { kind: 'outcome', outcome: await perform(decision.effect) };
  }
}
