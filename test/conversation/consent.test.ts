import { describe, expect, test } from 'vitest';
import { Dialogue, STAFF } from '../support/dialogue.ts';

const earning = () => new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
const PERSONAL = /912345678|867123456|minh@|TIVI0/;
const kept = (chat: Dialogue): string => JSON.stringify(chat.state);

describe('the question whether to remember', () => {
  const asked = () => earning().press('confirm');

  test.each([
    ['xong chưa', 'operation.status'],
    ['cảm ơn', 'thanks'],
    ['cam on chau', 'thanks'],
    ['lưu ở đâu', 'unsure'],
    ['có an toàn không', 'answer'],
    ['ý là sao', 'answer'],
    ['chào shop', 'greet'],
    ['gặp nhân viên', 'help.support'],
    ['/help', 'help'],
    ['English', 'language.done'],
    ['TIVIđ00000017', 'code.vietnamese'],
  ])('stays asked through what is no answer to it: %s', (text, key) => {
    const chat = asked().text(text);
    expect(chat.keys).toEqual([key, 'privacy.consent']);
    expect(chat.text('ok').keys).toEqual(['privacy.remembered']);
  });

  test.each(['dạ không', 'dạ thôi ạ', 'kệ đi', 'lần sau đừng hỏi nữa', 'huỷ', 'để sau', "don't save it"])(
    'takes any no: %s',
    (text) => {
      const chat = asked().text(text);
      expect(chat.keys).toEqual(['privacy.declined']);
      expect(kept(chat)).not.toMatch(PERSONAL);
    },
  );

  test.each([
    'đâu có',
    'có đâu',
    'được đâu',
    'vâng nhưng',
    'ok?',
    'dạ?',
    'ok à',
    'chốt gì',
    'có phải',
    '👍👎',
    'ok ❌',
  ])('is agreed to by a yes alone, not by what has one in it: %s', (text) => {
    const chat = asked().text(text);
    expect(chat.state.consent).toBeUndefined();
    expect(chat.keys).toEqual(['privacy.consent']);
    expect(chat.text('dạ vâng ạ').keys).toEqual(['privacy.remembered']);
  });

  test('is not answered by a number that was written before it was shown', () => {
    const chat = new Dialogue().text('xem điểm').shareOwnPhone();
    chat.current = false;
    expect(chat.text('1').keys).toEqual(['privacy.consent']);
    expect(chat.state.consent).toBeUndefined();
    chat.current = true;
    expect(chat.text('1').keys).toEqual(['privacy.remembered']);
  });
});

describe('a number that was shared', () => {
  test('proves the next flow, too, where the first was cancelled; and is forgotten after half an hour', () => {
    const chat = new Dialogue().text('đổi loa').shareOwnPhone().text('Huỷ');
    expect(chat.text('đổi đầu máy').keys).toEqual(['redeem.summary']);
    const later = new Dialogue().text('đổi loa').shareOwnPhone().text('Huỷ');
    later.nowMs = later.last?.wakeAtMs ?? 0;
    expect(kept(later.wake())).not.toMatch(PERSONAL);
  });

  test('stays through small talk where nothing was begun', () => {
    const chat = new Dialogue().shareOwnPhone().text('chào').text('cảm ơn');
    expect(chat.text('đổi loa').keys).toEqual(['redeem.summary']);
  });

  test('is not kept where its owner wants nothing remembered, nor from one customer of staff to the next', () => {
    const chat = new Dialogue().text('xem điểm').shareOwnPhone().press('consent:decline').text('đổi loa');
    expect(kept(chat.shareOwnPhone().text('Huỷ'))).not.toMatch(PERSONAL);
    expect(kept(new Dialogue(STAFF).text('đổi loa').text('0867123456').text('Huỷ'))).not.toMatch(PERSONAL);
  });
});
