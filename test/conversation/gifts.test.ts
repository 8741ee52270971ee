import { describe, expect, test } from 'vitest';
import type { Gift } from '../../src/conversation/context.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, SETTINGS, succeed, TEAMS } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

/*
 * Which gift a text means, and what a list of any length looks like.
 */

const words = createWords({ timeZone: SETTINGS.timeZone });
const spoken = (chat: Dialogue): string[] => chat.replies.map((reply) => words.text(reply, 'vi'));
const ids = (chat: Dialogue): string[] => (chat.question.choices ?? []).map(({ id }) => id);

const gift = (code: string, vi: string, en: string, score: number): Gift => ({
  code,
  name: { vi, en },
  score,
});

function offering(gifts: readonly Gift[], points = 2070): Dialogue {
  const chat = new Dialogue(TEAMS, { gifts });
  chat.answers = (effect) => (effect.kind === 'balance' ? { kind: 'balance', points } : succeed(effect));
  return chat;
}

const SPEAKERS: readonly Gift[] = [
  gift('LOA01', 'Loa', 'Speaker', 250),
  gift('LOA02', 'Loa kéo', 'Party speaker', 400),
  gift('VOUCHER50', 'Phiếu mua hàng', 'Voucher', 50),
  gift('VOUCHER90', 'Phiếu mua hàng', 'Voucher', 90),
];

describe('the gift that a text means', () => {
  test.each([
    ['đổi loa', 'LOA01'],
    ['đổi loa kéo', 'LOA02'],
    ['doi loa keo nhe', 'LOA02'],
    ['redeem the party speaker', 'LOA02'],
    ['redeem speakers', 'LOA01'],
    ['redeem two party speakers', 'LOA02'],
    ['VOUCHER90', 'VOUCHER90'],
    ['đổi quà VOUCHER50', 'VOUCHER50'],
  ])('is the one with the longest name in it: %s', (text, code) => {
    const chat = offering(SPEAKERS).text(text);
    expect(chat.question.key).toBe('redeem.summary');
    expect(chat.state.draft.code).toBe(code);
  });

  test.each([
    ['loa', 'LOA01', undefined],
    ['Loa ạ', 'LOA01', undefined],
    ['2 loa', 'LOA01', 2],
    ['hai cái loa', 'LOA01', 2],
    ['two speakers', 'LOA01', 2],
  ])('may be all that is said: %s', (text, code, wanted) => {
    const chat = offering(SPEAKERS).text(text);
    expect(chat.question.key).toBe('redeem.summary');
    expect(chat.state.draft).toMatchObject({ code, ...(wanted && { wanted }) });
  });

  test.each([
    ['đổi phiếu mua hàng', ['gift:VOUCHER50', 'gift:VOUCHER90']],
    ['đổi loa và phiếu mua hàng', ['gift:LOA01', 'gift:VOUCHER50', 'gift:VOUCHER90']],
    ['đổi loa kéo và loa', ['gift:LOA01', 'gift:LOA02']],
  ])('is asked about where several are meant, and only those are offered: %s', (text, gifts) => {
    for (const chat of [offering(SPEAKERS).text(text), offering(SPEAKERS).text('đổi quà').text(text)]) {
      expect(chat.question).toMatchObject({ key: 'redeem.askGift', context: 'several' });
      expect(chat.keys).toHaveLength(1);
      expect(ids(chat)).toEqual([...gifts, 'cancel']);
      expect(chat.press(gifts.at(-1) ?? '').keys).toEqual(['redeem.summary']);
    }
  });

  test('is asked about at the summary, too, where several others are named', () => {
    const chat = offering(SPEAKERS).text('đổi loa').text('đổi phiếu mua hàng');
    expect(chat.question).toMatchObject({ key: 'redeem.askGift', context: 'several' });
    expect(chat.text('2').state.draft.code).toBe('VOUCHER90');
  });

  test('is any of the list again once another wish is said', () => {
    const chat = offering(SPEAKERS).text('đổi phiếu mua hàng');
    expect(ids(chat.text('quà khác'))).toHaveLength(5);
    expect(ids(chat.press('gift:LOA01').press('edit:code'))).toHaveLength(5);
  });

  test('is told by its price from another of the same name', () => {
    expect(offering(SPEAKERS).text('đổi phiếu mua hàng 90 điểm').state.draft.code).toBe('VOUCHER90');
    expect(offering(SPEAKERS).text('đổi quà').text('phiếu mua hàng · 50 điểm').state.draft.code).toBe(
      'VOUCHER50',
    );
  });
});

describe('a list that the operator changed meanwhile', () => {
  const changed = (chat: Dialogue, gifts: readonly Gift[]): Dialogue => {
    chat.settings = { ...chat.settings, gifts };
    return chat;
  };
  const without = (code: string) => SPEAKERS.filter((one) => one.code !== code);
  const dearer = SPEAKERS.map((one) => (one.code === 'LOA01' ? { ...one, score: 300 } : one));
  const spent = (chat: Dialogue) => chat.calls.filter((effect) => !('outdated' in effect));
  const outdated = (chat: Dialogue): Dialogue => {
    chat.answers = (effect) =>
      effect.kind === 'redeem' && effect.outdated
        ? { kind: 'outdated', operation: effect.operation }
        : effect.kind === 'balance'
          ? { kind: 'balance', points: 2070 }
          : succeed(effect);
    return chat;
  };

  test('says at the list, at the summary and when it is confirmed that a gift is gone, and spends nothing', () => {
    const listed = changed(offering(SPEAKERS).text('đổi quà'), without('LOA01'));
    expect(listed.press('gift:LOA01').keys).toEqual(['gift.gone', 'redeem.askGift']);
    const summed = changed(outdated(offering(SPEAKERS)).text('đổi loa'), without('LOA01'));
    expect(summed.press('confirm').keys).toEqual(['gift.gone', 'redeem.askGift']);
    expect(spent(summed)).toEqual([]);
    expect(summed.press('gift:LOA02').press('confirm').keys[0]).toBe('redeem.done');
  });

  test('never spends at another price than the one that was confirmed', () => {
    const chat = changed(outdated(offering(SPEAKERS)).text('đổi loa'), dearer);
    const first = chat.state.step;
    expect(chat.press('confirm').keys).toEqual(['redeem.priceChanged', 'redeem.summary']);
    expect(chat.replies[0]?.params).toMatchObject({ before: 250, price: 300 });
    expect(spoken(chat)[1]).toContain('300');
    expect(spent(chat)).toEqual([]);
    // An attempt before a crash may have locked the customer for that operation.
    expect(chat.state.step).toMatchObject({ operation: 'operation' in first && first.operation });
    expect(chat.press('confirm').keys[0]).toBe('redeem.done');
    expect(spent(chat)).toHaveLength(1);
  });

  test('keeps saying the price that a press would confirm, however often it changes', () => {
    const chat = changed(outdated(offering(SPEAKERS)).text('đổi loa'), dearer);
    expect(spoken(chat.text('xin chào')).at(-1)).toContain('Số điểm sẽ trừ: 250');
    changed(chat, SPEAKERS);
    expect(chat.press('confirm').keys[0]).toBe('redeem.done');
  });

  test('says that the new price is more than there is', () => {
    const chat = outdated(offering(SPEAKERS)).text('đổi loa');
    const dear = SPEAKERS.map((one) => (one.code === 'LOA01' ? { ...one, score: 5000 } : one));
    expect(changed(chat, dear).press('confirm').keys).toEqual(['redeem.tooFewPoints', 'redeem.askGift']);
  });

  test('looks up what an attempt before a crash may have called, whatever the list says now', () => {
    const chat = offering(SPEAKERS).text('đổi loa');
    chat.answers = (effect) =>
      effect.kind === 'redeem'
        ? {
            kind: 'unknown',
            operation: effect.operation,
            lookup: {
              kind: 'redeem',
              by: effect.by,
              code: effect.gift,
              fromMs: 0,
              deadlineMs: 0,
              baseline: [],
              locks: [],
            },
          }
        : succeed(effect);
    expect(changed(chat, dearer).press('confirm').keys).toEqual(['operation.checking']);
  });

  test('says nothing of a price where another gift was chosen meanwhile, or the same one once more', () => {
    const chat = offering(SPEAKERS).text('đổi loa').press('edit:code');
    expect(changed(chat, dearer).press('gift:LOA01').keys).toEqual(['redeem.summary']);
    expect(offering(SPEAKERS).text('đổi loa').text('đổi loa kéo').keys).toEqual(['redeem.summary']);
  });

  test('any list after any other: what is spent is what the last summary said', () => {
    const texts = [
      'đổi quà',
      'đổi loa',
      'loa kéo',
      'phiếu mua hàng',
      '2 cái',
      'quà khác',
      'ok',
      'xin chào',
      'huỷ',
    ];
    const change = fc.record({ at: fc.nat({ max: 3 }), score: fc.constantFrom(0, 250, 300, 300, 9999) });
    const move = fc.oneof(
      fc.record({ text: fc.constantFrom(...texts) }),
      fc.record({ press: fc.nat({ max: 6 }) }),
      fc.record({ change }),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 25 }), (moves) => {
        const chat = outdated(offering(SPEAKERS));
        let summary: Reply | undefined;
        for (const next of moves) {
          if ('change' in next) {
            const { at, score } = next.change;
            // 0: gone.
            changed(
              chat,
              score === 0
                ? without(SPEAKERS[at]?.code ?? '')
                : SPEAKERS.with(at, { ...gift('', '', '', 0), ...SPEAKERS[at], score }),
            );
            continue;
          }
          const before = chat.calls.length;
          if ('text' in next) chat.text(next.text);
          else {
            const { choices = [], view } = chat.replies.at(-1) ?? {};
            chat.send({ kind: 'choice', choice: choices[next.press]?.id ?? 'redeem', view });
          }
          for (const call of chat.calls.slice(before)) {
            if (call.kind !== 'redeem' || call.outdated) continue;
            const listed = chat.settings.gifts.find(({ code }) => code === call.gift);
            expect(summary?.lines).toContainEqual({ key: 'summary.gift', params: { gift: listed?.name } });
            expect(summary?.lines).toContainEqual({ key: 'summary.price', params: { score: listed?.score } });
          }
          summary = chat.replies.findLast(({ key }) => key === 'redeem.summary') ?? summary;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('lets what was confirmed before there was a list, or without its price, go on', () => {
    const chat = changed(offering([]).text('đổi quà LOA01'), SPEAKERS);
    expect(chat.press('confirm').keys[0]).toBe('redeem.done');
  });
});

describe('a wish that names no gift is answered with the list', () => {
  test.each([
    ...[
      'đổi hết điểm',
      'dùng hết điểm',
      'đổi quà rẻ nhất',
      'quà nào rẻ nhất',
      'quà dưới 300 điểm',
      'quà đắt nhất',
    ],
    ...['đổi quà nào được', 'đổi được quà gì', 'mình đủ điểm đổi gì', 'có những quà nào', 'đổi hết'],
    ...[
      'what can I get?',
      'what can I redeem?',
      'cheapest gift',
      'gifts under 300 points',
      'spend all my points',
    ],
    ...['which gifts can I get', 'use all my points'],
  ])('%s', (text) => {
    const chat = offering(SPEAKERS, 260).text(text);
    expect(chat.keys).toEqual(['redeem.askGift']);
    expect(ids(chat)).toEqual(['gift:LOA01', 'gift:VOUCHER50', 'gift:VOUCHER90', 'gift:LOA02', 'cancel']);
  });

  test.each([
    'rẻ nhất',
    'cái nào rẻ nhất',
    'dưới 300 điểm',
    'the cheapest',
    'what can I get?',
    'đổi được gì',
  ])('at the list, without a word of an unknown gift: %s', (text) => {
    expect(offering(SPEAKERS).text('đổi quà').text(text).keys).toEqual(['redeem.askGift']);
  });
});

describe('one of a gift', () => {
  test.each(['1 cái thôi', 'một cái thôi', 'x1', 'just 1 piece'])(
    'is what remains of several, and cancels nothing: %s',
    (text) => {
      const chat = offering(SPEAKERS).text('đổi 2 loa').text(text);
      expect(chat.keys).toEqual(['redeem.summary']);
      expect(chat.state.draft.wanted).toBeUndefined();
    },
  );
});

describe('a list of gifts of any length', () => {
  const many = (count: number): Gift[] =>
    Array.from({ length: count }, (_, at) =>
      gift(`G${at + 1}`, `Quà số ${at + 1}`, `Gift ${at + 1}`, (at + 1) * 10),
    );

  test.each([1, 2, 9, 10])('has a button for each: %i', (count) => {
    const chat = offering(many(count), 10_000).text('đổi quà');
    expect(ids(chat)).toEqual([...many(count).map(({ code }) => `gift:${code}`), 'cancel']);
    expect(chat.question.lines).toBeUndefined();
  });

  test('has buttons for ten, what can be had first, and the others as lines that can be typed', () => {
    const chat = offering(many(12).reverse(), 55).text('đổi quà');
    expect(ids(chat).slice(0, 6)).toEqual([
      'gift:G5',
      'gift:G4',
      'gift:G3',
      'gift:G2',
      'gift:G1',
      'gift:G12',
    ]);
    expect(ids(chat)).toHaveLength(11);
    expect(spoken(chat)[0]?.split('\n')).toEqual([
      'Bạn có 55 điểm. Bạn muốn đổi quà nào?',
      'Còn các quà khác, bạn nhắn tên quà cho mình nhé:',
      '• Quà số 7 · 70 điểm · còn thiếu 15 điểm',
      '• Quà số 6 · 60 điểm · còn thiếu 5 điểm',
    ]);
    expect(chat.text('quà số 7').keys).toEqual(['redeem.tooFewPoints', 'redeem.askGift']);
    expect(chat.text('Quà số 1').keys).toEqual(['redeem.summary']);
    expect(chat.state.draft.code).toBe('G1');
  });

  test('says how many are left out of a list that no message can hold', () => {
    const chat = offering(many(60), 100_000).text('đổi quà');
    expect(ids(chat)).toHaveLength(11);
    expect(chat.question.lines).toHaveLength(32);
    expect(spoken(chat)[0]?.split('\n').at(-1)).toBe('… và 20 quà nữa.');
    expect(chat.text('G60').state.draft.code).toBe('G60');
  });

  test('of none asks for the code', () => {
    expect(offering([]).text('đổi quà').keys).toEqual(['redeem.askCode']);
  });
});
