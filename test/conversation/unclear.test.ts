import { describe, expect, test } from 'vitest';
import { Dialogue, TELEGRAM } from '../support/dialogue.ts';

/*
 * What was not understood is kept for whoever looks after the words; of nobody who did not agree to be remembered.
 */

const remembered = () => new Dialogue().text('xem điểm').shareOwnPhone().press('consent:accept');
const kept = ({ state }: Dialogue) => state.unclear?.map(({ text }) => text);

describe('a sentence that got a fallback', () => {
  test.each([
    ['mèo 0867 123 456 trèo', 'mèo *** trèo'],
    ['mèo gọi (+84) 867.123.456', 'mèo gọi (***'],
    ['mèo của ten@gmail.com', 'mèo của ***'],
    ['mèo xem https://x.vn/a?b', 'mèo xem ***'],
    ['garnacho hỏi mèo, Garnacho ạ', '*** hỏi mèo, *** ạ'],
    ['mèo mã ABC12X trèo 3 cây', 'mèo mã *** trèo 3 cây'],
  ])('is masked: %s', (text, masked) => {
    const chat = remembered();
    chat.sender = TELEGRAM;
    const heard = chat.text(`xyzzy ${text} plugh`);
    // A value in it may be understood; then nothing is kept.
    for (const one of kept(heard) ?? []) expect(one).toBe(`xyzzy ${masked} plugh`);
  });

  test('is kept, the last 20 of them', () => {
    const chat = remembered();
    for (let at = 0; at < 25; at++) chat.text(`con mèo trèo cây cau ${'cau '.repeat(at)}`);
    expect(kept(chat)).toHaveLength(20);
  });
});
