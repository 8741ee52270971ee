import type { Context } from '../context.ts';
import type { Decision } from '../decision.ts';
import type { Outcome } from '../effect.ts';
import { proved } from '../prompts/identity.ts';
import { home, whose } from '../prompts/questions.ts';
import { finish } from '../prompts/settings.ts';
import type { Line } from '../reply.ts';
import type { ConversationState, Draft, Slot } from '../state.ts';

/** The balance: proved phone or e-mail → points and tier, or the sums of the history, labelled as such. */
export const points = {
  missing(draft: Draft): Slot | undefined {
    return proved(draft) === undefined ? 'phone' : undefined;
  },

  complete(state: ConversationState, context: Context): Decision {
    const by = proved(state.draft);
    return by
      ? { state, replies: [], effect: { kind: 'balance', by } }
      : home(state, context, { key: 'menu' });
  },

  outcome(
    state: ConversationState,
    outcome: Extract<Outcome, { kind: 'balance' | 'sums' }>,
    context: Context,
  ): Decision {
    if (outcome.kind === 'sums') {
      const { earned, spent, partial } = outcome;
      return finish(state, context, {
        key: 'points.balance',
        context: partial ? 'partialSums' : 'sums',
        params: { earned, spent, points: earned - spent },
      });
    }
    const { points } = outcome;
    if (points === null) {
      const none = whose(context) === 'staff' ? 'noneStaff' : 'none';
      return home(state, context, { key: 'points.balance', context: none });
    }
    const lines: Line[] = [];
    if (outcome.rank) lines.push({ key: 'points.rank', params: { rank: outcome.rank } });
    if (outcome.rankPoints !== undefined)
      lines.push({ key: 'points.rankPoints', params: { points: outcome.rankPoints } });
    return finish(state, context, {
      key: 'points.balance',
      context: whose(context),
      params: { points },
      lines,
    });
  },
};
