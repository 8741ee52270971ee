import type { Grammar } from './grammar.ts';
import { placesFrom } from './places.ts';

export const vi: Grammar = {
  periods: {
    '7d': 'tuần qua, hôm trước, hôm bữa, hôm nọ, bữa trước, bữa giờ, hổm rày, mấy hôm rày',
    '30d': 'tháng qua, gần đây, mới đây, dạo này, dạo gần đây, thời gian gần đây, thời gian qua',
    month: 'tháng này',
    lastMonth: 'tháng trước, tháng rồi, tháng vừa rồi, tháng vừa qua',
    all: `tất cả, toàn bộ, từ trước đến nay, từ trước tới nay, từ trước đến giờ, từ trước tới giờ, trước giờ, trước nay,
      xưa giờ, xưa nay, từ xưa đến nay, từ xưa đến giờ, hồi giờ, từ đầu đến giờ, từ đầu đến nay, mọi lúc,
      gần nhất, gần đây nhất, mới nhất`,
  },
  days: {
    today: `hôm nay, bữa nay, sáng nay, trưa nay, chiều nay, tối nay, đêm nay, hồi sáng, hồi trưa, hồi chiều, hồi nãy,
      lúc nãy, nãy giờ, vừa nãy`,
    yesterday: 'hôm qua, bữa qua, sáng qua, trưa qua, chiều qua, tối qua, đêm qua',
    dayBefore: 'hôm kia, bữa kia',
    week: 'tuần này',
    lastWeek: 'tuần trước, tuần rồi, tuần vừa rồi, tuần vừa qua',
    weekBefore: 'tuần trước nữa, tuần kia',
    monthBefore: 'tháng trước nữa, tháng kia',
    quarter: 'quý này',
    lastQuarter: 'quý trước, quý rồi, quý vừa rồi, quý vừa qua',
    halfMonth: 'nửa tháng, nửa tháng qua, nửa tháng nay, nửa tháng gần đây',
    halfYear: 'nửa năm, nửa năm qua, nửa năm nay, nửa năm gần đây',
    year: 'năm nay',
    lastYear: 'năm ngoái, năm trước, năm rồi, năm vừa rồi',
    yearBefore: 'năm kia, năm trước nữa',
    pastYear: 'năm qua',
    lastTime: 'lần cuối, lần gần nhất, lần gần đây nhất, lần trước, lần rồi',
  },
  weekdays: {
    names: [
      'thứ hai, thứ 2',
      'thứ ba, thứ 3',
      'thứ tư, thứ 4',
      'thứ năm, thứ 5',
      'thứ sáu, thứ 6',
      'thứ bảy, thứ 7',
      'chủ nhật',
    ],
    latest: '~',
    last: '~ vừa rồi, ~ vừa qua, ~ rồi, ~ qua',
    this: '~ này',
    next: '~ tới, ~ sau',
  },
  future: `ngày mai, ngày kia, ngày mốt, tuần sau, tuần tới, tuần sau nữa, tháng sau, tháng tới, tháng sau nữa, quý sau,
    quý tới, năm sau, năm tới, sắp tới`,
  lunar: 'tết, tháng giêng, tháng chạp, âm lịch',
  time: {
    sure: 'noel, t2, t3, t4, t5, t6, t7',
    spelt: 'hồi, dịp, đợt, lúc, mùa, lễ, hè, rằm, giêng, chạp, âm',
    doubtful: '',
    units: 'ngày, tuần, tháng, quý, năm, hôm, bữa, mùng, mồng',
    ordinals: 'tư, đầu, cuối',
    before: `từ, đến, tới, trong, khoảng, đầu, cuối, giữa, cả, nguyên, suốt, trọn, nửa, mấy, vài, một, hai, ba, bốn, năm,
      sáu, bảy, tám, chín, mười, lăm, mươi, trước, sau, ngoài, trừ, phải, cách, đây, nay, cn, sáng, trưa, chiều, tối, đêm, khuya, buổi`,
    after: `này, nay, đến, tới, qua, trước, rồi, vừa, gần, đây, nhất, nữa, ngoái, kia, sau, trở, lại, đổ, về, hoặc, giờ, bây,
      hiện, tại, tiên, cùng`,
  },
  range: {
    from: 'từ',
    to: 'đến, tới',
    between: '',
    now: 'nay, giờ, bây giờ, hiện tại, hôm nay, h, bh',
    and: 'và, với, cùng',
    whole: 'cả, nguyên, suốt, trọn',
    units: { week: 'tuần', month: 'tháng', quarter: 'quý', year: 'năm' },
    daytimes: 'sáng, trưa, chiều, tối, đêm, khuya, buổi',
    others: 'ngày, tháng, năm, tuần, quý, hôm, bữa, trong, khoảng, qua, vừa',
    telling: 'nữa, mấy, trước, sau, ngoài, trừ, phải, hoặc, âm',
  },
  parts: {
    first: 'đầu, đầu tiên',
    middle: 'giữa',
    last: 'cuối, cuối cùng',
    half: 'nửa',
  },
  counted: {
    numbers: {
      ...{ một: 1, hai: 2, ba: 3, bốn: 4, năm: 5, sáu: 6, bảy: 7, tám: 8, chín: 9, mười: 10, 'mười một': 11 },
      ...{ 'mười hai': 12, 'mười lăm': 15, 'hai mươi': 20, 'ba mươi': 30, 'sáu mươi': 60, 'chín mươi': 90 },
    },
    few: 'may|vai ba|vai|dam',
    before: 'trong|khoang|suot',
    hours: 'gio|tieng|h',
    days: 'ngay|hom|bua',
    weeks: 'tuan',
    months: 'thang',
    years: 'nam',
    after: `vua qua|vua roi|qua|gan day|gan nay|gan nhat|nay|roi|tro lai day|tro lai nay|tro lai|do lai day|do lai nay|do lai`,
    ago: 'truoc day|truoc nay|ve truoc|truoc',
  },
  inNumbers,
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

const MONTHS = 'mot,hai,ba,tu|bon,nam,sau,bay,tam,chin,muoi,muoi mot,muoi hai'.split(',');
const QUARTERS = 'mot|i,hai|ii,ba|iii,tu|bon|iv'.split(',');

/** The place of a word in a list, from 1. */
const placeIn = (list: readonly string[], word: string): number =>
  list.findIndex((words) => words.split('|').includes(word)) + 1;

/** Not "tháng năm nay", "tháng bây giờ", "3 tháng từ 1/8"; "tháng sáu" has its number already. */
const MONTH =
  /(?<!\d )\bthang (muoi mot|muoi hai|muoi|mot|hai|ba|tu(?! \d)|bon|nam(?! (?:nay|ngoai|truoc|roi|vua|qua|kia|sau|toi|den)\b)|bay(?! gio)|tam|chin)\b/g;
const QUARTER = /\bquy (\d|iv|i{1,3}|mot|hai|ba|tu|bon)\b(?:(?: nam | ?\/ ?| )(\d{4}))?/g;

/** "1 tháng 8 năm 2023", "tháng tám 2023" and "T8/2023" become "1/8/2023" and "thang 8/2023", "ngày 5" becomes "d5". */
function inNumbers(text: string): string {
  return text
    .replace(MONTH, (_, word: string) => `thang ${placeIn(MONTHS, word)}`)
    .replace(/\b(?:t(?=[89]|1[0-2])|thg?|thang)\.? ?(\d{1,2})(?!\d)/g, 'thang $1')
    .replace(/\bt([2-7]) (?=tuan\b)/g, 'thu $1 ')
    .replace(/\bcn (?=tuan\b)/g, 'chu nhat ')
    .replace(/thang (\d{1,2}) ?(?:-|den|toi) ?(\d{1,2})(?![\d/])/g, 'thang $1 - thang $2')
    .replace(/\bm[uo]ng (?=\d{1,2} (?:thang \d|den|toi|-)|\d{1,2}\/)/g, 'ngay ')
    .replace(/ngay (\d{1,2}) ?(?:-|den|toi) ?(\d{1,2})(?![\d/])/g, 'ngay $1 - ngay $2')
    .replace(/(?<!thang \d?)(\d) thang (\d)/g, '$1/$2')
    .replace(/((?:\/|thang )\d{1,2}) (?:nam )?(\d{4})(?!\d)/g, '$1/$2')
    .replace(/\b(?:ngay|hom) (\d{1,2})(?![\d/.-])/g, 'd$1')
    .replace(/\b(1[3-9]|2\d|3[01]) (?=thang (?:nay|truoc|roi|vua)\b)/g, 'd$1 ')
    .replace(/\bcach (?:day|nay) (\w+ \w+)/g, '$1 truoc')
    .replace(/\b(dau|giua|cuoi) (tuan|thang|quy|nam) qua\b/g, '$1 $2 truoc')
    .replace(/\bnua (thang|nam) (dau|cuoi|sau)\b/g, 'nua $2 $1')
    .replace(/\bnua sau\b/g, 'nua cuoi')
    .replace(/\btrong (?=(?:\w+ )?(?:ngay|tuan|thang) (?:dau|cuoi)\b)/g, '')
    .replace(
      /(?<=^|\b(?:tu|den|toi|vao) )(?=(?:tuan|thang) (?:dau|cuoi)(?: tien| cung)? (?:cua|thang|nam|quy))/g,
      '1 ',
    )
    .replace(QUARTER, (_, word: string, year?: string) => {
      const quarter = /\d/.test(word) ? word : placeIn(QUARTERS, word);
      return year === undefined ? `q${quarter}` : `q${quarter}/${year}`;
    });
}

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
