import { describe, expect, it } from 'vitest';
import { DAY_MS, dayAt, startOfDay } from '../../src/conversation/language/calendar.ts';
import { PERIOD_NAMES, parsePeriod, periodIn } from '../support/conversation.ts';
import { fc } from '../support/properties.ts';

const ZONES = ['Asia/Ho_Chi_Minh', 'UTC', 'America/New_York', 'America/Santiago', 'Pacific/Apia'] as const;
const zones = fc.constantFrom(...ZONES);

/** Any moment, and the days on which calendars go wrong: ends of months and years, 29 February, changes of clocks. */
const moments = fc.oneof(
  fc.integer({ min: Date.UTC(2013, 0), max: Date.UTC(2035, 0) }),
  fc
    .tuple(
      fc.constantFrom(
        '2024-02-29',
        '2026-02-28',
        '2026-12-31',
        '2027-01-01',
        '2026-03-31',
        '2026-05-31',
        '2026-11-01',
      ),
      fc.integer({ min: -DAY_MS, max: DAY_MS }),
    )
    .map(([day, ms]) => Date.parse(day) + ms),
);

const units = ['tuần', 'tháng', 'quý', 'năm'] as const;
const parts = [
  'đầu',
  'giữa',
  'cuối',
  'nửa đầu',
  'nửa cuối',
  '10 ngày đầu',
  '2 tuần cuối',
  '3 tháng đầu',
  'cả',
  'từ đầu',
];
const whole = [
  'tháng 2',
  'tháng 12',
  'tháng 2/2024',
  'năm ngoái',
  'quý 1',
  'quý trước',
  'tuần trước',
  'tháng trước',
  '2025',
];
const counted = fc
  .tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom('ngày', 'tuần', 'tháng', 'năm', 'giờ', 'days', 'months'),
  )
  .chain(([count, unit]) =>
    fc.constantFrom(
      `${count} ${unit}`,
      `${count} ${unit} qua`,
      `${count} ${unit} trước`,
      `${count} ${unit} ago`,
    ),
  );
const phrases = fc.oneof(
  fc.constantFrom(...PERIOD_NAMES),
  fc.tuple(fc.constantFrom(...parts), fc.constantFrom(...units, ...whole)).map((words) => words.join(' ')),
  fc.tuple(fc.constantFrom(...whole), fc.constantFrom(...whole)).map((ends) => `từ ${ends.join(' đến ')}`),
  fc.constantFrom(...whole).map((since) => `từ ${since}`),
  counted,
);

/** The period; infinite where it has no beginning or no end. */
function read(text: string, nowMs: number, zone: string): { fromMs: number; toMs: number } | undefined {
  const period = parsePeriod(text, nowMs, zone);
  if (!period.ok) return undefined;
  const { fromMs = -Infinity, toMs = Infinity } = period.value;
  return { fromMs, toMs };
}

describe('a period, whenever and wherever it is asked for', () => {
  it('begins before it ends, on whole days of the place, and not after today', () => {
    fc.assert(
      fc.property(phrases, moments, zones, (text, nowMs, zone) => {
        const period = read(text, nowMs, zone);
        if (!period) return;
        expect(period.fromMs).toBeLessThan(period.toMs);
        expect(period.fromMs).toBeLessThanOrEqual(nowMs);
        for (const ms of [period.fromMs, period.toMs])
          if (Number.isFinite(ms)) expect(startOfDay(dayAt(ms, zone), zone)).toBe(ms);
      }),
      { numRuns: 200 },
    );
  });

  it('is the same among other words', () => {
    fc.assert(
      fc.property(phrases, moments, zones, (text, nowMs, zone) => {
        expect([text, periodIn(`cho mình xem lịch sử ${text} nhé`, nowMs, zone)]).toEqual([
          text,
          parsePeriod(text, nowMs, zone),
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['hôm qua', 'hôm nay'],
    ['hôm kia', 'hôm qua'],
    ['tuần trước', 'tuần này'],
    ['tuần trước nữa', 'tuần trước'],
    ['tháng trước', 'tháng này'],
    ['2 tháng trước', 'tháng trước'],
    ['3 months ago', 'month before last'],
    ['quý trước', 'quý này'],
    ['năm ngoái', 'năm nay'],
    ['2 years ago', 'last year'],
  ])('%s ends where %s begins', (before, after) => {
    fc.assert(
      fc.property(moments, zones, (nowMs, zone) => {
        expect(read(before, nowMs, zone)?.toMs).toBe(read(after, nowMs, zone)?.fromMs);
      }),
    );
  });

  it.each([
    ['tháng 2/2024', 29],
    ['tháng 2/2026', 28],
    ['tháng 2/2100', undefined],
    ['tháng 12/2025', 31],
    ['2024', 366],
  ])('%s has %s days', (text, days) => {
    const period = read(text, Date.UTC(2026, 10, 25), 'UTC');
    expect(period && (period.toMs - period.fromMs) / DAY_MS).toBe(days);
  });

  it('crosses the turn of the year', () => {
    const newYear = Date.parse('2027-01-01T00:30:00+07:00');
    const [zone] = ZONES;
    const day = (text: string) => Date.parse(`${text}T00:00:00+07:00`);
    expect(read('hôm qua', newYear, zone)).toEqual({ fromMs: day('2026-12-31'), toMs: day('2027-01-01') });
    expect(read('tháng trước', newYear, zone)).toEqual({
      fromMs: day('2026-12-01'),
      toMs: day('2027-01-01'),
    });
    expect(read('quý trước', newYear, zone)).toEqual({ fromMs: day('2026-10-01'), toMs: day('2027-01-01') });
    expect(read('tháng 12', newYear, zone)).toEqual({ fromMs: day('2026-12-01'), toMs: day('2027-01-01') });
    expect(read('ngày 31', newYear, zone)).toEqual({ fromMs: day('2026-12-31'), toMs: day('2027-01-01') });
  });
});
