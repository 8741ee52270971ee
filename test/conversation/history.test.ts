import { describe, expect, test } from 'vitest';
import { Dialogue, NOW, STAFF, TEAMS } from '../support/dialogue.ts';

/** Midnight of a day of Vietnam's, which is seven hours ahead of UTC. */
const midnight = (year: number, month: number, day: number) => Date.UTC(year, month - 1, day) - 7 * 3_600_000;

describe('the history', () => {
  test('asks for proof and shows 30 days at once, with switches for the rest, in place', () => {
    const chat = new Dialogue();
    expect(chat.text('lịch sử').keys).toEqual(['identity.proofNeeded']);
    expect(chat.shareOwnPhone().keys).toEqual(['history.page']);
    expect(chat.question.inPlace).toBe(true);
    const switches = ['history:gift', 'period:7d', 'period:month', 'period:lastMonth', 'period:all'];
    expect(chat.question.choices?.map(({ id }) => id)).toEqual(['next', ...switches]);
    expect(chat.press('next').question.choices?.map(({ id }) => id)).toEqual([
      'previous',
      'next',
      ...switches,
    ]);
    expect(chat.press('next').question.choices?.map(({ id }) => id)).toEqual([
      'previous',
      ...switches,
      'accumulate',
      'redeem',
      'points',
      'history',
    ]);
    expect(chat.effects.map((effect) => effect.kind === 'history' && effect.skip)).toEqual([0, 5, 10]);
    expect(chat.effects[0]).toMatchObject({
      type: 'point',
      by: { kind: 'phone' },
      fromMs: midnight(2026, 10, 27),
      toMs: NOW,
      take: 5,
      sum: true,
    });
  });

  test('takes one press of a customer who is known', () => {
    const chat = new Dialogue(TEAMS).text('chào').press('history');
    expect(chat.keys).toEqual(['history.page']);
  });

  test('shows the other list, or another period of the same, by one press', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử').press('period:lastMonth').press('history:gift');
    expect(chat.effects.at(-1)).toMatchObject({
      type: 'gift',
      fromMs: midnight(2026, 10, 1),
      toMs: midnight(2026, 11, 1),
      skip: 0,
    });
    expect(chat.question.choices?.map(({ id }) => id)).toContain('period:30d');
    expect(chat.question.choices?.map(({ id }) => id)).not.toContain('period:lastMonth');
  });

  test('says what the period adds up to, on its first page', () => {
    const chat = new Dialogue(TEAMS);
    const { answers } = chat;
    chat.answers = (effect) => {
      const page = answers(effect);
      const isSummed = effect.kind === 'history' && effect.sum && page.kind === 'history';
      return isSummed ? { ...page, sum: { score: 1200, count: 12, partial: effect.type === 'gift' } } : page;
    };
    const total = () => chat.question.lines?.find(({ key }) => key.startsWith('history.total'));
    chat.text('lịch sử');
    expect(total()).toEqual({ key: 'history.total.point', params: { score: 1200 } });
    chat.press('next');
    expect(total()).toBeUndefined();
    chat.press('history:gift');
    expect(total()).toEqual({ key: 'history.total.gift', context: 'partial', params: { score: 1200 } });
  });

  test('asks which list where both are named', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử tích điểm và đổi quà tháng trước');
    expect(chat.keys).toEqual(['history.askType']);
    chat.press('history:gift');
    expect(chat.effects[0]).toMatchObject({ type: 'gift', fromMs: midnight(2026, 10, 1) });
  });

  test('keeps of a form what it asks for itself', () => {
    const chat = new Dialogue().text('lịch sử');
    chat.send({ kind: 'form', code: 'TIVI000000101', phone: '0867123456' });
    expect(chat.keys).toEqual(['identity.proofNeeded']);
    expect(chat.state.draft).toEqual({ phone: { value: '+84867123456', proved: false } });
  });

  test('takes list and period from the command', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử đổi quà 30 ngày');
    expect(chat.keys).toEqual(['history.page']);
    expect(chat.effects[0]).toMatchObject({
      type: 'gift',
      by: { kind: 'email' },
      fromMs: midnight(2026, 10, 27),
    });
  });

  test('takes typed dates, day first and half-open', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử tích điểm').text('1/8/2023 - 31/8/2023');
    expect(chat.effects[1]).toMatchObject({ fromMs: midnight(2023, 8, 1), toMs: midnight(2023, 9, 1) });
  });

  test.each(['thang trc', 'tháng trc', 'October', '1 Oct - 31 Oct 2026'])(
    'takes a period as it is typed in a hurry: %s',
    (text) => {
      const chat = new Dialogue(TEAMS).text('lịch sử tích điểm').text(text);
      expect(chat.effects[1]).toMatchObject({ fromMs: midnight(2026, 10, 1), toMs: midnight(2026, 11, 1) });
    },
  );

  test('takes typed dates along with the command', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử tích điểm từ 1/8/2023 đến 31/8/2023');
    expect(chat.effects[0]).toMatchObject({
      type: 'point',
      fromMs: midnight(2023, 8, 1),
      toMs: midnight(2023, 9, 1),
    });
  });

  test('takes list and dates at the question for the list, whatever was asked before', () => {
    for (const [begin, at] of [
      ['lịch sử điểm và quà hôm qua', 'lịch sử quà 1/8/2023'],
      ['lịch sử điểm và quà', 'lịch sử quà 1/8/2023'],
      ['lịch sử điểm và quà', 'quà 1/8/2023'],
    ] as const) {
      const chat = new Dialogue(STAFF).text(begin).text('0867123456');
      expect(chat.keys).toEqual(['history.askType']);
      expect(chat.text(at).keys).toEqual(['history.page']);
      expect(chat.effects).toEqual([
        expect.objectContaining({ type: 'gift', fromMs: midnight(2023, 8, 1), toMs: midnight(2023, 8, 2) }),
      ]);
    }
    const points = new Dialogue(TEAMS).text('lịch sử').text('điểm 20/11/2026');
    expect(points.effects[1]).toMatchObject({ type: 'point', fromMs: midnight(2026, 11, 20) });
  });

  test('another flow asked for at the question for the period begins', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử tích điểm 32/8/2026').text('đổi quà');
    expect(chat.keys).toEqual(['flow.switched', 'redeem.askGift']);
  });

  test.each([
    ['lịch sử quà tất cả', { context: 'all' }],
    ['lịch sử quà hôm nay', { context: 'day', params: { from: midnight(2026, 11, 25) } }],
    ['lịch sử quà 1/8/2023', { context: 'day', params: { from: midnight(2023, 8, 1) } }],
    ['lịch sử quà đến 31/8/2023', { context: 'until', params: { to: midnight(2023, 9, 1) - 1 } }],
    [
      'lịch sử quà 1/8/2023 - 31/8/2023',
      { params: { from: midnight(2023, 8, 1), to: midnight(2023, 9, 1) - 1 } },
    ],
    ['lịch sử quà 7 ngày', { params: { from: midnight(2026, 11, 19), to: NOW - 1 } }],
  ])('names the period that is shown: %s', (text, period) => {
    const chat = new Dialogue(TEAMS).text(text);
    expect(chat.keys).toEqual(['history.page']);
    expect(chat.question.params).toEqual({ page: 1, period: { key: 'history.period', ...period } });
    chat.answers = () => ({ kind: 'history', more: false, records: [] });
    expect(chat.text(text).question).toMatchObject({ key: 'history.empty', params: { period } });
  });

  test.each(['1/8/2023 - 31/8/2023', 'từ 1/8/2023 đến 31/8/2023', 'tháng 8 năm 2023', 'August 2023'])(
    'takes dates typed at a page for the same list: %s',
    (text) => {
      const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').press('next').text(text);
      expect(chat.keys).toEqual(['history.page']);
      expect(chat.effects[2]).toMatchObject({
        type: 'gift',
        fromMs: midnight(2023, 8, 1),
        toMs: midnight(2023, 9, 1),
        skip: 0,
      });
    },
  );

  test('takes the other list along with dates typed at a page', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text('điểm 1/8/2023');
    expect(chat.effects[1]).toMatchObject({ type: 'point', fromMs: midnight(2023, 8, 1) });
    expect(chat.text('đổi quà').keys).toEqual(['redeem.askGift']);
  });

  test('takes another customer along with the list, where staff name one', () => {
    const chat = new Dialogue(STAFF)
      .text('lịch sử điểm và quà hôm qua')
      .text('0867123456')
      .text('lịch sử quà 0912345678');
    expect(chat.effects[0]).toMatchObject({ type: 'gift', by: { value: '+84912345678' } });
  });

  test('takes a number of days, and says what is wrong with dates, at a page, too', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text('30 ngày');
    expect(chat.effects[1]).toMatchObject({ type: 'gift', fromMs: midnight(2026, 10, 27) });
    expect(chat.text('31/8/2026 - 1/8/2026').keys[0]).toBe('period.reversed');
    expect(chat.text('15/8/2023').keys).toEqual(['history.page']);
  });

  test('says first what is wrong with the period of a command', () => {
    for (const [dates, reason] of [
      ['31/8/2026 - 1/8/2026', 'period.reversed'],
      ['1/12/2026', 'period.future'],
      ['32/8/2026', 'period.shape'],
    ]) {
      const chat = new Dialogue(TEAMS).text(`lịch sử tích điểm ${dates}`);
      expect(chat.keys).toEqual([reason, 'history.askPeriod']);
    }
    const proving = new Dialogue().text('lịch sử tích điểm 31/8/2026 - 1/8/2026');
    expect(proving.keys).toEqual(['period.reversed', 'identity.proofNeeded']);
  });

  test('says what is wrong with a period', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử tích điểm 32/8/2026');
    expect(chat.keys).toEqual(['period.shape', 'history.askPeriod']);
    // The example is of this year, whatever year that is.
    expect(chat.question.params).toEqual({ from: midnight(2026, 11, 1), to: NOW });
    expect(chat.text('31/8/2023 - 1/8/2023').keys).toEqual(['period.reversed', 'history.askPeriod']);
    expect(chat.text('1/12/2026').keys).toEqual(['period.future', 'history.askPeriod']);
    expect(chat.text('hồi đó').keys[0]).toBe('period.shape');
    expect(chat.effects).toEqual([]);
  });

  test.each([
    ...['tháng trước nữa', 'tháng 8 và tháng 10', '3 tháng trước nữa', 'second week of October'],
    ...['trước tháng 10', 'trước 1/10', 'sau ngày 1/11', 'before November', 'after November 1'],
    ...['trừ tháng 10', 'ngoài tháng 10', 'trừ tháng này', 'except October', 'not this month'],
    ...['tháng 9 hoặc 10', 'September or October', 'last month but one'],
  ])('never shows another period than the one that is asked for: %s', (period) => {
    const wanted = { fromMs: midnight(2026, 9, 1), toMs: midnight(2026, 10, 1) };
    for (const chat of [
      new Dialogue(TEAMS).text(`lịch sử quà ${period}`),
      new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text(period),
    ]) {
      const effect = chat.effects.at(-1);
      if (period === 'tháng trước nữa') expect(effect).toMatchObject(wanted);
      else expect(chat.keys[0]).toBe('period.shape');
      expect(effect === undefined || effect.kind === 'history').toBe(true);
    }
    const unproved = new Dialogue().text(`lịch sử ${period}`).shareOwnPhone();
    expect(unproved.keys).toEqual([period === 'tháng trước nữa' ? 'history.page' : 'history.askPeriod']);
  });

  test.each(['ủa', 'gì vậy', 'cảm ơn', 'chào shop'])(
    'a page stays where something else is said: %s',
    (text) => {
      const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text(text);
      expect(chat.effects).toHaveLength(1);
      expect(chat.question.choices?.map(({ id }) => id)).toContain('period:30d');
      expect(chat.text('tháng 9').keys).toEqual(['history.page']);
      expect(chat.effects[1]).toMatchObject({
        type: 'gift',
        fromMs: midnight(2026, 9, 1),
        toMs: midnight(2026, 10, 1),
      });
    },
  );

  test('says at a page that a period was not understood, and keeps the page', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text('hồi hè');
    expect(chat.keys).toEqual(['period.shape']);
    expect(chat.text('từ tết').keys).toEqual(['period.lunar']);
    expect(chat.text('tiếp').effects[1]).toMatchObject({ type: 'gift', skip: 5 });
  });

  test('marks failed records and names what is missing', () => {
    const chat = new Dialogue(TEAMS);
    chat.answers = () => ({
      kind: 'history',
      more: false,
      records: [
        { type: 'gift', failed: true, atMs: NOW, what: 'Loa', score: 250 },
        { type: 'gift', failed: false },
      ],
    });
    chat.text('lịch sử đổi quà 7 ngày');
    expect(chat.question.lines).toEqual([
      { key: 'history.gift', context: 'failed', params: { at: NOW, what: 'Loa', score: 250 } },
      {
        key: 'history.gift',
        context: 'unscored',
        params: { at: { key: 'history.undated' }, what: { key: 'history.unnamed' }, score: 0 },
      },
    ]);
  });

  test('says that there is nothing', () => {
    const chat = new Dialogue(TEAMS);
    chat.answers = () => ({ kind: 'history', more: false, records: [] });
    expect(chat.text('lịch sử đổi quà 7 ngày').keys).toEqual(['history.empty']);
    expect(chat.question.lines).toEqual([{ key: 'history.other' }]);
    expect(chat.text('tất cả').question).toMatchObject({ key: 'history.empty', lines: [] });
  });

  test.each(['tuần này', '7 ngay', 'thang truoc', 'tất cả', '1/8/2023 - 31/8/2023'])(
    'where there is nothing takes another period, typed or pressed: %s',
    (text) => {
      const chat = new Dialogue();
      const { answers } = chat;
      chat.answers = () => ({ kind: 'history', more: false, records: [] });
      chat.text('lịch sử tích điểm hôm nay').shareOwnPhone();
      expect(chat.text(text).keys).toEqual(['history.empty']);
      expect(chat.question.choices?.map(({ id }) => id)).toContain('accumulate');
      chat.answers = answers;
      expect(chat.press('period:30d').keys).toEqual(['history.page']);
      expect(chat.effects[2]).toMatchObject({
        type: 'point',
        by: { kind: 'phone', value: '+84867123456' },
        fromMs: midnight(2026, 10, 27),
      });
    },
  );

  test('stays open for its next page where a phone is typed, unless that names another customer', () => {
    const chat = new Dialogue().text('lịch sử tích điểm tất cả').shareOwnPhone().text('0912345678');
    expect(chat.question).toMatchObject({ key: 'unsure', context: 'identity' });
    expect(chat.text('tiếp').keys).toEqual(['history.page']);
    expect(chat.effects[1]).toMatchObject({ by: { value: '+84867123456' }, skip: 5 });
    const staff = new Dialogue(STAFF).text('lịch sử tích điểm tất cả 0867123456').text('0912345678');
    expect(staff.text('tháng này').effects).toHaveLength(1);
  });

  test.each(['thử lại', 'try again'])('is tried again by the words on the button: %s', (text) => {
    const chat = new Dialogue(TEAMS);
    const { answers } = chat;
    chat.answers = () => ({ kind: 'unavailable' });
    chat.text('lịch sử đổi quà 7 ngày');
    chat.answers = answers;
    expect(chat.text(text).keys).toEqual(['history.page']);
    expect(chat.effects[1]).toEqual(chat.effects[0]);
  });

  test('can be tried again where AntCRM was out of reach', () => {
    const chat = new Dialogue(TEAMS);
    const answers = chat.answers;
    chat.answers = () => ({ kind: 'unavailable' });
    expect(chat.text('lịch sử đổi quà 7 ngày').keys).toEqual(['service.unavailable']);
    chat.answers = answers;
    expect(chat.press('retry').keys).toEqual(['history.page']);
  });

  test('"next" after the last page says that it was the last, and stays there', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text('trang sau');
    chat.answers = () => ({ kind: 'history', more: false, records: [] });
    chat.text('trang sau');
    expect(chat.keys).toEqual(['history.end']);
    expect(chat.question.choices?.map(({ id }) => id)).toContain('previous');
    chat.text('trang sau').press('previous');
    expect(chat.effects.map((effect) => effect.kind === 'history' && effect.skip)).toEqual([0, 5, 10, 10, 0]);
  });

  test.each(['2', 'trang 2', 'page 2', ' 2 '])('a number at a page is that page: %s', (text) => {
    const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text(text);
    expect(chat.keys).toEqual(['history.page']);
    expect(chat.question.params?.page).toBe(2);
    expect(chat.effects[1]).toMatchObject({ type: 'gift', skip: 5 });
  });

  test('a page beyond the end leaves the one that is shown', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử quà 7 ngày').text('2');
    const { answers } = chat;
    chat.answers = () => ({ kind: 'history', more: false, records: [] });
    expect(chat.text('9').keys).toEqual(['history.end']);
    chat.answers = answers;
    expect(chat.text('thử lại').effects.at(-1)).toMatchObject({ skip: 5 });
  });

  test('a page button works once', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử đổi quà 7 ngày');
    const { view } = chat.question;
    expect(chat.send({ kind: 'choice', choice: 'next', view }).keys).toEqual(['history.page']);
    expect(chat.send({ kind: 'choice', choice: 'next', view }).keys).toEqual(['choice.expired']);
  });
});

describe('a customer who browsed', () => {
  test('is not asked to share the phone again for half an hour', () => {
    const chat = new Dialogue().text('lịch sử tích điểm 30 ngày').shareOwnPhone();
    expect(chat.later(60_000).text('xem điểm').keys[0]).toBe('points.balance');
    const empty = new Dialogue();
    const { answers } = empty;
    empty.answers = () => ({ kind: 'history', more: false, records: [] });
    expect(empty.text('lịch sử tích điểm 30 ngày').shareOwnPhone().keys).toEqual(['history.empty']);
    empty.answers = answers;
    expect(empty.text('xem điểm').keys[0]).toBe('points.balance');
    const late = new Dialogue().text('lịch sử tích điểm 30 ngày').shareOwnPhone();
    // A page is nothing unfinished.
    expect(late.later(31 * 60_000).text('xem điểm').keys).toEqual(['identity.proofNeeded']);
  });

  test('of staff is not taken for the next one', () => {
    const chat = new Dialogue(STAFF).text('lịch sử tích điểm 30 ngày 0867123456');
    expect(chat.keys).toEqual(['history.page']);
    expect(chat.text('xem điểm').keys).toEqual(['identity.ask']);
    const kiosk = new Dialogue(undefined, { identityProof: 'off' }).text(
      'lịch sử tích điểm 30 ngày 0867123456',
    );
    expect(kiosk.text('xem điểm').keys).toEqual(['identity.ask']);
  });
});

describe('the balance', () => {
  test('tells points and tier', () => {
    const chat = new Dialogue(TEAMS).text('xem điểm');
    expect(chat.replies[0]).toMatchObject({ key: 'points.balance', params: { points: 1234 } });
    expect(chat.replies[0]?.lines?.map(({ key }) => key)).toEqual(['points.rank', 'points.rankPoints']);
  });

  test('speaks to staff of the customer', () => {
    const chat = new Dialogue(STAFF).text('xem điểm 0867123456');
    expect(chat.replies[0]).toMatchObject({ key: 'points.balance', context: 'staff' });
    chat.answers = () => ({ kind: 'balance', points: null });
    expect(chat.text('xem điểm 0867123456').replies[0]).toMatchObject({ context: 'noneStaff' });
  });

  test('labels the sums of the history as such', () => {
    const chat = new Dialogue(TEAMS);
    chat.answers = () => ({ kind: 'sums', earned: 300, spent: 20, partial: false });
    expect(chat.text('xem điểm').replies[0]).toMatchObject({
      key: 'points.balance',
      context: 'sums',
      params: { points: 280 },
    });
  });
});
