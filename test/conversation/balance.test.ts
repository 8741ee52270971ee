import { describe, expect, test } from 'vitest';
import type { Gift } from '../../src/conversation/context.ts';
import type { Effect, HistoryRecord, Identifier, Movement, Outcome } from '../../src/conversation/effect.ts';
import type { Sender } from '../../src/conversation/message.ts';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, NOW, SETTINGS, STAFF, succeed, TEAMS, TELEGRAM } from '../support/dialogue.ts';

/*
 * What a customer has after an operation is told where it is known, and never wrong.
 */

const GIFTS: readonly Gift[] = [
  { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000 },
  {
    code: 'LOA01',
    name: { vi: 'Loa', en: 'Speaker' },
    score: 250,
    description: { vi: 'Loa Bluetooth', en: 'Bluetooth' },
    image: 'https://shop.example/loa.jpg',
    pickUp: { vi: '12 Lê Lợi', en: '12 Le Loi' },
  },
  { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10 },
];

const words = createWords({ timeZone: SETTINGS.timeZone });
const spoken = (chat: Dialogue): string[] => chat.replies.map((reply) => words.text(reply, 'vi'));

/** AntCRM says that the customer has so many points; null: it knows no such customer. */
function having(points: number | null, sender: Sender = TEAMS, more: Partial<typeof SETTINGS> = {}) {
  const chat = new Dialogue(sender, { gifts: GIFTS, ...more });
  chat.answers = (effect) => (effect.kind === 'balance' ? { kind: 'balance', points } : succeed(effect));
  return chat;
}

describe('the balance after a redemption', () => {
  function redeemed(balance: Movement | undefined, before: (chat: Dialogue) => void = () => {}): Dialogue {
    const chat = having(260, STAFF);
    before(chat);
    chat.answers = (effect: Effect): Outcome =>
      effect.kind === 'redeem'
        ? {
            kind: 'applied',
            operation: effect.operation,
            receipt: { record: 'r', score: 250, what: 'Loa' },
            balance,
          }
        : { kind: 'balance', points: 260 };
    return chat.text('đổi loa 0867123456').press('confirm');
  }
  const tells = (chat: Dialogue): boolean => spoken(chat).join().includes('Số điểm hiện có: 10');

  test('is told with the result, where to get the gift, and the reference', () => {
    const chat = redeemed({ before: 260, after: 10 });
    const [operation] = chat.state.operations;
    expect(spoken(chat)[0]?.split('\n')).toEqual([
      'Đổi quà thành công! 🎁',
      '−250 điểm · Loa',
      'Nhận quà: 12 Lê Lợi',
      'Số điểm hiện có: 10',
      `Mã tra cứu: ${operation?.id}`,
    ]);
    expect(chat.text(operation?.id ?? '').replies[0]?.lines).toContainEqual({
      key: 'receipt.pickUp',
      params: { where: GIFTS[1]?.pickUp },
    });
  });

  test('is not told where AntCRM has not counted it yet, or counted something else', () => {
    for (const after of [260, 9, 110])
      expect(tells(redeemed({ before: 260, after })), `${after}`).toBe(false);
    expect(tells(redeemed(undefined))).toBe(false);
  });

  test('is not told where an earlier one of the same price may be what was counted', () => {
    const again = redeemed({ before: 260, after: 10 }, (chat) => {
      chat.answers = (effect) =>
        effect.kind === 'redeem'
          ? { kind: 'applied', operation: effect.operation, receipt: { score: 250 } }
          : { kind: 'balance', points: 260 };
      chat.text('đổi loa 0867123456').press('confirm');
    });
    expect(tells(again)).toBe(false);
    again
      .later(3 * 60_000)
      .text('đổi loa 0867123456')
      .press('confirm');
    expect(tells(again)).toBe(true);
  });

  test('is told of the next one, too, where it was told of the one before', () => {
    const again = redeemed({ before: 260, after: 10 });
    expect(tells(again.text('đổi loa 0867123456').press('confirm'))).toBe(true);
  });
});

describe('the balance after a lookup', () => {
  const BY = { kind: 'email' as const, value: 'garnacho@gmail.com' };

  /** A redemption, or an accumulation, whose answer was lost, found `afterMs` later. */
  function found(
    afterMs: number,
    points: number | undefined,
    text = 'đổi loa',
    by: Identifier = BY,
  ): Dialogue {
    const chat = having(260);
    chat.answers = (effect) => {
      if (effect.kind === 'redeem' || effect.kind === 'accumulate') {
        const lookup = {
          kind: effect.kind,
          by,
          code: 'X',
          fromMs: 0,
          deadlineMs: chat.nowMs,
          baseline: [],
          locks: [],
          ...(effect.kind === 'redeem' && { locks: ['customer:475'] }),
        };
        return { kind: 'unknown', operation: effect.operation, lookup };
      }
      return effect.kind === 'check'
        ? {
            kind: 'checked',
            operation: effect.operation,
            found: 'applied',
            receipt: { score: 250, what: 'Loa' },
            points,
          }
        : { kind: 'balance', points: 260 };
    };
    chat.text(text);
    if (chat.question.asks === 'email') chat.press('skip');
    chat.press('confirm');
    expect(chat.keys).toEqual(['operation.checking']);
    return chat.later(afterMs).wake();
  }

  test('is told where AntCRM has surely counted it by then', () => {
    const chat = found(5 * 60_000, 10);
    expect(chat.effects.at(-1)).toMatchObject({ kind: 'check', balance: true });
    expect(spoken(chat)[0]).toContain('\nSố điểm hiện có: 10');
    expect(chat.state.operations[0]?.receipt?.balance).toBe(10);
  });

  test('is told as what it is before that', () => {
    const chat = found(20_000, 260);
    expect(spoken(chat)[0]).toContain('Chương trình đang ghi 260 điểm, có thể chưa tính giao dịch vừa rồi.');
    expect(chat.state.operations[0]?.receipt?.balance).toBeUndefined();
  });

  test('is left out where it could not be read', () => {
    expect(spoken(found(5 * 60_000, undefined))[0]).not.toMatch(/hiện có|đang ghi/);
  });

  test('is nobody’s but the proved customer’s', () => {
    const text = 'tích điểm TIVI000000017 0912345678';
    const others = found(20_000, undefined, text, { kind: 'phone', value: '+84912345678' });
    expect(others.effects.at(-1)).not.toHaveProperty('balance');
  });
});

describe('the balance after an accumulation', () => {
  const earning = (balance: Movement | undefined, sender: Sender = STAFF): Dialogue => {
    const chat = new Dialogue(sender);
    chat.answers = (effect) =>
      effect.kind === 'accumulate'
        ? { kind: 'applied', operation: effect.operation, receipt: { score: 100, what: 'Tivi' }, balance }
        : succeed(effect);
    chat.text('tích điểm TIVI000000017 0867123456');
    if (chat.question.asks === 'email') chat.press('skip');
    return chat.press('confirm');
  };

  test('is told with the result', () => {
    expect(spoken(earning({ before: 960, after: 1060 }))[0]).toContain(
      '+100 điểm · Tivi\nSố điểm hiện có: 1.060',
    );
  });

  test('is told once for several codes, unless AntCRM counted one of them too late to be told apart', () => {
    const several = (behind: boolean): string => {
      const chat = new Dialogue(STAFF);
      let points = 960;
      chat.answers = (effect) => {
        if (effect.kind !== 'accumulate') return succeed(effect);
        const before = points;
        points += 100;
        const balance = behind ? { before: before - 100, after: points - 100 } : { before, after: points };
        const isFirst = effect.operation.endsWith('.1');
        const moved = behind && isFirst ? undefined : balance;
        return {
          kind: 'applied',
          operation: effect.operation,
          receipt: { score: 100, what: 'Tivi' },
          balance: moved,
        };
      };
      chat.text('tích điểm TIVI000000017 TIVI000000018 TIVI000000019 0867123456');
      if (chat.question.asks === 'email') chat.press('skip');
      return spoken(chat.press('confirm')).join('\n');
    };
    expect(several(false).match(/Số điểm hiện có: .*/g)).toEqual(['Số điểm hiện có: 1.260']);
    expect(several(true)).not.toContain('hiện có');
  });

  test('is not told where AntCRM has not counted it yet', () => {
    for (const balance of [undefined, { before: 960, after: 960 }])
      expect(spoken(earning(balance))[0]).not.toContain('hiện có');
  });
});

describe('the list of what was redeemed', () => {
  const record = (code: string, agoMs: number, more: Partial<HistoryRecord> = {}): HistoryRecord => ({
    type: 'gift',
    code,
    what: code,
    score: 250,
    atMs: NOW - agoMs,
    failed: false,
    ...more,
  });

  /** After a redemption of `loa` just now, AntCRM lists these. */
  function listed(records: HistoryRecord[], text = 'quà của tôi'): Dialogue {
    const chat = having(2000);
    chat.text('đổi loa').press('confirm');
    chat.answers = (effect) =>
      effect.kind === 'history' ? { kind: 'history', records, more: false } : succeed(effect);
    return chat.text(text);
  }
  const reference = (chat: Dialogue): string => chat.state.operations[0]?.id ?? '-';

  test('has the reference of what was redeemed here, and where to get it', () => {
    const chat = listed([record('LOA01', 1000), record('DAUMAY01', 2000), record('LOA01', 86_400_000)]);
    expect(spoken(chat)[0]?.split('\n').slice(1)).toEqual([
      `25/11/2026 15:46 · Loa (${reference(chat)}) · −250 điểm`,
      '25/11/2026 15:46 · Đầu máy · −250 điểm',
      '24/11/2026 15:47 · Loa · −250 điểm',
      'Nhận quà: 12 Lê Lợi',
    ]);
  });

  test('tells no reference where two records might be the one', () => {
    const chat = listed([record('LOA01', 1000), record('LOA01', 3000)]);
    expect(spoken(chat).join()).not.toContain(reference(chat));
  });

  test('tells nothing of where to get what was not redeemed, or what nothing is known of', () => {
    const chat = listed([record('LOA01', 1000, { failed: true }), record('DAUMAY01', 2000)]);
    expect(spoken(chat).join()).not.toMatch(/Nhận quà|K7M2/);
  });

  test('names the gift where gifts are got at several places', () => {
    const gifts = GIFTS.map((one) => ({ ...one, pickUp: { vi: `Quầy ${one.code}`, en: one.code } }));
    const chat = having(2000, TEAMS, { gifts });
    const records = [record('LOA01', 1000), record('LOA01', 5000), record('DAUMAY01', 2000)];
    chat.answers = () => ({ kind: 'history', records, more: false });
    expect(spoken(chat.text('quà của tôi'))[0]?.split('\n').slice(-2)).toEqual([
      'Nhận Loa: Quầy LOA01',
      'Nhận Đầu máy: Quầy DAUMAY01',
    ]);
  });

  test('of points says nothing of gifts', () => {
    const chat = listed(
      [{ type: 'point', code: 'X', score: 1, atMs: NOW, failed: false }],
      'lịch sử tích điểm',
    );
    expect(spoken(chat).join()).not.toContain('Nhận');
  });
});

const MUG: Gift = { code: 'LY01', name: { vi: 'Ly', en: 'Mug' }, score: 40 };

const shortcuts = (chat: Dialogue): string[] =>
  (chat.question.choices ?? []).flatMap(({ id }) => (id.startsWith('redeem:') ? [id] : []));

test('gifts beside the menu come with each result, by the points that it tells', () => {
  const chat = having(300, TELEGRAM, { gifts: [...GIFTS, MUG] })
    .text('xem điểm')
    .shareOwnPhone()
    .press('consent:accept');
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
