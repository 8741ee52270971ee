import type { Context } from '../context.ts';
import type { Decision } from '../decision.ts';
import type { Effect } from '../effect.ts';
import { pose } from '../prompts/questions.ts';
import type { ConversationState, Draft, Slot } from '../state.ts';

/** Earning points: code → phone → e-mail (may be skipped) → summary → call. */
export const accumulate = {
  missing(draft: Draft): Slot | undefined {
    if (draft.code === undefined) return 'code';
    if (draft.phone === undefined) return 'phone';
    if (draft.email === undefined) return 'email';
    return undefined;
  },

  complete(state: ConversationState, context: Context): Decision {
    return pose(state, { at: 'confirming', flow: 'accumulate', operation: context.ids.operation }, context);
  },

  /** Undefined if the draft lacks what the call needs. */
  effect(draft: Draft, operation: string, context: Context): Effect | undefined {
    if (draft.code === undefined || draft.phone === undefined) return undefined;
    return {
      kind: 'accumulate',
      operation,
      code: draft.code,
      phone: draft.phone,
      email: draft.email ?? undefined,
      name: context.sender.name,
    };
  },
};
