import { defineFlow } from '../../src/conversation/define-flow.ts';
import type { Flow } from '../../src/conversation/flow.ts';
import type { LocalizedText } from '../../src/conversation/message.ts';
import { finish } from '../../src/conversation/prompts/consent.ts';
import { proved, whose } from '../../src/conversation/prompts/identity.ts';
import { home } from '../../src/conversation/prompts/questions.ts';
import type { Line } from '../../src/conversation/reply.ts';
import { identitySchema } from '../../src/conversation/state.ts';

/** A tier, and from how many counting points on a customer is in it. AntCRM tells neither the table nor what is next. */
export type Tier = { readonly name: LocalizedText; readonly points: number };

/** Proved phone or e-mail → the tier, the points that count for it, and how many are missing to the next one. */
export function createTier(table: readonly Tier[]): Flow {
  const tiers = [...table].sort((a, b) => a.points - b.points);

  function towards(points: number): Line {
    const next = tiers.find((tier) => tier.points > points);
    return next
      ? { key: 'tier.next', params: { tier: next.name, missing: next.points - points } }
      : { key: 'tier.highest' };
  }

  return defineFlow({
    name: 'tier',
    priority: 12,
    identity: 'proved',
    slots: identitySchema,
    questions: {},

    missing: (slots) => (proved(slots) === undefined ? 'phone' : undefined),

    complete(state, slots, scope) {
      const by = proved(slots);
      return by
        ? { state, replies: [], effect: { kind: 'balance', by } }
        : home(state, scope, { key: 'menu' });
    },

    outcome(state, _, outcome, scope) {
      if (outcome.kind !== 'balance' && outcome.kind !== 'sums') return undefined;
      const rankPoints = outcome.kind === 'balance' ? outcome.rankPoints : undefined;
      if (rankPoints === undefined) return finish(state, scope, { key: 'tier.unknown' });
      const rank = outcome.kind === 'balance' ? outcome.rank : undefined;
      return finish(state, scope, {
        key: 'tier.now',
        context: whose(scope),
        params: { rank: rank ?? { key: 'tier.none' }, points: rankPoints },
        lines: [towards(rankPoints)],
      });
    },
  });
}
