import { LOCALES, type Locale } from '../message.ts';
import { fold } from './fold.ts';

/**
 * What customers call things, per language, as they would type it: phrases separated by commas, compared folded (no
 * case, no marks). To add a phrase, put it here. To add an intent, add it to `INTENTS`. To add a language, the compiler
 * asks for its phrases here, in `period-words.ts` and in `small-words.ts`. A test holds that no phrase has two
 * meanings.
 */
export type Phrases = Readonly<Record<Locale, string>>;

/** The phrases of all languages, folded. */
export function phrasesOf(phrases: Phrases): string[] {
  return LOCALES.flatMap((locale) => phrases[locale].split(',').map(fold)).filter((phrase) => phrase !== '');
}

export type Intent =
  | 'accumulate'
  | 'redeem'
  | 'history'
  | 'points'
  | 'status'
  | 'language'
  | 'language:vi'
  | 'language:en'
  | 'help'
  | 'cancel'
  | 'start'
  | 'privacy'
  | 'forget'
  | 'menu'
  | 'skip'
  | 'confirm'
  | 'decline'
  | 'next'
  | 'previous'
  | 'edit'
  | 'keep'
  | 'other'
  | 'retry'
  | 'greet'
  | 'thanks'
  | 'bye'
  | 'support';

const NONE: Phrases = { vi: '', en: '' };

type IntentWords = {
  readonly intent: Intent;
  /** Slash commands, without the slash. */
  readonly commands?: readonly string[] | undefined;
  /** Count wherever they stand in a message. */
  readonly always: Phrases;
  /** Count only where the rest of the message is understood too: short words that also occur in other talk. */
  readonly alone: Phrases;
};

/** The most telling first: of several intents in a message, the first in this list is meant. */
export const INTENTS: readonly IntentWords[] = [
  {
    intent: 'forget',
    commands: ['quen', 'forget'],
    always: {
      vi: 'quên tôi đi, hãy quên tôi, quên mình đi, xoá dữ liệu, xoá thông tin, xoá hết dữ liệu, xoá hết thông tin',
      en: 'forget me, delete my data, erase my data, remove my data, delete my information',
    },
    alone: { vi: 'quên, quên tôi, quên mình, quên em', en: 'forget' },
  },
  {
    intent: 'privacy',
    commands: ['riengtu', 'privacy'],
    always: {
      vi: 'riêng tư, quyền riêng tư, chính sách bảo mật, dữ liệu cá nhân, thông tin cá nhân, bảo mật thông tin',
      en: 'privacy, privacy policy, personal data, personal information',
    },
    alone: { vi: 'bảo mật', en: 'my data' },
  },
  {
    intent: 'language:vi',
    always: { vi: 'tiếng việt, tiếng việt nam', en: 'vietnamese' },
    alone: { vi: 'vi, vn, việt', en: '' },
  },
  {
    intent: 'language:en',
    always: { vi: 'tiếng anh', en: 'english' },
    alone: { vi: '', en: 'en, eng' },
  },
  {
    intent: 'language',
    commands: ['ngonngu', 'language'],
    always: { vi: 'ngôn ngữ, đổi ngôn ngữ, đổi tiếng', en: 'language, change language, switch language' },
    alone: { vi: '', en: 'lang' },
  },
  {
    intent: 'status',
    commands: ['trangthai', 'status'],
    always: {
      vi: 'trạng thái, tình trạng, mã tham chiếu, mã giao dịch, đang xử lý, xử lý xong chưa, tới đâu rồi, đến đâu rồi, xong chưa',
      en: 'status, reference number, reference code',
    },
    alone: { vi: 'tham chiếu, sao rồi', en: 'reference, is it done' },
  },
  {
    intent: 'support',
    always: {
      vi: 'nhân viên, tư vấn viên, tổng đài, chăm sóc khách hàng, cskh, gặp người, khiếu nại, báo lỗi, bị lỗi',
      en: 'hotline, customer service, customer care, human, agent, complaint, complain, contact support',
    },
    alone: { vi: 'liên hệ', en: 'support, contact' },
  },
  {
    intent: 'cancel',
    commands: ['huy', 'cancel'],
    always: {
      vi: 'huỷ, huỷ bỏ, không làm nữa, thôi không',
      en: 'cancel, never mind, nevermind, abort, forget it',
    },
    alone: { vi: 'thôi, dừng lại, thoát, bỏ đi, thôi khỏi, ngừng', en: 'stop, quit, exit' },
  },
  {
    intent: 'history',
    commands: ['lichsu', 'history'],
    always: {
      vi: 'lịch sử, ls, lsgd, giao dịch, sao kê, đã tích, điểm đã tích, đã tích điểm, đã đổi, đã đổi quà, quà đã đổi, đã đổi điểm',
      en: 'history, hist, transactions, earned points, points earned, redeemed gifts, gifts redeemed, past points',
    },
    alone: { vi: '', en: 'activity, statement, earned, redeemed' },
  },
  {
    intent: 'edit',
    always: {
      vi: 'chỉnh sửa, sửa lại, sửa mã, sửa số, đổi số điện thoại, đổi sđt, đổi email, đổi mail, nhập lại',
      en: 'change phone, change phone number, change email, change my email, change my phone, edit',
    },
    alone: { vi: 'sửa, thay đổi, đổi số', en: 'change, modify, fix' },
  },
  {
    intent: 'redeem',
    commands: ['doiqua', 'redeem'],
    always: {
      vi: 'đổi quà, đổi điểm, đổi thưởng, quy đổi, đổi số điểm, quà khác, đổi quà khác, nhập mã quà, lấy quà, nhận quà, xem quà, danh sách quà, đổi voucher, dùng điểm, tiêu điểm',
      en: 'redeem, redeem points, exchange points, spend points, use points, use my points, claim gift, claim a gift, get a gift, redemption, another gift, other gift, different gift',
    },
    alone: { vi: 'đổi, quà, quà tặng, đq', en: 'gift, gifts, reward, rewards' },
  },
  {
    intent: 'accumulate',
    commands: ['tichdiem', 'accumulate'],
    always: {
      vi: 'tích điểm, tích luỹ điểm, cộng điểm, cộng thêm điểm, thêm điểm, nhập mã, nạp mã, quét mã, nhập code, kích hoạt mã',
      en: 'accumulate, accumulate points, earn points, collect points, add points, add my points, enter code, enter a code',
    },
    alone: { vi: 'tích, tích luỹ, tđ', en: 'earn, collect' },
  },
  {
    intent: 'points',
    commands: ['diem', 'points'],
    always: {
      vi: 'xem điểm, tra điểm, kiểm tra điểm, số điểm, điểm của tôi, điểm của mình, điểm của em, bao nhiêu điểm, còn điểm, số dư, tổng điểm, hạng thành viên, thứ hạng, hạng của tôi, hạng của mình, điểm còn lại, điểm hiện có, thành viên hạng',
      en: 'my points, how many points, point balance, points balance, my balance, check points, my tier, my rank',
    },
    alone: {
      vi: 'điểm, mình hạng gì, tôi hạng gì, em hạng gì',
      en: 'points, point, balance, tier, rank, score',
    },
  },
  {
    intent: 'help',
    commands: ['help', 'trogiup'],
    always: {
      vi: 'trợ giúp, hướng dẫn, hdsd, cách dùng, cách sử dụng, làm được gì, làm được những gì',
      en: 'help me, how does this work, what can you do',
    },
    alone: {
      vi: 'giúp, giúp đỡ, giúp với, giúp tôi, giúp mình, hỗ trợ, làm sao, như thế nào, thế nào, cách',
      en: 'help, how, how to, instructions',
    },
  },
  {
    intent: 'start',
    commands: ['start'],
    always: NONE,
    alone: { vi: 'bắt đầu, bắt đầu lại, làm lại, làm lại từ đầu', en: 'start, begin, restart, start over' },
  },
  {
    intent: 'menu',
    commands: ['menu'],
    always: { vi: '', en: 'main menu' },
    alone: { vi: 'danh mục, trang chủ, chức năng', en: 'menu, home, options' },
  },
  {
    intent: 'skip',
    always: NONE,
    alone: { vi: 'bỏ qua, không có, không cần, để sau, khỏi', en: 'skip, none, later, not now' },
  },
  {
    intent: 'next',
    always: NONE,
    alone: {
      vi: 'tiếp, tiếp theo, trang sau, trang tiếp, xem thêm, xem tiếp, sau',
      en: 'next, more, next page, show more',
    },
  },
  {
    intent: 'previous',
    always: NONE,
    alone: {
      vi: 'trước, trang trước, quay lại, trở lại, lùi',
      en: 'back, previous, prev, previous page, go back',
    },
  },
  {
    intent: 'keep',
    always: NONE,
    alone: {
      vi: 'giữ, giữ nguyên, giữ như mình gõ, giữ như tôi gõ',
      en: 'keep, keep it, keep what I typed',
    },
  },
  {
    intent: 'other',
    always: NONE,
    alone: { vi: 'nhập số khác, số khác', en: 'another number, other number, different number' },
  },
  {
    intent: 'retry',
    always: NONE,
    alone: { vi: 'thử lại', en: 'try again, retry' },
  },
  {
    intent: 'decline',
    always: NONE,
    alone: {
      vi: 'không, không đồng ý, không phải, không được, không muốn, không thích, sai, sai rồi, chưa, từ chối',
      en: "no, nope, nah, n, decline, wrong, do not, don't, not, no thanks, no thank you, disagree",
    },
  },
  {
    intent: 'confirm',
    always: NONE,
    alone: {
      vi: 'có, ừ, ừm, uh, đồng ý, đúng, đúng rồi, đúng vậy, xác nhận, chấp nhận, được, được rồi, vâng, dạ, chính xác, chuẩn, phải, tiếp tục, dùng số này',
      en: 'use this number, yes, y, yep, yeah, yup, ok, okay, oke, okie, oki, okela, sure, confirm, correct, right, agree, accept, continue',
    },
  },
  {
    intent: 'bye',
    always: { vi: 'tạm biệt', en: 'goodbye, good bye, bye bye, see you' },
    alone: { vi: '', en: 'bye' },
  },
  {
    intent: 'thanks',
    always: NONE,
    alone: { vi: 'cảm ơn, cám ơn', en: 'thanks, thank you, thank, thank u, thx, tks, ty' },
  },
  {
    intent: 'greet',
    always: NONE,
    alone: {
      vi: 'chào, xin chào, chào bạn, alo, a lô, bạn là ai, shop ơi, sốp ơi, bạn ơi, ad ơi, admin ơi, bot ơi',
      en: 'hello, hi, hey, good morning, good afternoon, who are you',
    },
  },
];
