import type { Phrases } from './vocabulary.ts';

/** Units: a number before one is an amount, not a code. */
export const UNITS: Phrases = { vi: 'điểm, đồng, ngày, cái, món', en: 'points, point, days, vnd, d' };

/** Words that change nothing: politeness, pronouns, particles. */
export const FILLERS: Phrases = {
  vi: `mình, tôi, tui, em, anh, chị, bạn, shop, sốp, ad, admin, bot, ơi, à, ạ, ak, nhé, nha, nhe, nghen, hen,
    với, vs, giùm, dùm, hộ, cho, cho hỏi, xin, hỏi, xin hỏi, muốn, mún, cần, được không, phải không, thì, là, mà, và, của,
    cái, này, kia, đó, ở, tại, còn, bao nhiêu, bn, nào, gì, đi, luôn, lại, thêm, hay, rồi, hiện, hiện tại, hiện giờ,
    bây giờ, giờ, vậy, thế, làm, làm ơn, vui lòng, xem, kiểm tra, tra cứu, tra, lấy, nhập, gửi, nhận, các, những, lần, mấy,
    lắm, nhiều, e, c, m, t, đang, sẽ, hãy, để, số, sang, nữa, đâu, sao, thích, nhỉ, hả, hở, khách, mua, tổng,
    gặp, chú, bác, giúp em, giúp anh, giúp chị, một, chút, chờ, sản phẩm`,
  en: `i, me, my, mine, we, our, you, your, want, want to, would, d, ll, m, s, t, like, like to, need, need to, please, pls,
    plz, can, could, the, a, an, of, for, with, is, are, am, many, much, do, does, have, has, got, give, show, see,
    check, get, let, what, which, where, on, in, at, and, now, it, this, that, here, there, some, any, view, look, use,
    go, so, set, put, number, in order to, going to, wanna, gonna, product, how can i, how do i, list`,
};

/** Right before the name of a gift, these ask for it: "đổi loa". On their own they ask for nothing. */
export const WISHES: Phrases = { vi: 'đổi, lấy, chọn', en: 'get, take, choose, claim, exchange' };

/** Words that turn the request after them into its opposite (`stop`), or say that it did not work (`fail`). */
export const DENIALS: readonly { readonly denial: 'stop' | 'fail'; readonly words: Phrases }[] = [
  { denial: 'stop', words: { vi: 'không, không muốn', en: "not, do not, don't, do not want, don't want" } },
  { denial: 'fail', words: { vi: 'không được', en: "can't, cannot, can not, couldn't, unable to" } },
];

/** One word for another, both folded: what thumbs make of them. */
export const ABBREVIATIONS: Readonly<Record<string, string>> = {
  k: 'khong',
  ko: 'khong',
  kg: 'khong',
  khg: 'khong',
  hok: 'khong',
  hong: 'khong',
  hem: 'khong',
  hk: 'khong',
  dc: 'duoc',
  trc: 'truoc',
  mk: 'minh',
  mik: 'minh',
  wa: 'qua',
  ntn: 'the nao',
};

/** Words that, spelt with these marks, are not what their letters alone would say; '' = they change nothing. */
export const HOMOGRAPHS: Readonly<Record<string, string>> = {
  đừng: 'khong',
  dừng: 'huy',
  cô: '',
  cố: '',
  cổ: '',
  cờ: '',
  sữa: '',
  đợi: '',
  đôi: '',
  đời: '',
  đội: '',
  quá: '',
  tớ: '',
  đây: '',
  đấy: '',
  quả: '',
  mà: '',
  má: '',
};

/**
 * Words that count on their own only with their marks in a message that has marks: "Tôi là Huy" cancels nothing, and
 * in "gửi qua email" there is no gift.
 */
export const NEED_MARKS: readonly string[] = ['huy', 'qua'];

/** Phrases that tell which of the two histories is meant; the phrases of earning and redeeming do so too. */
export const TYPES: readonly { readonly type: 'point' | 'gift'; readonly words: Phrases }[] = [
  {
    type: 'point',
    words: {
      vi: 'đã tích, điểm đã tích, đã tích điểm',
      en: 'earned, earned points, points earned, past points',
    },
  },
  {
    type: 'gift',
    words: {
      vi: 'đã đổi, đã đổi quà, quà đã đổi, đã đổi điểm',
      en: 'redeemed, redeemed gifts, gifts redeemed',
    },
  },
];

/** What the slots are called. A code may directly follow its name. */
export const FIELDS: readonly { readonly field: 'code' | 'phone' | 'email'; readonly words: Phrases }[] = [
  {
    field: 'code',
    words: { vi: 'mã, mã số, mã code, sê ri, sửa mã, mã vạch', en: 'code, serial' },
  },
  {
    field: 'phone',
    words: {
      vi: 'sđt, sửa số, đổi số, số điện thoại, điện thoại, số đt, đt, di động, đổi số điện thoại, đổi sđt, zalo',
      en: 'phone, phone number, mobile, tel, change phone, change phone number, change my phone',
    },
  },
  {
    field: 'email',
    words: {
      vi: 'thư điện tử, đổi email, đổi mail',
      en: 'email, mail, e mail, gmail, mailto, change email, change my email',
    },
  },
];
