import { describe, expect, test } from 'vitest';
import { questionsOf } from '../support/conversation.ts';
import { Dialogue, TEAMS } from '../support/dialogue.ts';

/*
 * Questions as customers type them: with marks and without, in the words of a phone, of the South, the North and the
 * middle, in English. Each is answered by what is asked, or by nothing: a wrong answer is worse than none.
 */

const find = questionsOf();

const ANSWERED: readonly (readonly [id: string, ...texts: string[]])[] = [
  [
    'fee',
    'co mat phi ko shop',
    'tốn tiền hông',
    'free hả shop',
    'có tốn xu nào không',
    'is there any charge?',
  ],
  [
    'code.where',
    'mã nằm chỗ nào vậy ad',
    'tìm mã kiểu gì',
    'mã nó in ở mô rứa',
    'code nằm đâu z',
    'ma o dau z',
  ],
  ['code.where', 'kiếm mã ở đâu dzậy', 'where can i see the code?'],
  ['code.once', 'mã dùng mấy lần', '1 mã xài được mấy lần vậy', 'can i use a code twice?'],
  ['code.photo', 'chụp hình gửi đc hông', 'gửi ảnh có được không ạ', 'can i send a photo?'],
  ['code.many', 'nhập nhiều mã 1 lần được k', 'can i send two codes at once?'],
  [
    'points.when',
    'bao h có điểm',
    'khi mô có điểm',
    'chừng nào điểm về dzậy shop',
    'how soon do i get points?',
  ],
  ['points.when', 'bao giờ điểm vào tài khoản', 'bao lâu thì có điểm ạ'],
  ['points.use', 'điểm để làm gì', 'diem de lam gi', 'điểm xài vào đâu', 'what are points for?'],
  ['points.how', 'làm sao có điểm vậy', 'làm sao để tích điểm', 'how can i get points?'],
  ['points.worth', 'một mã được bao nhiêu điểm', 'mã này được mấy điểm', 'how many points per code?'],
  ['gift.how', 'đổi quà ở mô', 'doi qua kieu gi', 'where can i redeem my points?'],
  ['points.missing', 'sao mình chưa được cộng điểm', 'sao điểm mình thiếu', "why don't i have any points?"],
  ['points.missing', 'điểm của mình bị trừ sao vậy', 'sao chua co diem vay'],
  [
    'phone.why',
    'sao phải cho sdt',
    'hỏi số làm gì thế',
    'sao lại cần số điện thoại của tôi',
    'why my phone?',
  ],
  ['phone.why', 'why do u need my number', 'lấy sđt làm gì vậy'],
  ['phone.wrong', 'số điện thoại sai chỗ nào', 'what is wrong with my number?'],
  ['phone.other', 'số của vợ mình được không', "can i use my wife's number?"],
  ['phone.other', 'tích điểm cho người khác được không ạ'],
  ['email.why', 'cần mail làm gì', 'email để làm gì vậy', 'is email mandatory?', 'sao cần email vậy shop'],
  ['email.wrong', 'email sai chỗ nào', 'what is wrong with my email?'],
  ['gift.where', 'lấy quà ở mô', 'quà nhận chỗ nào', 'how do i get my gift?', 'nhan qua o dau'],
  ['gift.refused', 'sao không đổi được quà', 'sao doi qua khong duoc', 'why was the gift refused?'],
  [
    'hours',
    'mấy h mở cửa',
    'mấy giờ đóng cửa rứa',
    'shop mở tới mấy giờ',
    'are you open now?',
    'may gio mo cua',
  ],
  [
    'safe',
    'có an toàn không shop',
    'có bị lộ số không',
    'có lừa đảo không đó',
    'is this legit?',
    'is this a scam?',
  ],
  ['code.wrong', 'mã sai chỗ nào', 'sao mã không đúng vậy', 'why does the code not work?'],
];

/** Only the operator knows: the contact is given, and the question counted. */
const UNANSWERED = [
  'điểm hết hạn khi nào',
  'hết hạn khi nào',
  'diem co het han khong',
  'bao giờ điểm hết hạn vậy',
  'khi nào hết điểm',
  'mã có hạn không',
  'mua ở đâu được điểm',
  'mua cái gì được điểm',
  'mua gì có điểm vậy',
  'cửa hàng ở đâu',
  'shop ở đâu vậy',
  'địa chỉ ở đâu',
  'lên hạng kiểu gì',
  'có khuyến mãi không',
  'chuyển điểm cho bạn được không',
  'điểm đổi ra tiền mặt được không',
  'bảo hành bao lâu',
  'có ship không',
  'có phí ship không',
  'is it free shipping?',
  'đổi tiền mặt được không',
  'điểm bao lâu thì hết hạn',
  'giá bao nhiêu',
  'đăng ký sao',
  'mất sim rồi phải làm sao',
  'mất số điện thoại thì sao',
  'trả quà được không',
  'do points expire?',
  'when do my points expire?',
  'where can i buy?',
  'can i get cash?',
  'mai có mưa không?',
  'tivi này mấy inch?',
  'bạn có người yêu chưa',
  'sao trời xanh vậy',
  'where is the moon?',
  'how old are you?',
];

/** They ask for something that the bot does, or for nothing: no answer may come in between. */
const NO_QUESTIONS = [
  ...['đổi quà', 'doi qua', 'tích điểm', 'tích điểm mã TIVI000000017', 'xem điểm', 'lịch sử', 'điểm', 'quà'],
  ...['tích điểm thế nào', 'tích điểm ở đâu', 'có quà gì', 'đổi được gì'],
  ...[
    'có những quà nào vậy',
    'mình có bao nhiêu điểm',
    'còn bao nhiêu điểm',
    'điểm của mình đâu',
    'how to redeem',
  ],
  ...[
    'how many points do I have?',
    'what gifts do you have?',
    'what do you store?',
    'hôm qua mình tích được gì',
    'tháng này tích được gì',
  ],
  ...['tháng trước mình đổi được quà gì', 'đổi quà đầu máy được không', 'cho mình đổi loa được không'],
  ...['Nguyễn Văn An', 'Trần Thị Mai', 'Lê Đâu', 'Ngô Bảo Sao', 'Garnacho', 'Mai Anh Đào', 'Phí Thị Hạnh'],
  ...[
    'TIVI000000017',
    'mã TIVI000000017',
    'TIVI000000017 TIVI000000018',
    'DAUMAY01',
    'đầu máy',
    'máy giặt',
    'nồi cơm',
  ],
  ...[
    '0912345678',
    'số của mình là 0912345678',
    'minh@example.vn',
    'email minh@example.vn',
    'sđt 0867 123 456',
  ],
  ...['12 Lý Thường Kiệt, Hà Nội', '45 đường số 3, Quận 7', 'ấp Mỹ Hoà, xã Phú Thọ', 'căn hộ B12.05'],
  ...[
    'không có email',
    'không',
    'có',
    'ok',
    'bỏ qua',
    'huỷ',
    'để sau',
    'cảm ơn',
    'chào shop',
    'đúng rồi',
    'không sao',
  ],
  ...[
    'số điện thoại',
    'đổi số điện thoại',
    'sửa mã',
    'sửa email',
    'thêm mã TIVI000000018',
    'bỏ mã TIVI000000018',
  ],
  ...[
    'tháng 9',
    'hôm qua',
    '1 - 5 November 2026',
    'quý 1',
    'trang 2',
    'tiếng Việt',
    'English please',
    '/privacy',
  ],
  ...['gặp nhân viên', 'hotline', 'mình mới mua tivi', 'mã in trên hộp', 'mình đang tìm mã', 'phí ship 30k'],
  ...[
    'my phone number is 0912345678',
    'I want a gift',
    'earn points',
    'redeem',
    'history',
    'my points',
    'next',
  ],
];

const answered = ANSWERED.flatMap(([id, ...texts]) => texts.map((text) => [text, id] as const));

test('there are enough of them', () => {
  expect(answered.length + UNANSWERED.length).toBeGreaterThan(100);
});

test.each(answered)('%s asks for %s', (text, id) => {
  expect(find(text)).toMatchObject({ id });
});

test.each(UNANSWERED)('%s has no answer', (text) => {
  expect(find(text)?.id).toBeUndefined();
});

test.each(NO_QUESTIONS)('%s is no question to be answered', (text) => {
  expect(find(text)?.sure).not.toBe(true);
});

/** Each question of ours, as far as it is asked for by itself. */
const QUESTIONS: readonly (readonly [string, () => Dialogue])[] = [
  ['a code', () => new Dialogue().text('tích điểm')],
  ['a phone', () => new Dialogue().text('tích điểm TIVI000000017')],
  ['an e-mail', () => new Dialogue().text('tích điểm TIVI000000017 0912345678')],
  ['a proof', () => new Dialogue().text('đổi quà DAUMAY01')],
  ['a summary', () => new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn')],
  [
    'consent',
    () => new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn').press('confirm'),
  ],
  ['a gift', () => new Dialogue(TEAMS).text('đổi quà')],
  ['a period', () => new Dialogue(TEAMS).text('lịch sử 32/8/2026')],
];

describe.each(QUESTIONS)('where we ask for %s', (_, begin) => {
  test('a question is answered and ours comes again', () => {
    for (const [text] of answered) {
      const chat = begin();
      const { key } = chat.question;
      chat.text(text);
      expect([text, chat.keys]).toEqual([text, ['answer', key]]);
    }
  });

  test('one that has no answer gets the contact, is counted, and ours comes again', () => {
    for (const text of UNANSWERED) {
      const chat = begin();
      const { key } = chat.question;
      chat.text(text);
      expect([text, chat.keys]).toEqual([text, ['unsure', key]]);
      expect(chat.replies[0]?.lines).toEqual([{ key: 'help.support', params: { contact: '1900 0000' } }]);
      expect(chat.last?.question).toEqual({});
    }
  });
});

test('a page stays at any of them', () => {
  for (const text of [...answered.map(([one]) => one), ...UNANSWERED]) {
    const chat = new Dialogue(TEAMS).text('lịch sử').text(text);
    expect([text, chat.state.step.at, chat.keys.length]).toEqual([text, 'browsing', 1]);
  }
});
