import { describe, expect, test } from 'vitest';
import { Dialogue, NOW, TEAMS } from '../support/dialogue.ts';

/** Midnight of a day of Vietnam's, which is seven hours ahead of UTC. */
const midnight = (year: number, month: number, day: number) => Date.UTC(year, month - 1, day) - 7 * 3_600_000;

describe('the history', () => {
  test('asks for proof, list and period, then shows pages in place', () => {
    const chat = new Dialogue();
    expect(chat.text('lịch sử').keys).toEqual(['identity.proofNeeded']);
    expect(chat.shareOwnPhone().keys).toEqual(['history.askType']);
    expect(chat.press('history:point').keys).toEqual(['history.askPeriod']);
    expect(chat.press('period:all').keys).toEqual(['history.page']);
    expect(chat.question.inPlace).toBe(true);
    expect(chat.question.choices?.map(({ id }) => id)).toEqual(['next']);
    expect(chat.press('next').question.choices?.map(({ id }) => id)).toEqual(['previous', 'next']);
    expect(chat.press('next').question.choices?.map(({ id }) => id)).toEqual(['previous']);
    expect(chat.effects.map((effect) => effect.kind === 'history' && effect.skip)).toEqual([0, 5, 10]);
    expect(chat.effects[0]).toMatchObject({ type: 'point', by: { kind: 'phone' }, toMs: NOW, take: 5 });
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
    expect(chat.effects[0]).toMatchObject({ fromMs: midnight(2023, 8, 1), toMs: midnight(2023, 9, 1) });
  });

  test('takes typed dates along with the command', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử tích điểm từ 1/8/2023 đến 31/8/2023');
    expect(chat.effects[0]).toMatchObject({
      type: 'point',
      fromMs: midnight(2023, 8, 1),
      toMs: midnight(2023, 9, 1),
    });
  });

  test('says what is wrong with a period', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử tích điểm');
    expect(chat.text('31/8/2023 - 1/8/2023').keys).toEqual(['period.reversed', 'history.askPeriod']);
    expect(chat.text('hồi đó').keys).toEqual(['period.shape', 'history.askPeriod']);
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
  });

  test('can be tried again where AntCRM was out of reach', () => {
    const chat = new Dialogue(TEAMS);
    const answers = chat.answers;
    chat.answers = () => ({ kind: 'unavailable' });
    expect(chat.text('lịch sử đổi quà 7 ngày').keys).toEqual(['service.unavailable']);
    chat.answers = answers;
    expect(chat.press('retry').keys).toEqual(['history.page']);
  });

  test('a page button works once', () => {
    const chat = new Dialogue(TEAMS).text('lịch sử đổi quà 7 ngày');
    const { view } = chat.question;
    expect(chat.send({ kind: 'choice', choice: 'next', view }).keys).toEqual(['history.page']);
    expect(chat.send({ kind: 'choice', choice: 'next', view }).keys).toEqual(['choice.expired']);
  });
});

describe('the balance', () => {
  test('tells points and tier', () => {
    const chat = new Dialogue(TEAMS).text('xem điểm');
    expect(chat.replies[0]).toMatchObject({ key: 'points.balance', params: { points: 1234 } });
    expect(chat.replies[0]?.lines?.map(({ key }) => key)).toEqual(['points.rank', 'points.rankPoints']);
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
