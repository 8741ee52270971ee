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
  newState(lastMessageMs?: number): ConversationState;
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

/** A turn that changes nothing but the state's wake-up. */
export function leave(
  state: ConversationState,
  wakeAtMs: number | null,
  replies: readonly Reply[] = [],
): TurnResult {
  return { state, replies, wakeAtMs, settled: [], unlock: [], escalated: [], questions: [], forget: false };
}

/**
 * A turn that asks for more effects than this between two saves, or saves more often than this, has a bug and would never
 * end.
 */
const MAX_EFFECTS = 4;
const MAX_SAVES = 12;

/**
 * Steps until no effect is asked for any more. Throws what `step` or `perform` throws. `now` is the store's clock: time
 * passes while effects are performed.
 */
export async function runSteps(
  start: {
    state: ConversationState;
    input: Input;
    sender: Sender;
    current: boolean;
    heardMs?: number | undefined;
  },
  tools: {
    conversation: Conversation;
    ids(): Context['ids'];
    now(): number;
    perform(effect: Effect | PhotoEffect): Promise<Outcome | PhotoEffect>;
    /** Saves what was decided since the last save; the turn goes on. */
    save(decided: TurnResult): Promise<void>;
  },
): Promise<TurnResult> {
  const { conversation, now, perform, save } = tools;
  let result = leave(start.state, null);
  let { input } = start;
  for (let effects = 0, saves = 0; ; effects++) {
    const decision = conversation.step(result.state, input, contextOf({ ...start, nowMs: now() }, tools));
    result = joined(result, decision);
    if (decision.effect === undefined) return result;
    if (effects === MAX_EFFECTS) throw new Error(`a turn asked for more than ${MAX_EFFECTS} effects`);
    if (decision.save) {
      if (saves === MAX_SAVES) throw new Error(`a turn saved more than ${MAX_SAVES} times`);
      await save(result);
      result = leave(result.state, null);
      effects = 0;
      saves += 1;
    }
    input = { kind: 'outcome', outcome: await perform(decision.effect) };
  }
}

/** What a step is told beside the state and why it is taken. */
export function contextOf(
  { sender, current, heardMs, nowMs }: Pick<Context, 'sender' | 'current' | 'heardMs' | 'nowMs'>,
  { conversation, ids }: { readonly conversation: Conversation; ids(): Context['ids'] },
): Context {
  const { settings } = conversation;
  const serviceUp = conversation.serviceUp?.() ?? true;
  return { settings, serviceUp, nowMs, sender, current, heardMs, ids: ids() };
}

/** What was decided so far, and what a further step decided. */
export function joined(result: TurnResult, decision: Decision): TurnResult {
  return {
    state: decision.state,
    replies: [...result.replies, ...decision.replies],
    wakeAtMs: decision.wakeAtMs ?? null,
    settled: [...result.settled, ...(decision.settled ?? [])],
    unlock: [...result.unlock, ...(decision.unlock ?? [])],
    escalated: [...result.escalated, ...(decision.escalated ?? [])],
    questions: decision.question
      ? [...result.questions, decision.question.answer ?? 'none']
      : result.questions,
    forget: result.forget || (decision.forget ?? false),
  };
}
