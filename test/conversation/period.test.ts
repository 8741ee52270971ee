import { describe, expect, it } from 'vitest';
import { DAY_MS, dayAt, monthsBefore, startOfDay } from '../../src/conversation/language/calendar.ts';
import { isNamedPeriod, namedPeriod } from '../../src/conversation/language/period.ts';
import { PERIOD_NAMES, parsePeriod, periodIn } from '../support/conversation.ts';
import { AT_ONCE_MS, onCpu } from '../support/cpu.ts';
import { fc } from '../support/properties.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

const SAIGON = 'Asia/Ho_Chi_Minh';
/** Wednesday. */
const NOW = Date.parse('2026-11-25T15:47:00+07:00');
/** The period that a message is found to speak of: all its words, and no other. */
const amongOthers = (text: string) => periodIn(`cho mình xem lịch sử ${text} nhé`, NOW, SAIGON);
const at = (day: string) => Date.parse(`${day}T00:00:00+07:00`);

/** The days of a period, or what is wrong with it, in the words of `test/language/periods.txt`. */
function read(period: ReturnType<typeof parsePeriod>): string {
  if (!period.ok) return period.reason;
  const day = (ms: number | undefined) =>
    ms === undefined ? '' : new Date(dayAt(ms, SAIGON)).toISOString().slice(0, 10);
  const { fromMs, toMs } = period.value;
  for (const ms of [fromMs, toMs])
    if (ms !== undefined) expect(ms).toBe(startOfDay(dayAt(ms, SAIGON), SAIGON));
  return `${day(fromMs)}..${day(toMs)}`;
}

describe('a period typed on 25 November 2026', () => {
  const rows = sentencesOf('periods.txt', 'among other words, too');

  it('is its days, alone', () => {
    const all = [...rows, ...sentencesOf('periods.txt', 'alone')];
    expect(misread(all, (text) => read(parsePeriod(text, NOW, SAIGON)))).toEqual([]);
  });

  it('is its days among other words: all that speak of time, and no other', () => {
    expect(misread(rows, (text) => read(amongOthers(text)))).toEqual([]);
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

  it.each([
    ['2026-03-31', 1, '2026-02-28'],
    ['2026-11-25', 12, '2025-11-25'],
  ])('of %s, %i months before, is %s', (day, months, before) => {
    expect(monthsBefore(Date.parse(day), months)).toBe(Date.parse(before));
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
