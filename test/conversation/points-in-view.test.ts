import { describe, expect, test } from 'vitest';
import type { Gift } from '../../src/conversation/context.ts';
import type { Effect, HistoryRecord, Identifier, Movement, Outcome } from '../../src/conversation/effect.ts';
import type { Sender } from '../../src/conversation/message.ts';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, NOW, SETTINGS, STAFF, succeed, TEAMS, TELEGRAM } from '../support/dialogue.ts';

/*
 * What a customer has, and what it is enough for, is in view wherever it matters; and it is never wrong.
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
const labels = (chat: Dialogue): string[] =>
  (chat.question.choices ?? []).map(({ label }) => words.line(label, 'vi'));

/** AntCRM says that the customer has so many points; null: it knows no such customer. */
function having(points: number | null, sender: Sender = TEAMS, more: Partial<typeof SETTINGS> = {}) {
  const chat = new Dialogue(sender, { gifts: GIFTS, ...more });
  chat.answers = (effect) => (effect.kind === 'balance' ? { kind: 'balance', points } : succeed(effect));
  return chat;
}

/** Teams without a balance to be read. */
function unreadable(): Dialogue {
  const chat = having(0);
  chat.answers = (effect) => (effect.kind === 'balance' ? { kind: 'unavailable' } : succeed(effect));
  return chat;
}

describe('the list of gifts', () => {
  test('says what a proved customer has, what can be had first, and of the rest how much is missing', () => {
    const chat = having(260).text('đổi quà');
    expect(spoken(chat)).toEqual(['Bạn có 260 điểm. Bạn muốn đổi quà nào?']);
    expect(labels(chat)).toEqual([
      'Loa · 250 điểm',
      'Đầu máy · 10 điểm',
      'Nồi cơm · 1.000.000 điểm · còn thiếu 999.740 điểm',
      'Huỷ',
    ]);
    expect(chat.effects).toEqual([
      { kind: 'balance', by: { kind: 'email', value: 'garnacho@gmail.com' }, exact: true },
    ]);
  });

  test('is picked from by its numbers, as it is shown', () => {
    expect(having(20).text('đổi quà').text('1').state.draft.code).toBe('DAUMAY01');
  });

  test('speaks to staff of the customer', () => {
    expect(spoken(having(260, STAFF).text('đổi quà 0867123456'))[0]).toBe(
      'Khách hàng có 260 điểm. Đổi quà nào ạ?',
    );
  });

  test('is the plain one where the balance cannot be read, or nobody is proved yet', () => {
    for (const chat of [unreadable().text('đổi quà'), having(0, TELEGRAM).text('đổi quà')]) {
      expect(chat.question).toMatchObject({ key: 'redeem.askGift' });
      expect(chat.question.context).toBeUndefined();
      expect(labels(chat)[0]).toBe('Nồi cơm · 1.000.000 điểm');
    }
  });

  test('reads again where another customer is named meanwhile', () => {
    const chat = having(260, STAFF).text('đổi quà 0867123456').text('0912345678');
    expect(chat.effects.map((effect) => 'by' in effect && effect.by.value)).toEqual([
      '+84867123456',
      '+84912345678',
    ]);
    expect(chat.question).toMatchObject({ key: 'redeem.askGift', context: 'knownStaff' });
  });

  test('reads again after a minute: points come in by other ways', () => {
    const chat = having(40).text('đổi quà');
    chat.answers = (effect) =>
      effect.kind === 'balance' ? { kind: 'balance', points: 300 } : succeed(effect);
    expect(chat.later(61_000).press('gift:LOA01').keys).toEqual(['redeem.summary']);
  });

  test('has what is asked for: a button of another day leads back to it', () => {
    const chat = having(260).text('đổi quà');
    expect(chat.send({ kind: 'choice', choice: 'redeem:1:GONE01' }).keys).toEqual([
      'gift.gone',
      'redeem.askGift',
    ]);
  });

  test('reads nothing more while the same customer picks, changes and confirms', () => {
    const chat = having(260).text('đổi quà').press('gift:LOA01').press('edit:code').press('gift:DAUMAY01');
    chat.press('confirm');
    expect(chat.effects.map(({ kind }) => kind)).toEqual(['balance', 'redeem']);
  });
});

describe('too few points', () => {
  test.each([['đổi nồi cơm'], ['đổi quà NOICOM01']])('are said before anything is confirmed: %s', (text) => {
    const chat = having(2070).text(text);
    expect(spoken(chat)).toEqual([
      'Nồi cơm cần 1.000.000 điểm, bạn có 2.070: còn thiếu 997.930 điểm nữa.',
      'Bạn có 2.070 điểm. Bạn muốn đổi quà nào?',
    ]);
    expect(chat.keys).toEqual(['redeem.tooFewPoints', 'redeem.askGift']);
    expect(chat.text('nồi cơm').keys).toEqual(['redeem.tooFewPoints', 'redeem.askGift']);
    expect(chat.press('gift:NOICOM01').keys).toEqual(['redeem.tooFewPoints', 'redeem.askGift']);
    expect(chat.press('gift:LOA01').keys).toEqual(['redeem.summary']);
    expect(chat.calls).toEqual([]);
  });

  test('end the flow where no gift can be had', () => {
    const chat = having(3).text('đổi loa');
    expect(chat.keys).toEqual(['redeem.tooFewPoints']);
    expect(chat.question.asks).toBe('menu');
    expect(spoken(having(3, STAFF).text('đổi loa 0867123456'))[0]).toContain('khách hàng có 3');
  });

  test('are said as soon as who it is was proved', () => {
    const chat = having(20, TELEGRAM).text('đổi loa');
    expect(chat.keys).toEqual(['identity.proofNeeded']);
    expect(chat.shareOwnPhone().keys).toEqual(['redeem.tooFewPoints', 'redeem.askGift']);
  });

  test('are what somebody has whom AntCRM does not know, unless another identifier may be known', () => {
    expect(having(null).text('đổi loa').keys).toEqual(['redeem.tooFewPoints']);
    const both = having(null, STAFF).text('đổi loa 0867123456 garnacho@gmail.com');
    expect(both.keys).toEqual(['redeem.summary']);
  });

  test('are left to AntCRM where the balance is not known', () => {
    expect(unreadable().text('đổi nồi cơm').keys).toEqual(['redeem.summary']);
  });

  test('are not said while points that were just earned may not have been counted yet', () => {
    const chat = having(0, STAFF).text('tích điểm TIVI000000017 0867123456').press('skip').press('confirm');
    expect(chat.keys).toEqual(['accumulate.done']);
    expect(chat.text('đổi loa 0867123456').keys).toEqual(['receipt.behind', 'redeem.summary']);
    expect(
      chat
        .text('huỷ')
        .later(3 * 60_000)
        .text('đổi loa 0867123456').keys,
    ).toEqual(['redeem.tooFewPoints']);
  });

  test('are the reason for a refusal only where AntCRM had fewer when it was asked', () => {
    const refused = (points: number | undefined) => {
      const chat = having(260).text('đổi loa');
      chat.answers = (effect) =>
        effect.kind === 'redeem' ? { kind: 'refused', operation: effect.operation, points } : succeed(effect);
      return spoken(chat.press('confirm'))[0];
    };
    expect(refused(40)).toBe('Quà cần 250 điểm, bạn có 40. Điểm chưa bị trừ.');
    expect(refused(260)).toMatch(/^Chương trình chưa đổi được quà này\. Điểm chưa bị trừ/);
    expect(refused(undefined)).toMatch(/^Chưa đổi được quà/);
  });
});

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

describe('points that may not be counted yet', () => {
  function justEarned(points: number): Dialogue {
    const chat = having(points);
    chat.text('tích điểm TIVI000000017 0912345678').press('confirm');
    expect(chat.keys[0]).toBe('accumulate.done');
    return chat;
  }
  const BEHIND = 'Chương trình đang ghi 260 điểm, có thể chưa tính giao dịch vừa rồi.';

  test('are said to be so with the list of gifts, of which none is called too dear', () => {
    const chat = justEarned(260).text('đổi quà');
    expect(spoken(chat)[0]).toBe(BEHIND);
    expect(chat.question).toMatchObject({ key: 'redeem.askGift' });
    expect(labels(chat).join()).not.toContain('còn thiếu');
    expect(justEarned(260).text('đổi nồi cơm').keys).toEqual(['receipt.behind', 'redeem.summary']);
  });

  test('are said to be so with the balance, and not two minutes later', () => {
    expect(spoken(justEarned(260).text('xem điểm'))[0]).toBe(BEHIND);
    expect(
      spoken(
        justEarned(260)
          .later(3 * 60_000)
          .text('xem điểm'),
      )[0],
    ).toBe('Bạn đang có 260 điểm.');
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

describe('several of a gift', () => {
  test.each([
    ['đổi quà đầu máy 2 cái', 2],
    ['đổi 2 đầu máy', 2],
    ['đổi hai cái đầu máy', 2],
    ['doi dau may x3', 3],
    ['redeem two player', 2],
    ['redeem 2 pcs of player', 2],
  ])('are asked about, one now and the next one after it: %s', (text, wanted) => {
    const chat = having(260).text(text);
    expect(chat.keys).toEqual(['redeem.oneAtATime', 'redeem.summary']);
    expect(chat.state.draft).toMatchObject({ code: 'DAUMAY01', wanted });
    chat.press('confirm');
    expect(chat.replies[0]?.choices?.[0]).toMatchObject({ id: `redeem:${wanted - 1}:DAUMAY01` });
    const { view } = chat.replies[0] ?? {};
    chat.send({ kind: 'choice', choice: `redeem:${wanted - 1}:DAUMAY01`, view });
    expect(chat.question.key).toBe('redeem.summary');
    expect(chat.calls).toHaveLength(1);
  });

  test.each(['đổi đầu máy', 'đổi 1 đầu máy', 'đổi 10 điểm lấy đầu máy', 'đổi quà DAUMAY01'])(
    'are not what one is: %s',
    (text) => {
      const chat = having(260).text(text);
      expect(chat.keys).toEqual(['redeem.summary']);
      const offered = chat.press('confirm').replies[0]?.choices ?? [];
      expect(offered.map(({ label }) => label.key)).not.toContain('choice.redeem.more');
    },
  );

  test('are asked about at the list and at the summary, too', () => {
    const chat = having(260).text('đổi quà 2 cái').press('gift:DAUMAY01');
    expect(chat.keys).toEqual(['redeem.oneAtATime', 'redeem.summary']);
    expect(having(260).text('đổi loa').text('lấy 2 cái nhé').keys[0]).toBe('redeem.oneAtATime');
    expect(having(260).text('đổi quà').text('2 loa').keys[0]).toBe('redeem.oneAtATime');
  });

  test('are not forgotten where another gift is chosen, and not kept for it', () => {
    const chat = having(260).text('đổi 2 đầu máy').text('đổi loa');
    expect(chat.keys).toEqual(['redeem.summary']);
    expect(chat.state.draft.wanted).toBeUndefined();
  });
});

describe('where to get a gift', () => {
  const where = 'Nhận quà: 12 Lê Lợi';

  test('is told once it was redeemed, and where it is about to be', () => {
    const chat = having(260, STAFF).text('đổi loa 0867123456');
    expect(spoken(chat.text('lấy quà ở đâu?'))).toEqual([where, expect.stringContaining('Quà: Loa')]);
    chat.press('confirm');
    expect(spoken(chat.text('giờ lấy quà ở đâu'))).toEqual([where]);
    expect(chat.keys).toEqual(['answer']);
  });

  test('is the general answer where no gift is known, or the list does not say', () => {
    expect(spoken(having(260).text('giờ lấy quà ở đâu'))[0]).not.toContain('Lê Lợi');
    const chat = having(260, STAFF).text('đổi đầu máy 0867123456').press('confirm');
    expect(spoken(chat.text('giờ lấy quà ở đâu'))[0]).toContain('1900 0000');
  });
});

describe('what was redeemed', () => {
  test.each(['quà của tôi', 'quà của mình đâu', 'cho mình xem quà của mình', 'qua cua toi', 'my gifts'])(
    'is listed, whenever that was: %s',
    (text) => {
      const chat = new Dialogue(TEAMS).text(text);
      expect(chat.replies.at(-1)).toMatchObject({ key: 'history.page', context: 'gift' });
      expect(chat.effects.at(-1)).toMatchObject({ kind: 'history', type: 'gift', fromMs: undefined });
    },
  );

  test('is of the period that is named, where one is', () => {
    const chat = new Dialogue(TEAMS).text('quà của tôi tháng này');
    expect(chat.effects.at(-1)).toMatchObject({ type: 'gift', fromMs: expect.any(Number) });
  });

  test('is not what a wish is', () => {
    expect(new Dialogue(TEAMS).text('đổi quà').keys).toEqual(['redeem.askGift']);
    expect(new Dialogue(TEAMS).text('quà').keys).toEqual(['redeem.askGift']);
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

describe('what a gift is', () => {
  test('is shown where it is confirmed, with its picture', () => {
    const chat = having(260).text('đổi loa');
    expect(chat.question.image).toBe('https://shop.example/loa.jpg');
    expect(spoken(chat)[0]).toContain('Quà: Loa\nLoa Bluetooth\n');
    const plain = having(260).text('đổi đầu máy');
    expect(plain.question.image).toBeUndefined();
  });
});
