import type { Context, Settings } from '../conversation/context.ts';
import type { Effect, Lookup, Outcome } from '../conversation/effect.ts';
import type { PhotoEffect } from '../conversation/message.ts';
import type { Decision, Reply, Unlock } from '../conversation/reply.ts';
import type { ReadState, State } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';

/** The pure conversation, as turns use it. */
export type Conversation = {
  step(state: State, input: Input, context: Context): Decision;
  /** Reads what `version` stored. */
  readState: ReadState;
  newState(lastMessageMs?: number): State;
  readonly settings: Settings;
  /** Whether AntCRM is in reach, as far as is known; cheap, asked at every step. Absent: always. */
  serviceUp?(): boolean;
};

/** What all steps of one turn decided together. */
export type TurnResult = {
  readonly state: State;
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
export function leave(state: State, wakeAtMs: number | null, replies: readonly Reply[] = []): TurnResult {
  return { state, replies, wakeAtMs, settled: [], unlock: [], escalated: [], questions: [], forget: false };
}

/** A turn that asks for more effects than this has a bug and would never end: ten codes, and what is read beside them. */
const MAX_EFFECTS = 16;

/** What a turn starts from. `journal`: calls that earlier attempts of it perhaps made. */
export type Beginning = Pick<Context, 'sender' | 'current' | 'heardMs' | 'journal'> & {
  readonly state: State;
  readonly input: Input;
};

/**
 * Steps until no effect is asked for any more. Throws what `step` or `perform` throws. `now` is the store's clock: time
 * passes while effects are performed. A call that an earlier attempt perhaps made and that no step has named is handed to the
 * conversation as unknown: whatever was perhaps called is told. `lookupOf` says how it can be looked up.
 */
export async function runSteps(
  start: Beginning,
  tools: {
    conversation: Conversation;
    ids(): Context['ids'];
    now(): number;
    perform(effect: Effect | PhotoEffect): Promise<Outcome | PhotoEffect>;
    lookupOf(operation: string): Lookup | undefined;
  },
): Promise<TurnResult> {
  const { conversation, now, perform, lookupOf } = tools;
  let result = leave(start.state, null);
  const unnamed = new Set(Object.keys(start.journal ?? {}));

  async function run(first: Input): Promise<void> {
    let input = first;
    for (let effects = 0; ; effects++) {
      const decision = conversation.step(result.state, input, contextOf({ ...start, nowMs: now() }, tools));
      result = joined(result, decision);
      const { effect } = decision;
      if (effect === undefined) return;
      if (effects === MAX_EFFECTS) throw new Error(`a turn asked for more than ${MAX_EFFECTS} effects`);
      if ('operation' in effect) unnamed.delete(effect.operation);
      input = { kind: 'outcome', outcome: await perform(effect) };
    }
  }

  await run(start.input);
  for (const operation of unnamed) {
    const isTold = result.state.operations.some(({ id }) => id === operation);
    const lookup = lookupOf(operation);
    if (isTold || result.settled.includes(operation) || lookup === undefined) continue;
    await run({ kind: 'outcome', outcome: { kind: 'unknown', operation, lookup } });
  }
  return result;
}

/** What a step is told beside the state and why it is taken. */
export function contextOf(
  {
    sender,
    current,
    heardMs,
    journal,
    nowMs,
  }: Omit<Beginning, 'state' | 'input'> & { readonly nowMs: number },
  { conversation, ids }: { readonly conversation: Conversation; ids(): Context['ids'] },
): Context {
  const { settings } = conversation;
  const serviceUp = conversation.serviceUp?.() ?? true;
  return { settings, serviceUp, nowMs, sender, current, heardMs, journal, ids: ids() };
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
