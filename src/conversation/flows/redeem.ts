import type { Flow } from '../flow.ts';
import { findGift, giftLines } from '../prompts/gifts.ts';
import { findProof, identityLines, isStaff } from '../prompts/identity.ts';
import { choice } from '../reply.ts';

/** Spending points on a gift: gift, proved phone or e-mail, balance, summary, call. */
export const redeem: Flow = {
  name: 'redeem',
  priority: 20,
  identity: 'proved',
  slots: ['gift', 'phone'],
  list: { type: 'gift' },

  end: {
    kind: 'redeem',
    edits: () => [choice('edit:code', { key: 'choice.edit:gift' })],

    summary({ gift = '', price, phone, email, balance }, _, scope) {
      const lines = identityLines({ phone, email }, () => !isStaff(scope));
      const context = isStaff(scope) ? 'redeemStaff' : 'redeem';
      return [
        ...giftLines(gift, { price, points: balance?.points }, scope),
        ...lines,
        { key: 'summary.irreversible' },
        { key: 'summary.purpose', context },
      ];
    },

    brief({ gift: code = '', price }, scope) {
      const gift = findGift(code, scope);
      if (!gift) return { context: 'againUnlisted', params: { code } };
      return { context: 'again', params: { gift: gift.name, score: price ?? gift.score } };
    },

    effect({ gift: code, price, phone, email }, { operation }, scope) {
      const by = findProof({ phone, email });
      if (code === undefined || by === undefined) return undefined;
      const other = by.kind === 'phone' ? email : phone;
      const gift = findGift(code, scope);
      // The operator changed the list after the summary was shown.
      const isGone = gift === undefined && scope.settings.gifts.length > 0;
      const isOutdated = isGone || (price !== undefined && gift?.score !== price);
      const kind = by.kind === 'phone' ? 'email' : 'phone';
      const also = other ? ({ ...other, kind } as const) : undefined;
      return { kind: 'redeem', operation, gift: code, by, also, ...(isOutdated && { outdated: true }) };
    },

    next({ gift: code }, scope) {
      const gift = findGift(code, scope);
      if (!gift) return [];
      const label = { key: 'choice.redeem.more', params: { gift: gift.name } };
      return [choice(`redeem:${gift.code}`, label)];
    },

    /** Whether the points were too few: AntCRM itself tells no reason. */
    why({ gift: code }, { points }, scope) {
      const gift = findGift(code, scope);
      if (!gift || points === undefined) return {};
      if (gift.score <= points) return { context: 'enough' };
      const context = isStaff(scope) ? 'shortStaff' : 'short';
      return { context, params: { price: gift.score, points } };
    },
  },
};
