import type { LanguageText } from '../../src/conversation/language/vocabulary.ts';
import type { Wording } from '../../src/conversation/message.ts';

const vi = {
  'tier.now': 'Bạn đang ở hạng {{rank}}, với {{points, number}} điểm tính hạng.',
  'tier.now_staff': 'Khách đang ở hạng {{rank}}, với {{points, number}} điểm tính hạng.',
  'tier.next': 'Còn {{missing, number}} điểm nữa là lên hạng {{tier}}.',
  'tier.highest': 'Đây là hạng cao nhất rồi 🎉',
  'tier.none': 'chưa xếp',
  'tier.counting': 'Hôm nay hạng đang được tính lại, mai bạn xem giúp mình nhé.',
  'tier.unknown': 'Mình chưa xem được hạng thành viên lúc này.',
  'choice.tier': 'Hạng thành viên',
  'flow.tier': 'xem hạng thành viên',
  'help.tier': '• xem hạng',
  'command.tier': 'hang',
  'telegram.command.tier': 'Xem hạng thành viên',
  'teams.command.tier.title': 'xem hạng',
  'teams.command.tier.description': 'Xem hạng và số điểm còn thiếu để lên hạng',
};

const en = {
  'tier.now': 'Your tier is {{rank}}, with {{points, number}} points that count for it.',
  'tier.now_staff': "The customer's tier is {{rank}}, with {{points, number}} points that count for it.",
  'tier.next': '{{missing, number}} more points to the tier {{tier}}.',
  'tier.highest': 'That is the highest tier 🎉',
  'tier.none': 'none yet',
  'tier.counting': 'Tiers are being counted anew today, please look again tomorrow.',
  'tier.unknown': "I can't see the tier at the moment.",
  'choice.tier': 'My tier',
  'flow.tier': 'looking up your tier',
  'help.tier': '• next tier',
  'command.tier': 'tier',
  'telegram.command.tier': 'See your tier',
  'teams.command.tier.title': 'tier status',
  'teams.command.tier.description': 'See your tier and what is missing to the next one',
};

/** What the flow says, and what it is called in menus. */
export const words: Wording = { vi, en };

/** What customers say to begin the flow. */
export const languageTexts: readonly LanguageText[] = [
  {
    locale: 'vi',
    text: `## start tier
- lên hạng
- hạng tiếp theo
- điểm tính hạng
- xem hạng
- điểm hạng
- hạng
`,
  },
  {
    locale: 'en',
    text: `## start tier
- next tier
- tier progress
- tier points
- tier status
`,
  },
];
