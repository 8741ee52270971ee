import type { Grammar } from './grammar.ts';
import { placesFrom } from './places.ts';

export const vi: Grammar = {
  periods: {
    '7d': 'tuần qua, hôm trước, hôm bữa, hôm nọ, bữa trước, bữa giờ, hổm rày, mấy hôm rày',
    '30d': 'tháng qua, gần đây, mới đây, dạo này, dạo gần đây, thời gian gần đây, thời gian qua',
    month: 'tháng này',
    lastMonth: 'tháng trước, tháng rồi, tháng vừa rồi, tháng vừa qua',
    all: 'tất cả, toàn bộ, từ trước đến nay, từ trước tới nay, từ trước đến giờ, từ trước tới giờ, trước giờ, trước nay, xưa giờ, xưa nay, từ xưa đến nay, từ xưa đến giờ, hồi giờ, từ đầu đến giờ, từ đầu đến nay, mọi lúc, gần nhất, gần đây nhất, mới nhất, lần cuối, lần gần nhất, lần gần đây nhất, lần trước, lần rồi',
    today:
      'hôm nay, bữa nay, sáng nay, trưa nay, chiều nay, tối nay, đêm nay, hồi sáng, hồi trưa, hồi chiều, hồi nãy, lúc nãy, nãy giờ, vừa nãy',
    yesterday: 'hôm qua, bữa qua, sáng qua, trưa qua, chiều qua, tối qua, đêm qua',
    'day before': 'hôm kia, bữa kia',
    week: 'tuần này',
    'last week': 'tuần trước, tuần rồi, tuần vừa rồi, tuần vừa qua',
    'week before': 'tuần trước nữa, tuần kia',
    'month before': 'tháng trước nữa, tháng kia',
    quarter: 'quý này',
    'last quarter': 'quý trước, quý rồi, quý vừa rồi, quý vừa qua',
    'half a month': 'nửa tháng, nửa tháng qua, nửa tháng nay, nửa tháng gần đây',
    'half a year': 'nửa năm, nửa năm qua, nửa năm nay, nửa năm gần đây',
    year: 'năm nay',
    'last year': 'năm ngoái, năm trước, năm rồi, năm vừa rồi',
    'year before': 'năm kia, năm trước nữa',
    'past year': 'năm qua',
    'to come':
      'ngày mai, ngày kia, ngày mốt, tuần sau, tuần tới, tuần sau nữa, tháng sau, tháng tới, tháng sau nữa, quý sau, quý tới, năm sau, năm tới, sắp tới',
    monday: 'thứ hai, thứ 2',
    tuesday: 'thứ ba, thứ 3',
    wednesday: 'thứ tư, thứ 4',
    thursday: 'thứ năm, thứ 5',
    friday: 'thứ sáu, thứ 6',
    saturday: 'thứ bảy, thứ 7',
    sunday: 'chủ nhật',
    'monday in a week': 't2',
    'tuesday in a week': 't3',
    'wednesday in a week': 't4',
    'thursday in a week': 't5',
    'friday in a week': 't6',
    'saturday in a week': 't7',
    'sunday in a week': 'cn',
    weekday: '~',
    'last weekday': '~ vừa rồi, ~ vừa qua, ~ rồi, ~ qua',
    'this weekday': '~ này',
    'weekday to come': '~ tới, ~ sau',
    hours: 'giờ, tiếng, h',
    days: 'ngày, hôm, bữa',
    weeks: 'tuần',
    months: 'tháng, thg, th, t',
    quarters: 'quý, q',
    years: 'năm',
    numbers:
      'một = 1, hai = 2, ba = 3, bốn = 4, năm = 5, sáu = 6, bảy = 7, tám = 8, chín = 9, mười = 10, mười một = 11, mười hai = 12, mười lăm = 15, hai mươi = 20, ba mươi = 30, sáu mươi = 60, chín mươi = 90',
    ordinals: 'tư = 4, i = 1, ii = 2, iii = 3, iv = 4',
    few: 'mấy, vài, vài ba, dăm',
    from: 'từ',
    to: 'đến, tới',
    now: 'nay, giờ, bây giờ, hiện tại, hôm nay, h, bh',
    and: 'và, với, cùng',
    of: 'của, trong',
    whole: 'cả, nguyên, suốt, trọn',
    first: 'đầu, đầu tiên',
    middle: 'giữa',
    end: 'cuối, cuối cùng',
    half: 'nửa',
    'last half': 'nửa sau',
    past: 'trong, khoảng, suốt',
    since:
      'vừa qua, vừa rồi, qua, gần đây, gần nay, gần nhất, nay, rồi, trở lại đây, trở lại nay, trở lại, đổ lại đây, đổ lại nay, đổ lại',
    ago: 'trước đây, trước nay, về trước, trước',
    'ago before': 'cách đây, cách nay',
    daytimes: 'sáng, trưa, chiều, tối, đêm, khuya, buổi',
    noise: 'ngày, tháng, năm, tuần, quý, hôm, bữa, trong, khoảng, qua, vừa, mùng, mồng',
    telling: 'nữa, mấy, trước, sau, ngoài, trừ, phải, hoặc, âm',
    lunar: 'tết, tháng giêng, tháng chạp, âm lịch',
    spelt: 'tối = đêm, tới = đến, sáu = 6, đây = nay',
    sure: 'noel, t2, t3, t4, t5, t6, t7',
    'only as spelt': 'hồi, dịp, đợt, lúc, mùa, lễ, hè, rằm, giêng, chạp, âm',
    units: 'ngày, tuần, tháng, quý, năm, hôm, bữa, mùng, mồng',
    'after a unit': 'tư, đầu, cuối',
    before:
      'từ, đến, tới, trong, khoảng, đầu, cuối, giữa, cả, nguyên, suốt, trọn, nửa, mấy, vài, một, hai, ba, bốn, năm, sáu, bảy, tám, chín, mười, lăm, mươi, trước, sau, ngoài, trừ, phải, cách, đây, nay, cn, sáng, trưa, chiều, tối, đêm, khuya, buổi',
    after:
      'này, nay, đến, tới, qua, trước, rồi, vừa, gần, đây, nhất, nữa, ngoái, kia, sau, trở, lại, đổ, về, hoặc, giờ, bây, hiện, tại, tiên, cùng',
  },
  pages: {
    number: 'trang, trang số, trang thứ, qua trang, đến trang, tới trang, sang trang',
    first: 'trang đầu, trang đầu tiên, trang nhất, đầu tiên, về đầu, về trang đầu',
    last: 'trang cuối, trang cuối cùng, trang chót, cuối cùng, đến trang cuối, tới trang cuối',
    next: 'nữa, xem nữa, thêm nữa, tiếp nữa, xem thêm nữa, xem tiếp nữa, còn nữa, còn nữa không, còn không, trang kế',
    previous: 'lùi lại, quay về, về trang trước, trang trước nữa',
  },
  units: 'điểm, đồng, cái, món',
  questions: 'gì, bao nhiêu, bn, những gì, khi nào',
  several: {
    numbers: { mot: 1, hai: 2, ba: 3, bon: 4 },
    counters: 'cai|chiec|mon|phan|bo|suat|qua',
    ending: '',
    beside: 'cơ, chứ',
  },
  asking: {
    anywhere: `đâu, sao, gì, nào, mấy, nhiêu, ai, bao giờ, bao lâu, bao nhiêu, chừng nào, làm chi, chi vậy, chi rứa, chi thế,
      cái chi, kiểu chi, không đó, chưa đó`,
    first: '',
    last: 'không, chưa, hả',
    polite: `mình, tôi, tui, em, anh, chị, bạn, shop, sốp, ad, admin, bot, ơi, à, ạ, ak, nhé, nha, vậy, thế, thì, là, cho,
      hỏi, xin, giúp, với, dạ, lại, nhỉ, hở, đấy, hen, dzậy, zậy`,
    small: 'ở, có, được, cái, này, đó, nó, của, và, còn, rồi, cũng, phải, thêm, luôn, đi',
  },
  borrowed: 'ok, oke, oki, okie, okela, alo, zalo, sao kê, ad, vip',
  particles: `à, ạ, ak, nhé, nha, nhe, nghen, hen, ha, luôn, đi, nào, rồi, thôi, liền, giúp, giúp mình, mình, tôi, em, anh, chị,
    bạn, shop, sốp, ad, admin, bot, ơi, cảm ơn, cám ơn, e, c`,
  fillers: `mình, tôi, tui, em, anh, chị, bạn, shop, sốp, ad, admin, bot, ơi, à, ạ, ak, nhé, nha, nhe, nghen, hen,
    với, vs, giùm, dùm, hộ, cho, cho hỏi, xin, hỏi, xin hỏi, muốn, mún, cần, được không, phải không, thì, là, mà, và, của,
    cái, này, kia, đó, ở, tại, còn, nào, đi, luôn, lại, thêm, hay, rồi, hiện, hiện tại, hiện giờ,
    bây giờ, giờ, vậy, thế, làm, làm ơn, vui lòng, xem, coi, kiểm tra, tra cứu, tra, lấy, nhập, gửi, nhận, các, những, lần, mấy,
    lắm, nhiều, e, c, m, t, đang, sẽ, hãy, để, số, sang, nữa, đâu, thích, nhỉ, khách, mua, tổng,
    gặp, chú, bác, lần sau, giúp em, giúp anh, giúp chị, một, chút, chờ, sản phẩm`,
  wishes: 'đổi, lấy, chọn',
  faults:
    'sai, sai rồi, sai số, nhầm, nhầm rồi, nhầm số, chưa đúng, không chính xác, chưa chính xác, không phải',
  assents: 'dạ, vâng',
  short: '',
  objections: { last: 'à, hả, hở, có phải', anywhere: 'có rồi' },
  denials: {
    stop: 'không, không muốn',
    fail: 'không được',
  },
  types: {
    point: 'đã tích, điểm đã tích, đã tích điểm',
    gift: 'đã đổi, đã đổi quà, quà đã đổi, đã đổi điểm, quà của tôi, quà của mình, quà của em, xem quà của tôi, xem quà của mình, quà của khách, quà tôi đã đổi, quà mình đã đổi',
  },
  listing: {
    removing: 'bỏ, bỏ bớt, xoá, xóa, loại, gỡ, bớt',
    denying:
      'không phải, ko phải, k phải, hông phải, hổng phải, không lấy, ko lấy, k lấy, không tính, ko tính',
    replacing: 'thay, đổi, sửa, chỉnh',
    correcting: `không phải, ko phải, k phải, hông phải, hổng phải, nhầm, gõ lộn, ghi lộn, nhập lộn, lộn mã, sai, sai rồi,
      đúng là, mới đúng, chính xác là, phải là`,
    adding: 'thêm, nữa, cũng',
    keeping: `chỉ, giữ, giữ lại, chỉ lấy, chỉ cần, chỉ tích, chỉ muốn, chỉ muốn tích, chỉ giữ, chỉ giữ lại, chỉ để,
      chỉ để lại`,
    between: 'mã, mã số, mã code, code, số, cái, là, cả',
    joining: 'và, với',
    others: 'kia, còn lại',
    inPlaces,
  },
  gifts: 'quà, quà tặng',
  ever: 'quà của tôi, quà của mình, quà của em, xem quà của tôi, xem quà của mình, quà của khách, quà tôi đã đổi, quà mình đã đổi',
  fields: {
    code: 'mã, mã số, mã code, sê ri, sửa mã, đổi mã, thay mã, mã vạch, bỏ mã, bỏ bớt mã, xoá mã, bớt mã',
    phone:
      'sđt, sửa số, đổi số, sai số, nhầm số, số điện thoại, điện thoại, số đt, đt, di động, đổi số điện thoại, đổi sđt, zalo',
    email: 'thư điện tử, đổi email, đổi mail, bỏ email, bỏ mail, xoá email',
  },
  abbreviations: {
    k: 'khong',
    ko: 'khong',
    kg: 'khong',
    khg: 'khong',
    hok: 'khong',
    hong: 'khong',
    hem: 'khong',
    khum: 'khong',
    lun: 'luon',
    hk: 'khong',
    dc: 'duoc',
    trc: 'truoc',
    ni: 'nay',
    mk: 'minh',
    mik: 'minh',
    wa: 'qua',
    hqua: 'hom qua',
    hnay: 'hom nay',
    qa: 'qua',
    rui: 'roi',
    thg: 'thang',
    thag: 'thang',
    ntn: 'the nao',
    h: 'gio',
    j: 'gi',
    r: 'roi',
    z: 'vay',
    ik: 'di',
    bit: 'biet',
    bik: 'biet',
  },
  homographs: {
    ừa: 'u',
    ờ: 'u',
    đừng: 'khong',
    viết: '',
    dừng: 'huy',
    cô: '',
    cố: '',
    cổ: '',
    cờ: '',
    sữa: '',
    đợi: 'cho',
    đôi: '',
    đời: '',
    đội: '',
    quá: '',
    tớ: '',
    đây: 'nay',
    tối: 'dem',
    tới: 'den',
    sáu: '6',
    đấy: '',
    quả: '',
    mà: '',
    má: '',
    mô: 'dau',
    răng: 'sao',
    rứa: 'vay',
    ngủ: '',
  },
  needMarks: ['huy', 'qua'],
};

/** The place of a word in a list, from 1. */
const placeIn = (list: readonly string[], word: string): number =>
  list.findIndex((words) => words.split('|').includes(word)) + 1;

const ORDINALS = ['nhat', 'hai|nhi', 'ba', 'bon|tu', 'nam', 'sau', 'bay', 'tam', 'chin', 'muoi'];
const ORDINAL = ORDINALS.join('|');
const NUMBERS = ['mot', 'hai', 'ba', 'bon', 'nam', 'sau', 'bay', 'tam', 'chin'];
const NUMBER = `\\d|${NUMBERS.join('|')}`;

const SEVERAL_AT_AN_END = new RegExp(`\\b(${NUMBER}) (?:ma|cai) (dau|cuoi)(?: tien| cung)?\\b`, 'g');
const ALL = new RegExp(`\\b(?:(?:het|tat ca|toan bo)(?: cac| nhung)?|ca (?:${NUMBER})) ma\\b`, 'g');
const BY_ORDINAL = new RegExp(`\\b(?:(?:ma|cai|so) )*thu (${ORDINAL}|\\d{1,2})\\b`, 'g');
const AT_AN_END = /\b(?:ma|cai) (?:(dau)(?: tien)?|cuoi(?: cung)?|sau cung)\b/g;
const BY_NUMBER = /\b(?:ma so|ma|so|cai) (\d{1,2}(?: (?:va |voi )?\d{1,2})*)\b/g;

/** "Mã thứ hai" and "mã số 2" become "#2", "mã cuối" becomes "#-1", "2 mã đầu" becomes "#1 #2", "hết mã" becomes "#0". */
function inPlaces(text: string): string {
  const counted = (number: string) => Number(number) || NUMBERS.indexOf(number) + 1;
  return text
    .replace(SEVERAL_AT_AN_END, (_, many: string, end: string) =>
      placesFrom(end === 'dau' ? 1 : -1, counted(many)),
    )
    .replace(ALL, '#0')
    .replace(BY_ORDINAL, (_, word: string) => `#${Number(word) || placeIn(ORDINALS, word)}`)
    .replace(AT_AN_END, (_, first?: string) => (first ? '#1' : '#-1'))
    .replace(BY_NUMBER, (_, numbers: string) => numbers.replace(/\d+/g, '#$&'));
}
