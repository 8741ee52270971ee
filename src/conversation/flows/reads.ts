import type { Flow } from '../flow.ts';
import { pickVariant } from '../prompts/identity.ts';
import type { Line } from '../reply.ts';

/** The balance: proved phone or e-mail → points and tier, or the sums of the history. */
export const points: Flow = {
  name: 'points',
  priority: 10,
  identity: 'proved',
  slots: ['phone'],
  list: { type: 'point', vague: true },

  end: {
    reads: 'balance',
    tell(outcome, scope, isSure) {
      const key = 'points.balance';
      if (outcome.kind === 'sums') {
        const { earned, spent, partial } = outcome;
        const context = partial ? 'partialSums' : 'sums';
        return { key, context, params: { earned, spent, points: earned - spent } };
      }
      const { points, rank, rankPoints } = outcome;
      if (points === null) return { key, context: pickVariant(scope) === 'staff' ? 'noneStaff' : 'none' };
      const lines: Line[] = [];
      if (rank) lines.push({ key: 'points.rank', params: { rank } });
      if (rankPoints !== undefined) lines.push({ key: 'points.rankPoints', params: { points: rankPoints } });
      return { key, context: isSure ? pickVariant(scope) : 'behind', params: { points }, lines };
    },
  },
};

/** What was earned or redeemed: proved phone or e-mail → pages, shown in place. */
export const history: Flow = {
  name: 'history',
  priority: 30,
  identity: 'proved',
  slots: ['phone', 'list', 'period'],
  end: { reads: 'pages' },
};
