import { describe, expect, test } from 'vitest';
import type { Gift } from '../../src/conversation/context.ts';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, SETTINGS, STAFF, succeed, TEAMS, TELEGRAM } from '../support/dialogue.ts';

/*
 * Gifts beside the menu: one press leads to the summary, the next one confirms. Showing them asks AntCRM nothing.
 */

const GIFTS: readonly Gift[] = [
  { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000 },
  { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250 },
  { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10 },
  { code: 'LY01', name: { vi: 'Ly', en: 'Mug' }, score: 40 },
];

const words = createWords({ timeZone: SETTINGS.timeZone });
const shortcuts = (chat: Dialogue): string[] =>
  (chat.question.choices ?? []).flatMap(({ id }) => (id.startsWith('redeem:') ? [id] : []));

function having(points: number, sender = TEAMS, gifts = GIFTS): Dialogue {
  const chat = new Dialogue(sender, { gifts });
  chat.answers = (effect) => (effect.kind === 'balance' ? { kind: 'balance', points } : succeed(effect));
  return chat;
}

/** Whoever comes back to Telegram: the number was proved, and may be remembered. */
function returning(points = 260): Dialogue {
  return having(points, TELEGRAM).text('xem điểm').shareOwnPhone().press('consent:accept');
}

describe('gifts beside the menu', () => {
  test('are the cheapest where the points are not known, after the menu and without a call', () => {
    for (const text of ['/start', 'chào shop', 'menu']) {
      const chat = having(0).text(text);
      expect(chat.question.choices?.map(({ id }) => id)).toEqual([
        ...['accumulate', 'redeem', 'points', 'history'],
        ...['redeem:1:DAUMAY01', 'redeem:1:LY01'],
      ]);
      expect(chat.effects).toEqual([]);
    }
    const [button] = having(0).text('/start').question.choices?.slice(-2) ?? [];
    expect(words.line(button?.label ?? { key: '' }, 'vi')).toBe('Đổi Đầu máy · 10 điểm');
    expect(words.line(button?.label ?? { key: '' }, 'en')).toBe('Redeem Player · 10 points');
  });

  test.each([
    [2_000_000, ['redeem:1:NOICOM01', 'redeem:1:LOA01']],
    [260, ['redeem:1:LOA01', 'redeem:1:DAUMAY01']],
    [40, ['redeem:1:DAUMAY01', 'redeem:1:LY01']],
    [9, []],
  ])('are the first of the list that %i points are enough for, where those were just read', (points, ids) => {
    const chat = having(points);
    expect(shortcuts(chat.text('chào').press('points'))).toEqual(ids);
    expect(shortcuts(chat.text('xem điểm'))).toEqual(ids);
  });

  test('lead to the summary with one press, and are spent with the next one only', () => {
    for (const chat of [having(260).text('/start'), returning().text('/start')]) {
      const before = chat.effects.length;
      chat.press('redeem:1:DAUMAY01');
      expect(chat.keys).toEqual(['redeem.summary']);
      expect(chat.effects.slice(before).map(({ kind }) => kind)).toEqual(['balance']);
      expect(chat.text('ok').keys).toEqual(['confirm.press']);
      expect(chat.press('confirm').keys[0]).toBe('redeem.done');
      expect(chat.calls).toHaveLength(1);
    }
  });

  test('say that the points are too few before anything is confirmed', () => {
    expect(having(20).text('/start').press('redeem:1:LY01').keys).toEqual([
      'redeem.tooFewPoints',
      'redeem.askGift',
    ]);
  });

  test('come with each result, by the points that it tells', () => {
    const chat = returning(300);
    expect(chat.keys).toEqual(['privacy.remembered']);
    expect(shortcuts(chat)).toEqual(['redeem:1:DAUMAY01', 'redeem:1:LY01']);
    chat.answers = (effect) => {
      if (effect.kind === 'balance') return { kind: 'balance', points: 300 };
      if (effect.kind === 'accumulate')
        return {
          kind: 'applied',
          operation: effect.operation,
          receipt: { record: 'r', score: 100 },
          balance: { before: 200, after: 300 },
        };
      const balance = { before: 300, after: 50 };
      const receipt = { record: 'g', score: 250, what: 'Loa' };
      return effect.kind === 'redeem'
        ? { kind: 'applied', operation: effect.operation, receipt, balance }
        : succeed(effect);
    };
    chat.text('TIVI000000017').press('skip').press('confirm');
    expect(chat.keys).toEqual(['accumulate.done']);
    expect(shortcuts(chat)).toEqual(['redeem:1:LOA01', 'redeem:1:DAUMAY01']);
    chat.press('redeem:1:LOA01').press('confirm');
    expect(chat.keys).toEqual(['redeem.done']);
    expect(shortcuts(chat)).toEqual(['redeem:1:DAUMAY01', 'redeem:1:LY01']);
    expect(new Set(chat.question.choices?.map(({ id }) => id)).size).toBe(chat.question.choices?.length);
  });

  test('are not offered twice where more of the gift was asked for', () => {
    const chat = having(260);
    chat.text('đổi 2 đầu máy').press('confirm');
    expect(shortcuts(chat)).toEqual(['redeem:1:DAUMAY01', 'redeem:1:LY01']);
  });

  test('are nobody’s whose number is not proved, nor the customers’ of staff', () => {
    for (const sender of [TELEGRAM, STAFF]) expect(shortcuts(having(0, sender).text('/start'))).toEqual([]);
    expect(shortcuts(having(260, STAFF).text('xem điểm 0867123456'))).toEqual([]);
  });

  test('are not offered while nothing can be redeemed: AntCRM away, the last one without its outcome, no list', () => {
    const away = having(260);
    away.serviceUp = false;
    expect(shortcuts(away.text('/start'))).toEqual([]);
    expect(shortcuts(having(260, TEAMS, []).text('/start'))).toEqual([]);
    const chat = having(260);
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
    chat.text('đổi loa').press('confirm');
    expect(chat.keys).toEqual(['operation.checking']);
    expect(shortcuts(chat.text('menu'))).toEqual([]);
  });

  test('do not stand where something went wrong or was called off, nor before the question whether to remember', () => {
    expect(shortcuts(having(260).text('đổi loa').press('cancel'))).toEqual([]);
    expect(shortcuts(having(260).text('blah blah blah'))).toEqual([]);
    expect(
      having(260, TELEGRAM)
        .text('xem điểm')
        .shareOwnPhone()
        .replies.map(({ choices }) => choices?.map(({ id }) => id)),
    ).toEqual([undefined, ['consent:accept', 'consent:decline']]);
  });

  test('that staff press at the summary of another gift tell of no price that changed', () => {
    const chat = having(260).text('đổi đầu máy');
    chat.send({ kind: 'choice', choice: 'redeem:1:LOA01' });
    expect(chat.keys).toEqual(['redeem.summary']);
    expect(chat.state.draft).toMatchObject({ code: 'LOA01', price: 250 });
  });

  test('of another day lead to the list', () => {
    const chat = having(260).text('/start');
    chat.settings = { ...chat.settings, gifts: GIFTS.filter(({ code }) => code !== 'DAUMAY01') };
    expect(chat.press('redeem:1:DAUMAY01').keys).toEqual(['gift.gone', 'redeem.askGift']);
  });
});
