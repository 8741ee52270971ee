import type { Wording } from '../../src/conversation/language/vocabulary.ts';

/** What the flow says, what it is called in menus, and what customers say to begin it. */
export const words: Wording = {
  vi: {
    'tier.now': 'Bạn đang ở hạng {{rank}}, với {{points, number}} điểm tính hạng.',
    'tier.now_staff': 'Khách đang ở hạng {{rank}}, với {{points, number}} điểm tính hạng.',
    'tier.next': 'Còn {{missing, number}} điểm nữa là lên hạng {{tier}}.',
    'tier.highest': 'Đây là hạng cao nhất rồi 🎉',
    'tier.none': 'chưa xếp',
    'tier.unknown': 'Mình chưa xem được hạng thành viên lúc này.',
    'choice.tier': 'Hạng thành viên',
    'flow.tier': 'xem hạng thành viên',
    'help.tier': '• xem hạng',
    'phrases.tier': 'lên hạng, hạng tiếp theo, điểm tính hạng, xem hạng, điểm hạng',
    'phrases.tier_alone': 'hạng',
    'command.tier': 'hang',
    'telegram.command.tier': 'Xem hạng thành viên',
    'teams.command.tier.title': 'xem hạng',
    'teams.command.tier.description': 'Xem hạng và số điểm còn thiếu để lên hạng',
  },
  en: {
    'tier.now': 'Your tier is {{rank}}, with {{points, number}} points that count for it.',
    'tier.now_staff': "The customer's tier is {{rank}}, with {{points, number}} points that count for it.",
    'tier.next': '{{missing, number}} more points to the tier {{tier}}.',
    'tier.highest': 'That is the highest tier 🎉',
    'tier.none': 'none yet',
    'tier.unknown': "I can't see the tier at the moment.",
    'choice.tier': 'My tier',
    'flow.tier': 'looking up your tier',
    'help.tier': '• next tier',
    'phrases.tier': 'next tier, tier progress, tier points, tier status',
    'phrases.tier_alone': '',
    'command.tier': 'tier',
    'telegram.command.tier': 'See your tier',
    'teams.command.tier.title': 'tier status',
    'teams.command.tier.description': 'See your tier and what is missing to the next one',
  },
};
