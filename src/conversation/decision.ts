import type { Interpretation } from './commands.ts';
import type { Awaited, Effect } from './effect.ts';
import type { PhotoEffect } from './photo.ts';
import type { Reply } from './reply.ts';
import type { ConversationState } from './state.ts';

/**
 * What a step decided. With an `effect`, nothing is saved yet: the effect is performed, its outcome goes into the next step,
 * and all replies of the turn leave together. After a crash the same steps are taken again, from the state before.
 */
export type Decision = {
  readonly state: ConversationState;
  readonly replies: readonly Reply[];
  readonly effect?: Effect | PhotoEffect | undefined;
  /** When the state wants a wake-up, epoch ms; null or absent: never. */
  readonly wakeAtMs?: number | null | undefined;
  /** Operations whose outcome is now known for good: their intents can be forgotten. */
  readonly settled?: readonly string[] | undefined;
  /** Customers to unlock once the state is saved. */
  readonly unlock?: readonly Unlock[] | undefined;
  /** The customer asked to be forgotten: what is kept of the conversation beside its state goes, too. */
  readonly forget?: true | undefined;
  /** The customer asked something: the id of what answered it; without one, nothing did. */
  readonly question?: { readonly answer?: string | undefined } | undefined;
  /** What a text was taken for, and why. */
  readonly heard?: Interpretation | undefined;
  /** Operations that only staff can settle from now on: an alarm each. */
  readonly escalated?: readonly string[] | undefined;
};

/** `record` settled the operation; `awaited`: it succeeded, and the record of that is still to come. */
export type Unlock = {
  readonly customer: string;
  readonly operation: string;
  readonly record?: string | undefined;
  readonly awaited?: Awaited | undefined;
};

/** A decision that only answers. */
export function say(state: ConversationState, ...replies: readonly Reply[]): Decision {
  return { state, replies };
}

/** The same decision, its last reply changed. */
export function withLast(decision: Decision, change: Partial<Reply>): Decision {
  const last = decision.replies.at(-1);
  return last
    ? { ...decision, replies: [...decision.replies.slice(0, -1), { ...last, ...change }] }
    : decision;
}

/** The same decision, with something said before it. */
export function after(before: readonly Reply[], decision: Decision): Decision {
  return before.length === 0 ? decision : { ...decision, replies: [...before, ...decision.replies] };
}
