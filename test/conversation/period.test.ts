import { describe, expect, it } from 'vitest';
import { DAY_MS, dayAt, startOfDay } from '../../src/conversation/language/calendar.ts';
import { isNamedPeriod, namedPeriod } from '../../src/conversation/language/period.ts';
import { PERIOD_NAMES, parsePeriod, periodIn } from '../support/conversation.ts';
import { AT_ONCE_MS, onCpu } from '../support/cpu.ts';
import { fc } from '../support/properties.ts';

const SAIGON = 'Asia/Ho_Chi_Minh';
/** Wednesday. */
const NOW = Date.parse('2026-11-25T15:47:00+07:00');
/** The period that a message is found to speak of: all its words, and no other. */
const amongOthers = (text: string) => periodIn(`cho mình xem lịch sử ${text} nhé`, NOW, SAIGON);
const at = (day: string) => Date.parse(`${day}T00:00:00+07:00`);

describe('a period typed on 25 November 2026', () => {
  it.each([
    ['1/8/2023 - 31/8/2023', '2023-08-01', '2023-09-01'],
    ['1/8/2023-31/8/2023', '2023-08-01', '2023-09-01'],
    ['01.08.2023 – 31.08.2023', '2023-08-01', '2023-09-01'],
    ['1-8-2023 - 31-8-2023', '2023-08-01', '2023-09-01'],
    ['từ 1/8/2023 đến 31/8/2023', '2023-08-01', '2023-09-01'],
    ['Từ ngày 1/8/2023 tới ngày 31/8/2023 nhé', '2023-08-01', '2023-09-01'],
    ['tu 1/8/2023 den 31/8/2023', '2023-08-01', '2023-09-01'],
    ['from 1/8/2023 to 31/8/2023', '2023-08-01', '2023-09-01'],
    ['2023-08-01 2023-08-31', '2023-08-01', '2023-09-01'],
    ['ngày 1 tháng 8 năm 2023 đến ngày 31 tháng 8 năm 2023', '2023-08-01', '2023-09-01'],
    ['1/8 - 31/8/2023', '2023-08-01', '2023-09-01'],
    ['1/8/2023 - 31/8', '2023-08-01', '2023-09-01'],
    ['1/8 - 31/8', '2026-08-01', '2026-09-01'],
    ['1/12 - 31/1', '2025-12-01', '2026-02-01'],
    ['1/12 - 31/1/2024', '2023-12-01', '2024-02-01'],
    ['5/11', '2026-11-05', '2026-11-06'],
    ['25/11', '2026-11-25', '2026-11-26'],
    ['26/11', '2025-11-26', '2025-11-27'],
    ['29/2/2024', '2024-02-29', '2024-03-01'],
    ['8/2023', '2023-08-01', '2023-09-01'],
    ['tháng 8/2023', '2023-08-01', '2023-09-01'],
    ['tháng 8 năm 2023', '2023-08-01', '2023-09-01'],
    ['tháng 12', '2025-12-01', '2026-01-01'],
    ['tháng 11', '2026-11-01', '2026-12-01'],
    ['6/2023 - 8/2023', '2023-06-01', '2023-09-01'],
    ['2023', '2023-01-01', '2024-01-01'],
    ['năm 2023', '2023-01-01', '2024-01-01'],
    ['hôm qua', '2026-11-24', '2026-11-25'],
    ['tuần trước', '2026-11-16', '2026-11-23'],
    ['last week', '2026-11-16', '2026-11-23'],
    ['tháng trước', '2026-10-01', '2026-11-01'],
    ['last month', '2026-10-01', '2026-11-01'],
    ['năm ngoái', '2025-01-01', '2026-01-01'],
    ['Nov 5', '2026-11-05', '2026-11-06'],
    ['5 November 2026', '2026-11-05', '2026-11-06'],
    ['5th of Nov., 2026', '2026-11-05', '2026-11-06'],
    ['Nov 5, 2026', '2026-11-05', '2026-11-06'],
    ['October', '2026-10-01', '2026-11-01'],
    ['Aug 2023', '2023-08-01', '2023-09-01'],
    ['from Nov 1 to Nov 5', '2026-11-01', '2026-11-06'],
    ['tháng trước nữa', '2026-09-01', '2026-10-01'],
    ['month before last', '2026-09-01', '2026-10-01'],
    ['hôm kia', '2026-11-23', '2026-11-24'],
    ['tuần trước nữa', '2026-11-09', '2026-11-16'],
    ['1 - 5 November 2026', '2026-11-01', '2026-11-06'],
    ['November 1 - 5, 2026', '2026-11-01', '2026-11-06'],
    ['1-5/11/2026', '2026-11-01', '2026-11-06'],
    ['từ 1 đến 5 tháng 11', '2026-11-01', '2026-11-06'],
    ['từ ngày 1 đến ngày 5/11', '2026-11-01', '2026-11-06'],
    ['tháng 9', '2026-09-01', '2026-10-01'],
    ['t9', '2026-09-01', '2026-10-01'],
    ['T9/2025', '2025-09-01', '2025-10-01'],
    ['tháng 8 - 10', '2026-08-01', '2026-11-01'],
    ['quý 1', '2026-01-01', '2026-04-01'],
    ['quý I năm 2025', '2025-01-01', '2025-04-01'],
    ['quý 4', '2026-10-01', '2027-01-01'],
    ['Q2 2026', '2026-04-01', '2026-07-01'],
    ['first quarter of 2026', '2026-01-01', '2026-04-01'],
    ['quý trước', '2026-07-01', '2026-10-01'],
    ['tháng 12 năm ngoái', '2025-12-01', '2026-01-01'],
    ['September last year', '2025-09-01', '2025-10-01'],
    ['thứ hai', '2026-11-23', '2026-11-24'],
    ['thứ sáu tuần trước', '2026-11-20', '2026-11-21'],
    ['last Monday', '2026-11-23', '2026-11-24'],
    ['từ 1/8 đến hôm qua', '2026-08-01', '2026-11-25'],
    ['năm kia', '2024-01-01', '2025-01-01'],
    ['đầu tháng 10', '2026-10-01', '2026-10-11'],
    ['giữa tháng 10', '2026-10-11', '2026-10-21'],
    ['giữa tháng', '2026-11-11', '2026-11-21'],
    ['cuối tháng 9', '2026-09-21', '2026-10-01'],
    ['cuối tháng trước', '2026-10-21', '2026-11-01'],
    ['early October', '2026-10-01', '2026-10-11'],
    ['mid October', '2026-10-11', '2026-10-21'],
    ['the end of last month', '2026-10-21', '2026-11-01'],
    ['đầu năm', '2026-01-01', '2026-05-01'],
    ['cuối năm ngoái', '2025-09-01', '2026-01-01'],
    ['nửa đầu năm', '2026-01-01', '2026-07-01'],
    ['nửa sau tháng 10', '2026-10-16', '2026-11-01'],
    ['first half of 2026', '2026-01-01', '2026-07-01'],
    ['6 tháng đầu năm', '2026-01-01', '2026-07-01'],
    ['first 6 months of 2025', '2025-01-01', '2025-07-01'],
    ['last 3 months of 2025', '2025-10-01', '2026-01-01'],
    ['tuần đầu tháng 10', '2026-10-01', '2026-10-08'],
    ['10 ngày cuối tháng trước', '2026-10-22', '2026-11-01'],
    ['cuối tuần', '2026-11-21', '2026-11-23'],
    ['cuối tuần trước', '2026-11-21', '2026-11-23'],
    ['last weekend', '2026-11-21', '2026-11-23'],
    ['giữa 1/10 và 15/10', '2026-10-01', '2026-10-16'],
    ['between 1/10 and 15/10', '2026-10-01', '2026-10-16'],
    ['1 tháng trước', '2026-10-01', '2026-11-01'],
    ['2 tháng trước', '2026-09-01', '2026-10-01'],
    ['two months ago', '2026-09-01', '2026-10-01'],
    ['cách đây 2 tháng', '2026-09-01', '2026-10-01'],
    ['a week ago', '2026-11-16', '2026-11-23'],
    ['3 ngày trước', '2026-11-22', '2026-11-23'],
    ['1 năm trước', '2025-01-01', '2026-01-01'],
    ['tháng mười', '2026-10-01', '2026-11-01'],
    ['tháng mười một', '2026-11-01', '2026-12-01'],
    ['tháng tư', '2026-04-01', '2026-05-01'],
    ['tháng tám năm 2023', '2023-08-01', '2023-09-01'],
    ['tháng năm năm ngoái', '2025-05-01', '2025-06-01'],
    ['quý IV', '2026-10-01', '2027-01-01'],
    ['quý tư', '2026-10-01', '2027-01-01'],
    ['quý 4/2025', '2025-10-01', '2026-01-01'],
    ['Q1/26', '2026-01-01', '2026-04-01'],
    ['ngày 15', '2026-11-15', '2026-11-16'],
    ['ngày 30', '2026-10-30', '2026-10-31'],
    ['the 15th', '2026-11-15', '2026-11-16'],
    ['ngày 20 tháng trước', '2026-10-20', '2026-10-21'],
    ['từ ngày 1 đến ngày 5 tháng trước', '2026-10-01', '2026-10-06'],
    ['từ mùng 1 đến mùng 5 tháng 10', '2026-10-01', '2026-10-06'],
    ['1st to 5th November', '2026-11-01', '2026-11-06'],
    ['the 1st to the 5th of November', '2026-11-01', '2026-11-06'],
    ['t2 tuần trước', '2026-11-16', '2026-11-17'],
    ['thứ tư vừa rồi', '2026-11-18', '2026-11-19'],
    ['last Wednesday', '2026-11-18', '2026-11-19'],
    ['tối hôm qua', '2026-11-24', '2026-11-25'],
    ['toi hom qua', '2026-11-24', '2026-11-25'],
    ['the day before yesterday', '2026-11-23', '2026-11-24'],
    ['tháng 9 và tháng 10', '2026-09-01', '2026-11-01'],
    ['September and October', '2026-09-01', '2026-11-01'],
    ['t9-t10', '2026-09-01', '2026-11-01'],
    ['2024-2025', '2024-01-01', '2026-01-01'],
    ['2026-10', '2026-10-01', '2026-11-01'],
    ['all of 2025', '2025-01-01', '2026-01-01'],
    ['nguyên năm 2025', '2025-01-01', '2026-01-01'],
  ])('%s is [%s, %s)', (text, from, to) => {
    expect(parsePeriod(text, NOW, SAIGON)).toEqual({
      ok: true,
      value: { fromMs: at(from), toMs: at(to) },
    });
    expect(amongOthers(text)).toEqual(parsePeriod(text, NOW, SAIGON));
  });

  it.each([
    ['hôm nay', '2026-11-25'],
    ['Today', '2026-11-25'],
    ['since 1 Nov', '2026-11-01'],
    ['tuần này', '2026-11-23'],
    ['7 ngày', '2026-11-19'],
    ['7 ngay qua', '2026-11-19'],
    ['last 7 days', '2026-11-19'],
    ['10 ngày gần đây', '2026-11-16'],
    ['2 tuần', '2026-11-12'],
    ['30 days', '2026-10-27'],
    ['3 tháng', '2026-08-25'],
    ['3 tháng gần đây', '2026-08-25'],
    ['last 3 months', '2026-08-25'],
    ['hai tuần vừa qua', '2026-11-12'],
    ['nửa năm qua', '2026-05-25'],
    ['past year', '2025-11-25'],
    ['gần đây', '2026-10-27'],
    ['quý này', '2026-10-01'],
    ['từ đầu năm đến nay', '2026-01-01'],
    ['từ tháng 8 tới giờ', '2026-08-01'],
    ['from August until now', '2026-08-01'],
    ['từ tháng trước', '2026-10-01'],
    ['this month', '2026-11-01'],
    ['tháng này', '2026-11-01'],
    ['năm nay', '2026-01-01'],
    ['từ 1/8', '2026-08-01'],
    ['since 1/8/2023', '2023-08-01'],
    ['24h qua', '2026-11-24'],
    ['24 giờ qua', '2026-11-24'],
    ['last 48 hours', '2026-11-23'],
    ['30ngày', '2026-10-27'],
    ['mấy hôm nay', '2026-11-19'],
    ['hai hôm nay', '2026-11-24'],
    ['vài tuần gần đây', '2026-10-29'],
    ['a few days ago', '2026-11-19'],
    ['last couple of weeks', '2026-11-12'],
    ['past fortnight', '2026-11-12'],
    ['dạo gần đây', '2026-10-27'],
    ['từ đầu tháng', '2026-11-01'],
    ['từ giữa tháng 10', '2026-10-11'],
    ['đầu năm tới giờ', '2026-01-01'],
    ['since the beginning of the year', '2026-01-01'],
    ['year to date', '2026-01-01'],
    ['cả năm', '2026-01-01'],
    ['cả tháng', '2026-11-01'],
    ['từ 2 tháng trước', '2026-09-01'],
    ['2 tháng trở lại đây', '2026-09-25'],
    ['nửa tháng', '2026-11-11'],
  ])('%s begins on %s and has no end', (text, from) => {
    expect(parsePeriod(text, NOW, SAIGON)).toEqual({ ok: true, value: { fromMs: at(from) } });
    expect(amongOthers(text)).toEqual(parsePeriod(text, NOW, SAIGON));
  });

  it('may have blanks in its dates', () => {
    expect(parsePeriod('1 / 8 / 23 đến 31 / 8 / 23', NOW, SAIGON)).toEqual({
      ok: true,
      value: { fromMs: at('2023-08-01'), toMs: at('2023-09-01') },
    });
  });

  it('may have no beginning, or neither', () => {
    expect(parsePeriod('đến 31/8/2023', NOW, SAIGON)).toEqual({
      ok: true,
      value: { toMs: at('2023-09-01') },
    });
    for (const text of ['all', 'tất cả', 'toàn bộ'])
      expect(parsePeriod(text, NOW, SAIGON)).toEqual({ ok: true, value: {} });
  });

  it.each([
    ['', 'period.shape'],
    ['mèo', 'period.shape'],
    ['5', 'period.shape'],
    ['32/8/2023', 'period.shape'],
    ['31/2/2023', 'period.shape'],
    ['29/2', 'period.shape'],
    ['8/31/2023', 'period.shape'],
    ['1/8/1899', 'period.shape'],
    ['0/8/2023', 'period.shape'],
    ['1/8/202', 'period.shape'],
    ['1/8 2/8 3/8', 'period.shape'],
    ['0 ngày', 'period.shape'],
    ['3 tháng trước nữa', 'period.shape'],
    ['hồi hè', 'period.shape'],
    ['t2', 'period.shape'],
    ['tháng 8 và tháng 10', 'period.shape'],
    ['1/10 và 5/10', 'period.shape'],
    ['trước tháng 10', 'period.shape'],
    ['mùng 1', 'period.shape'],
    ['from tomorrow', 'period.future'],
    ['từ tết', 'period.lunar'],
    ['since Tet', 'period.lunar'],
    ['mùng 1 tết', 'period.lunar'],
    ['tháng giêng', 'period.lunar'],
    ['tháng chạp năm ngoái', 'period.lunar'],
    ['tháng 7 âm lịch', 'period.lunar'],
    ['thứ sáu này', 'period.future'],
    ['next Monday', 'period.future'],
    ['cuối tuần này', 'period.future'],
    ['tháng 12 năm nay', 'period.future'],
    ['tháng sau', 'period.future'],
    ['tomorrow', 'period.future'],
    ['31/8/2023 - 1/8/2023', 'period.reversed'],
    ['31/8 - 1/8', 'period.reversed'],
    ['1/12/2026', 'period.future'],
    ['1/1/2027 - 31/1/2027', 'period.future'],
    ['từ 26/11/2026', 'period.future'],
  ])('%j is refused as %s', (text, reason) => {
    expect(parsePeriod(text, NOW, SAIGON)).toEqual({ ok: false, reason });
  });
});

describe('a named period', () => {
  it('is counted in local days', () => {
    const justAfterMidnight = Date.parse('2026-11-25T00:00:01+07:00');
    expect(namedPeriod('7d', justAfterMidnight, SAIGON)).toEqual({ fromMs: at('2026-11-19') });
    expect(namedPeriod('30d', justAfterMidnight - 2000, SAIGON)).toEqual({ fromMs: at('2026-10-26') });
    expect(namedPeriod('month', NOW, SAIGON)).toEqual({ fromMs: at('2026-11-01') });
    expect(namedPeriod('lastMonth', Date.parse('2026-01-31T12:00:00+07:00'), SAIGON)).toEqual({
      fromMs: at('2025-12-01'),
      toMs: at('2026-01-01'),
    });
    expect(namedPeriod('all', NOW, SAIGON)).toEqual({});
  });

  it('is one of five', () => {
    expect(['7d', '30d', 'month', 'lastMonth', 'all'].every(isNamedPeriod)).toBe(true);
    expect(['', 'toString', '8d', 'constructor'].some(isNamedPeriod)).toBe(false);
  });
});

describe('a day', () => {
  it.each([
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00Z'],
    ['America/New_York', '2026-03-09', '2026-03-09T04:00:00Z'],
    // Clocks go from 00:00 to 01:00.
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00:00Z'],
    // Clocks go from 01:00 back to 00:00: the first midnight.
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00Z'],
    // 30 December 2011 was left out.
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00Z'],
    ['Asia/Kathmandu', '2026-11-25', '2026-11-24T18:15:00Z'],
  ])('in %s, %s begins at %s', (zone, day, instant) => {
    expect(startOfDay(Date.parse(day), zone)).toBe(Date.parse(instant));
  });

  it('begins at its first instant, in every zone', () => {
    const zones = fc.constantFrom(
      SAIGON,
      'UTC',
      'Europe/London',
      'America/New_York',
      'America/Santiago',
      'America/Havana',
      'Africa/Cairo',
      'Asia/Beirut',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    );
    const dayNumbers = fc.integer({ min: Date.UTC(2000, 0) / DAY_MS, max: Date.UTC(2030, 0) / DAY_MS });
    fc.assert(
      fc.property(zones, dayNumbers, (zone, number) => {
        const day = number * DAY_MS;
        const start = startOfDay(day, zone);
        expect(dayAt(start - 1, zone)).toBeLessThan(day);
        expect(dayAt(start, zone)).toBeGreaterThanOrEqual(day);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a period in other words', () => {
  const days = fc.integer({ min: Date.UTC(2015, 0) / DAY_MS, max: Date.UTC(2026, 10, 25) / DAY_MS });
  const names = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'];
  const months = [...names, 'October', 'November', 'December'];
  const parts = (day: number) => {
    const date = new Date(day * DAY_MS);
    return [date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCFullYear()] as const;
  };
  const written: readonly ((day: number) => string)[] = [
    (day) => parts(day).join('/'),
    (day) => parts(day).join('.'),
    (day) => `${parts(day)[2]}-${parts(day)[1]}-${parts(day)[0]}`,
    (day) => `ngày ${parts(day)[0]} tháng ${parts(day)[1]} năm ${parts(day)[2]}`,
    (day) => `ngay ${parts(day)[0]} thang ${parts(day)[1]} nam ${parts(day)[2]}`,
    (day) => `ngayf ${parts(day)[0]} thasng ${parts(day)[1]} nawm ${parts(day)[2]}`,
    (day) => `${parts(day)[0]} ${months[parts(day)[1] - 1]} ${parts(day)[2]}`,
    (day) => `${months[parts(day)[1] - 1]} ${parts(day)[0]}, ${parts(day)[2]}`,
  ];
  const joined: readonly ((from: string, to: string) => string)[] = [
    (from, to) => `${from} - ${to}`,
    (from, to) => `từ ${from} đến ${to}`,
    (from, to) => `tu ${from} toi ${to}`,
    (from, to) => `tuwf ${from} ddeesn ${to}`,
    (from, to) => `from ${from} to ${to}`,
  ];
  const asked = ['lịch sử tích điểm', 'ls', 'lijch suwr', 'history', 'cho mình xem lịch sử đổi quà'];

  it('is the same, in either language, with marks or without, among other words', () => {
    fc.assert(
      fc.property(
        days,
        days,
        fc.constantFrom(...written),
        fc.constantFrom(...joined),
        fc.constantFrom(...asked),
        (one, other, write, join, ask) => {
          const [from, to] = [Math.min(one, other), Math.max(one, other)];
          const text = `${ask} ${join(write(from), write(to))}`;
          expect(periodIn(text, NOW, 'UTC')).toEqual({
            ok: true,
            value: { fromMs: from * DAY_MS, toMs: (to + 1) * DAY_MS },
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is counted in either language, with marks or without', () => {
    const units = [
      [1, 'ngày', 'ngay', 'ngafy', 'days'],
      [7, 'tuần', 'tuan', 'tuaafn', 'weeks'],
    ] as const;
    const around: readonly ((counted: string) => string)[] = [
      (counted) => counted,
      (counted) => `${counted} gần đây`,
      (counted) => `trong ${counted} qua`,
      (counted) => `last ${counted}`,
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.constantFrom(...units),
        fc.nat(3),
        fc.constantFrom(...around),
        fc.constantFrom(...asked),
        (count, [worth, ...words], at, put, ask) => {
          const text = `${ask} ${put(`${count} ${words[at]}`)}`;
          const fromMs = Math.floor(NOW / DAY_MS) * DAY_MS - (count * worth - 1) * DAY_MS;
          expect(periodIn(text, NOW, 'UTC')).toEqual({ ok: true, value: { fromMs } });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is never the same with a word more that changes it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PERIOD_NAMES),
        fc.constantFrom('nữa', 'trước nữa', 'before'),
        (name, more) => {
          const read = periodIn(`lịch sử ${name} ${more}`, NOW, SAIGON);
          if (read.ok) expect(read).not.toEqual(parsePeriod(name, NOW, SAIGON));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('any text', () => {
  it('is a period in order or a reason, at once', () => {
    const pieces = fc.constantFrom(
      '1/',
      '1',
      '/',
      '-',
      ' ',
      'tháng ',
      'năm ',
      '2023',
      'từ',
      '1/8/2023',
      '.',
      'ề',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 400 }).map((all) => all.join('')),
      fc.tuple(pieces, fc.nat(1000)).map(([piece, times]) => piece.repeat(times)),
      fc.string({ unit: 'binary', maxLength: 1200 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { result, cpuMs } = onCpu(() => parsePeriod(text, NOW, 'America/New_York'));
        if (result.ok) {
          const { fromMs = -Infinity, toMs = Infinity } = result.value;
          expect(fromMs).toBeLessThan(toMs);
        }
        expect(cpuMs).toBeLessThan(AT_ONCE_MS);
      }),
    );
  });
});
