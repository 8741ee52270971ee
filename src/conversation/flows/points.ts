import { defineFlow } from '../define-flow.ts';
import { unseen } from '../dialogue/balance.ts';
import type { Flow } from '../flow.ts';
import { finish } from '../prompts/consent.ts';
import { proved, whose } from '../prompts/identity.ts';
import { home } from '../prompts/questions.ts';
import type { Line, Reply } from '../reply.ts';
import { identitySchema } from '../state.ts';

/** The balance: proved phone or e-mail → points and tier, or the sums of the history, labelled as such. */
export const points: Flow = defineFlow({
  name: 'points',
  priority: 10,
  list: { type: 'point', vague: true },
  identity: 'proved',
  slots: identitySchema,
  questions: {},

  missing: (slots) => (proved(slots) === undefined ? 'phone' : undefined),

  complete(state, slots, scope) {
    const by = proved(slots);
    return by ? { state, replies: [], effect: { kind: 'balance', by } } : home(state, scope, { key: 'menu' });
  },

  outcome(state, _, outcome, scope) {
    if (outcome.kind === 'sums') {
      const { earned, spent, partial } = outcome;
      return finish(state, scope, {
        key: 'points.balance',
        context: partial ? 'partialSums' : 'sums',
        params: { earned, spent, points: earned - spent },
      });
    }
    if (outcome.kind !== 'balance') return undefined;
    const { points, rank, rankPoints } = outcome;
    if (points === null) {
      const none = whose(scope) === 'staff' ? 'noneStaff' : 'none';
      return home(state, scope, { key: 'points.balance', context: none });
    }
    const lines: Line[] = [];
    if (rank) lines.push({ key: 'points.rank', params: { rank } });
    if (rankPoints !== undefined) lines.push({ key: 'points.rankPoints', params: { points: rankPoints } });
    const isSure = unseen(state, scope.nowMs).length === 0;
    const context = isSure ? whose(scope) : 'behind';
    const balance: Reply = { key: 'points.balance', context, params: { points }, lines };
    return finish(state, scope, balance, isSure ? points : undefined);
  },
});
