import type { Flow, FlowGuard } from '../../src/conversation/flow.ts';
import type { LocalizedText } from '../../src/conversation/message.ts';
import { pickVariant } from '../../src/conversation/prompts/identity.ts';
import type { Line } from '../../src/conversation/reply.ts';

/**
 * A tier, and from how many counting points on a customer is in it. AntCRM tells neither the table nor what
 * is next.
 */
export type Tier = { readonly name: LocalizedText; readonly points: number };

/**
 * Proved phone or e-mail → the tier, the points that count for it, and how many are missing to the next one.
 * `isCounting`: whether tiers are being counted anew just now, so that none is told.
 */
export function createTier(table: readonly Tier[], isCounting: (nowMs: number) => boolean): Flow {
  const counted: FlowGuard = {
    refuseStart: (_, { nowMs }) => (isCounting(nowMs) ? { key: 'tier.counting' } : undefined),
  };
  const tiers = [...table].sort((a, b) => a.points - b.points);

  function towards(points: number): Line {
    const next = tiers.find((tier) => tier.points > points);
    return next
      ? { key: 'tier.next', params: { tier: next.name, missing: next.points - points } }
      : { key: 'tier.highest' };
  }

  return {
    name: 'tier',
    priority: 12,
    identity: 'proved',
    slots: ['phone'],
    guards: [counted],
    end: {
      reads: 'balance',
      tell(outcome, scope) {
        if (outcome.kind === 'sums' || outcome.rankPoints === undefined) return { key: 'tier.unknown' };
        const { rank, rankPoints } = outcome;
        return {
          key: 'tier.now',
          context: pickVariant(scope),
          params: { rank: rank ?? { key: 'tier.none' }, points: rankPoints },
          lines: [towards(rankPoints)],
        };
      },
    },
  };
}
