import { describe, expect, it } from 'vitest';
import { understand } from '../support/conversation.ts';

describe('an intent', () => {
  const cases: [intent: string, ...string[]][] = [
    ['accumulate', 'tích điểm', 'TÍCH ĐIỂM!', 'tich diem', 'tích điểm'.normalize('NFD'), 'td', 'nhập mã'],
    ['accumulate', 'mình muốn tích điểm với ạ', 'cho em hỏi shop ơi cách tích điểm', 'có tích điểm không?'],
    [
      'accumulate',
      'tichs ddieemr',
      'tich1 d9ie6m3',
      'tihc diem',
      'accumlate',
      'I want to earn points, please',
    ],
    ['accumulate', 'không, tích điểm', 'giúp mình tích điểm', '/tichdiem', '/accumulate@antcrm_bot'],
    [
      'redeem',
      'đổi quà',
      'doi qua',
      'ddooir quaf',
      'd9oi63 qua2',
      'redem',
      'đổi điểm lấy quà',
      'dq',
      '/doiqua',
    ],
    ['redeem', 'đổi 1000 điểm', 'quà', 'ok đổi quà', 'how to redeem', 'I would like a gift', '/redeem'],
    [
      'history',
      'lịch sử',
      'lich su',
      'ls',
      'ls tích điểm 0867123456',
      'lsgd đổi quà',
      'hist earn points',
      'lichsu',
      'xem lịch sử giúp mình',
      'lijch suwr',
      'histroy',
      '/lichsu',
      '/history',
    ],
    ['points', 'xem điểm', 'điểm', 'điểm của tôi còn bao nhiêu', 'còn bao nhiêu điểm vậy shop', 'ddieemr'],
    ['points', 'mình là thành viên hạng gì', 'em hạng gì', 'xemdiem'],
    [
      'points',
      'how many points do I have?',
      'pionts',
      'check my points please',
      'xem điểm thôi',
      '/diem',
      '/points',
    ],
    ['status', 'giao dịch của tôi tới đâu rồi', 'đổi quà xong chưa'],
    ['status', 'trạng thái', 'kiểm tra trạng thái đổi quà', 'status', '/trangthai', '/status'],
    ['language', 'đổi ngôn ngữ', 'thay đổi ngôn ngữ', 'change language', '/ngonngu', '/language'],
    ['language:vi', 'tiếng việt', 'chuyển sang tiếng Việt', 'vi', '/ngonngu vi', 'no, Vietnamese please'],
    ['language:vi', 'tôi không biết tiếng Anh', 'mình ko rành tiếng anh lắm', 'not English'],
    ['language:en', 'tiếng anh', 'English please', 'do you speak English?', '/language en'],
    ['language:en', 'nói tiếng Anh đi', 'bạn biết tiếng Anh không', 'No, English please'],
    ['language:en', "I don't speak Vietnamese", 'English, not Vietnamese', "I can't read Vietnamese"],
    ['help', 'trợ giúp', 'help', 'hướng dẫn', 'giúp mình với', 'làm sao', '?', '/help', '/HELP', 'hdsd'],
    ['cancel', 'hủy', 'huỷ', 'huy', 'hủy đổi quà', 'huyr', 'cancel', 'thôi', 'dừng lại', '/huy', '/cancel'],
    ['cancel', 'không đổi quà nữa', 'đừng đổi quà', 'ko muốn tích điểm nữa', "I don't want to redeem"],
    [
      'support',
      'gặp nhân viên',
      'tổng đài',
      'hotline',
      'ko tich diem dc',
      'tích điểm không được',
      "can't redeem",
    ],
    ['start', '/start', 'bắt đầu'],
    ['privacy', '/riengtu', '/privacy', 'chính sách bảo mật'],
    ['forget', '/quen', '/forget', 'quên tôi đi', 'xoá dữ liệu của tôi', 'delete my data', 'forget me'],
    ['privacy', 'quên tôi', 'đừng xoá dữ liệu của tôi', 'có xoá dữ liệu không', 'can you delete my data?'],
    ['privacy', "don't forget me", 'xoá dữ liệu của 0867123456', 'xoá thông tin email', 'forgot me'],
    ['support', 'is there a Vietnamese speaking human'],
    ['menu', '/menu', 'menu'],
    ['skip', 'bỏ qua', 'không có email', 'ko có', 'skip'],
    ['confirm', 'có', 'ok', 'oke', '👍', 'chốt', 'đồng ý', 'đúng rồi', 'dạ', 'vâng ạ', 'ừ', 'yes', 'dùng'],
    ['decline', 'không', 'ko', 'k', 'không ạ', 'hông', 'khoong', 'no', 'không muốn', 'đừng'],
    ['next', 'tiếp', 'trang sau', 'next', 'xem thêm'],
    ['previous', 'trước', 'trang trước', 'quay lại', 'back'],
    ['greet', 'chào shop', 'hello', 'alo', 'shop ơi', 'bạn ơi'],
    ['retry', 'thử lại', 'thu lai nhé', 'try again please'],
    ['accumulate', 'tichdiem', 'tíchđiểm'],
    ['greet', 'bạn là ai?', 'ban la ai', 'Who are you?'],
    ['bye', 'tạm biệt nhé', 'tam biet', 'bye', 'Goodbye!'],
    ['keep', 'giữ', 'giữ như mình gõ', 'Keep what I typed'],
    ['other', 'nhập số khác', 'Another number'],
    ['edit', 'sửa số', 'đổi số'],
    ['redeem', 'đổi quà khác', 'another gift', 'đổi số điểm của mình', 'doiqua'],
    ['status', 'sao rồi', 'xong chưa ạ'],
    ['thanks', 'cảm ơn bạn nhiều nhé', 'thanks', 'tks'],
  ];
  it.each(cases.flatMap(([intent, ...texts]) => texts.map((text) => [text, intent] as const)))(
    '%j means %s',
    (text, intent) => {
      expect(understand(text).intent).toBe(intent);
    },
  );

  it.each([
    'TIVInpmx8b98pfg',
    '0867123456',
    '1',
    'nice weather today',
    'tivi này có điểm nào tốt không',
    'đợi chút',
    'chậm quá',
    'mình quên mã rồi',
    'mình quên số rồi',
    'ok tôi quên',
    'tôi là chủ số 0867123456, quên điện thoại ở nhà',
    'I forget my number',
    'forget',
    'a Vietnamese phone number',
    'my friend speaks English too',
    'cô ơi',
    'tôi là Huy',
    'gửi qua email',
    'đổi mật khẩu',
    'con mèo nhà mình không ăn',
    'có không',
    '/unknown',
    'constructor',
    '__proto__ hasOwnProperty',
    '/constructor',
    '',
  ])('is not found in %j', (text) => {
    expect(understand(text).intent).toBeUndefined();
  });

  it('to edit names the slot', () => {
    const named = (text: string) => understand(text).names;
    expect(named('đổi số điện thoại')).toBe('phone');
    expect(named('sửa email giúp mình')).toBe('email');
    expect(named('sửa mã')).toBe('code');
    expect(named('edit')).toBeUndefined();
  });
});
