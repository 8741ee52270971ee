import type { Context } from '../context.ts';
import type { Decision } from '../decision.ts';
import type { Effect } from '../effect.ts';
import { proved } from '../prompts/identity.ts';
import { pose } from '../prompts/questions.ts';
import type { ConversationState, Draft, Slot } from '../state.ts';

/** Spending points on a gift: gift → proved phone or e-mail → summary → call. */
export const redeem = {
  missing(draft: Draft): Slot | undefined {
    if (draft.code === undefined) return 'code';
    return proved(draft) === undefined ? 'phone' : undefined;
  },

  complete(state: ConversationState, context: Context): Decision {
    return pose(state, { at: 'confirming', flow: 'redeem', operation: context.ids.operation }, context);
  },

  /** Undefined without a gift and a proved identifier: no redeem is ever asked for then. */
  effect(draft: Draft, operation: string): Effect | undefined {
    const by = proved(draft);
    if (draft.code === undefined || by === undefined) return undefined;
    const other = by.kind === 'phone' ? draft.email : draft.phone;
    const kind = by.kind === 'phone' ? 'email' : 'phone';
    return { kind: 'redeem', operation, gift: draft.code, by, also: other ? { ...other, kind } : undefined };
  },
};
