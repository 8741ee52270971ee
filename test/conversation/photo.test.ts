import { describe, expect, test } from 'vitest';
import type { Photo, PhotoReading } from '../../src/conversation/photo.ts';
import { Dialogue, STAFF } from '../support/dialogue.ts';

const remote = (at: string) => ({ kind: 'remote', at }) as const;
const read = (...texts: string[]) => ({ kind: 'read', texts }) as const;
const photo = (...pictures: Photo['pictures']): Photo => ({ kind: 'photo', pictures });

/** What the summary lists. */
const codesOf = ({ replies }: Dialogue): unknown[] =>
  (replies.at(-1)?.lines ?? []).flatMap(({ key, params }) => (key === 'summary.code' ? [params?.code] : []));

const KNOWN = '0912345678 minh@example.vn';

describe('a photo', () => {
  test('is fetched and read, then taken as if its code were typed', () => {
    const chat = new Dialogue();
    chat.reading = read('TIVI000000017');
    expect(chat.send(photo(remote('f1'))).keys).toEqual(['accumulate.askPhone']);
    expect(chat.photos).toEqual([photo(remote('f1'))]);
    expect(chat.text(KNOWN).keys).toEqual(['accumulate.summary']);
    expect(codesOf(chat)).toEqual(['TIVI000000017']);
  });

  test('that came with what it says is not fetched', () => {
    const chat = new Dialogue(STAFF).send(photo(read('TIVI000000017')));
    expect(chat.keys).toEqual(['accumulate.askPhone']);
    expect(chat.photos).toEqual([]);
  });

  test('answers the question for a code', () => {
    const chat = new Dialogue().text('tích điểm').send(photo(read('VOUCHER')));
    expect(chat.keys).toEqual(['accumulate.askPhone']);
  });

  test('adds its codes to those that are there, each once', () => {
    const chat = new Dialogue().text(`tích điểm TIVI000000017 ${KNOWN}`);
    chat.send(photo(read('TIVI000000018', 'TIVI000000017'), read('TIVI000000018')));
    expect(codesOf(chat)).toEqual(['TIVI000000017', 'TIVI000000018']);
  });

  test('is taken at the question for a phone, whatever its code looks like', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017').send(photo(read('8934563138165')));
    expect(chat.keys.at(-1)).toBe('accumulate.askPhone');
    expect(codesOf(chat.text(KNOWN))).toEqual(['TIVI000000017', '8934563138165']);
  });

  test.each([
    ['https://t.me/loyalty_bot?start=TIVI000000017', 'TIVI000000017'],
    [`https://t.me/loyalty_bot?start=_${Buffer.from('TIVI.17/x').toString('base64url')}`, undefined],
    [`https://t.me/loyalty_bot?start=_${Buffer.from('TIVI.0017').toString('base64url')}`, 'TIVI.0017'],
    ['tg://resolve?domain=loyalty_bot&start=TIVI000000017', 'TIVI000000017'],
    ['https://shop.vn/q/TIVI000000017', 'TIVI000000017'],
    ['HTTPS://SHOP.VN/Q/TIVI000000017?utm_source=box', 'TIVI000000017'],
    ['https://shop.vn/p/tivi-55-inch?code=TIVI000000017&utm_source=abc12345', 'TIVI000000017'],
    ['https://shop.vn/check?id=TIVI000000017&lang=vi', 'TIVI000000017'],
    ['www.shop.vn/TIVI000000017', 'TIVI000000017'],
    ['https://id.gs1.org/01/08934563138165/21/TIVI000000017', 'TIVI000000017'],
    ['https://shop.vn/', undefined],
    ['https://shop.vn/khuyen-mai', undefined],
    ['https://shop.vn/%E0%A4%A', undefined],
    ['Mã của bạn: TIVI000000017.', 'TIVI000000017'],
    ['TIVI000000017\n', 'TIVI000000017'],
    ['WIFI:T:WPA;S:shop;P:secret;;', undefined],
    ['Xin chào', undefined],
  ])('of which %j says the code: %s', (text, code) => {
    const chat = new Dialogue().send(photo(read(text)));
    if (code === undefined) expect(chat.keys).toEqual(['photo.noCode']);
    else expect(codesOf(chat.text(KNOWN))).toEqual([code]);
  });

  test.each(['yes', 'có', 'huỷ', '/forget', 'xác nhận', '👍'])(
    'says nothing for the customer: %s',
    (text) => {
      const chat = new Dialogue().text(`tích điểm TIVI000000017 ${KNOWN}`);
      const { step } = chat.state;
      expect(chat.send(photo(read(text))).keys).toEqual(['photo.noCode', 'accumulate.summary']);
      expect(chat.state.step).toMatchObject({ ...step, at: 'confirming' });
      expect(chat.effects).toEqual([]);
    },
  );

  test.each<[PhotoReading['kind'], string]>([
    ['noCode', 'photo.noCode'],
    ['unreadable', 'photo.unreadable'],
    ['unavailable', 'photo.unavailable'],
    ['elsewhere', 'photo.elsewhere'],
  ])('that is %s is answered with what to do, and the question again', (kind, key) => {
    const picture = kind === 'read' ? read() : { kind };
    expect(new Dialogue().send(photo(picture)).replies).toMatchObject([{ key, asks: 'menu' }]);
    expect(new Dialogue().text('tích điểm').send(photo(picture)).keys).toEqual([key, 'accumulate.askCode']);
  });

  test('of several pictures says in how many a code was found', () => {
    const chat = new Dialogue().send(
      photo(read('TIVI000000017'), { kind: 'noCode' }, { kind: 'unavailable' }),
    );
    expect(chat.keys).toEqual(['photo.some', 'accumulate.askPhone']);
    expect(chat.replies[0]?.params).toEqual({ read: 1, all: 3 });
  });
});

describe('a caption', () => {
  const captioned = (caption: string, ...pictures: Photo['pictures']) => ({ ...photo(...pictures), caption });

  test('is a text, beside what the picture says', () => {
    const chat = new Dialogue().send(captioned(`tích điểm giúp mình nhé, ${KNOWN}`, read('TIVI000000017')));
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(codesOf(chat)).toEqual(['TIVI000000017']);
  });

  test('may have a code of its own', () => {
    const chat = new Dialogue().send(captioned(`TIVI000000016 ${KNOWN}`, read('TIVI000000017')));
    expect(codesOf(chat)).toEqual(['TIVI000000016', 'TIVI000000017']);
  });

  test('with the code makes up for a picture without', () => {
    const chat = new Dialogue().send(captioned('TIVI000000017', { kind: 'noCode' }));
    expect(chat.keys).toEqual(['accumulate.askPhone']);
  });

  test('is answered where the picture says nothing', () => {
    const chat = new Dialogue().send(captioned('tích điểm', { kind: 'noCode' }));
    expect(chat.keys).toEqual(['photo.noCode', 'accumulate.askCode']);
  });
});

describe('an album', () => {
  const part = (at: string, caption?: string): Photo => ({
    ...photo(remote(at)),
    album: true,
    ...(caption !== undefined && { caption }),
  });

  test('is one answer, once nothing more of it comes', () => {
    const chat = new Dialogue();
    for (const at of ['f1', 'f2', 'f3']) expect(chat.send(part(at)).later(200).keys).toEqual([]);
    const wakeAtMs = chat.last?.wakeAtMs ?? 0;
    expect(wakeAtMs - chat.nowMs).toBeLessThan(1000);
    chat.reading = read('TIVI000000017');
    expect(chat.wake().keys).toEqual([]);
    expect(chat.later(wakeAtMs - chat.nowMs).wake().keys).toEqual(['accumulate.askPhone']);
    expect(chat.photos).toEqual([photo(remote('f1'), remote('f2'), remote('f3'))]);
    expect(chat.state.album).toBeUndefined();
    expect(chat.later(5000).wake().keys).toEqual([]);
  });

  test('keeps its caption, on whichever picture it stands', () => {
    const chat = new Dialogue().send(part('f1')).send(part('f2', KNOWN));
    chat.reading = read('TIVI000000017');
    expect(chat.later(1000).wake().keys).toEqual(['accumulate.summary']);
  });

  test('is answered together with a text that comes before it was', () => {
    const chat = new Dialogue().send(part('f1')).send(part('f2'));
    chat.reading = read('TIVI000000017');
    expect(chat.text(KNOWN).keys).toEqual(['accumulate.summary']);
    expect(chat.later(1000).wake().keys).toEqual([]);
  });

  test('that is taken up late begins anew: what was left unfinished meanwhile has ended', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000018').send(part('f1'));
    chat.reading = read('TIVI000000017');
    expect(chat.later(40 * 60_000).wake().keys).toEqual(['conversation.expired', 'accumulate.askPhone']);
    expect(JSON.stringify(chat.state)).not.toContain('TIVI000000018');
    expect(chat.state.lastMessageMs).toBe(chat.nowMs);
  });

  test('of ten pictures is complete', () => {
    const chat = new Dialogue();
    for (let n = 1; n < 10; n++) expect(chat.send(part(`f${n}`)).keys).toEqual([]);
    expect(chat.send(part('f10')).keys).toEqual(['photo.noCode']);
    expect(chat.photos[0]?.pictures).toHaveLength(10);
  });

  test('waits while something else is pressed', () => {
    const chat = new Dialogue().text('tích điểm').send(part('f1'));
    chat.reading = read('TIVI000000017');
    expect(chat.send({ kind: 'choice', choice: 'cancel' }).keys).toEqual(['cancel.done']);
    expect(chat.later(1000).wake().keys).toEqual(['accumulate.askPhone']);
  });

  test('is forgotten with all else', () => {
    const chat = new Dialogue().send(part('f1', '0912345678')).text('/forget');
    expect(chat.state.album).toBeUndefined();
    expect(JSON.stringify(chat.state)).not.toContain('912345678');
  });
});
