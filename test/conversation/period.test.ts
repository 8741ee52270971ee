import { expect, test } from 'vitest';
import { DAY_MS, dayAt, startOfDay } from '../../src/conversation/values/calendar.ts';
import { PERIOD_NAMES, parsePeriod, periodIn } from '../support/conversation.ts';
import { either, fc } from '../support/properties.ts';
import { misread, sentencesOf } from '../support/sentences.ts';

const SAIGON = 'Asia/Ho_Chi_Minh';
/** Wednesday. */
const NOW = Date.parse('2026-11-25T15:47:00+07:00');

/** The days of a period, or what is wrong with it, in the words of `test/language/periods.txt`. */
function inWords(period: ReturnType<typeof parsePeriod>): string {
  if (!period.ok) return period.reason;
  const day = (ms: number | undefined) =>
    ms === undefined ? '' : new Date(dayAt(ms, SAIGON)).toISOString().slice(0, 10);
  const { fromMs, toMs } = period.value;
  for (const ms of [fromMs, toMs])
    if (ms !== undefined) expect(ms).toBe(startOfDay(dayAt(ms, SAIGON), SAIGON));
  return `${day(fromMs)}..${day(toMs)}`;
}

test.each([
  ['among other words, too', NOW],
  ['alone', NOW],
  ['on 1 January 2027', Date.parse('2027-01-01T00:30:00+07:00')],
  ['on 1 March 2024', Date.parse('2024-03-01T08:00:00+07:00')],
  ['on 31 March 2024', Date.parse('2024-03-31T23:30:00+07:00')],
])('periods typed %s are their days', (title, nowMs) => {
  const read = (text: string) => inWords(parsePeriod(text, nowMs, SAIGON));
  expect(misread(sentencesOf('periods.txt', title), read)).toEqual([]);
});

test('a period among other words takes all words of time, and no other', () => {
  const read = (text: string) => inWords(periodIn(`cho mình xem lịch sử ${text} nhé`, NOW, SAIGON));
  expect(misread(sentencesOf('periods.txt', 'among other words, too'), read)).toEqual([]);
});

/** Some change their clocks at midnight, one left out a day. */
const zones = either(
  'Asia/Ho_Chi_Minh | UTC | Europe/London | America/New_York | America/Santiago | America/Havana | Africa/Cairo | ' +
    'Asia/Kathmandu | Australia/Lord_Howe | Pacific/Apia',
);

test('a day begins at its first instant, in every zone', () => {
  const numbers = fc.integer({ min: Date.UTC(2000, 0) / DAY_MS, max: Date.UTC(2030, 0) / DAY_MS });
  const changes = either('2026-03-08 | 2026-09-06 | 2026-11-01 | 2011-12-31').map(Date.parse);
  const days = fc.oneof(
    numbers.map((number) => number * DAY_MS),
    changes,
  );
  fc.assert(
    fc.property(zones, days, (zone, day) => {
      const start = startOfDay(day, zone);
      expect(dayAt(start - 1, zone)).toBeLessThan(day);
      expect(dayAt(start, zone)).toBeGreaterThanOrEqual(day);
    }),
    { numRuns: 500 },
  );
});

/**
 * Any moment, and the days on which calendars go wrong: ends of months and years, 29 February, changes of
 * clocks.
 */
const moments = fc.oneof(
  fc.integer({ min: Date.UTC(2013, 0), max: Date.UTC(2035, 0) }),
  fc
    .tuple(
      either('2024-02-29 | 2026-02-28 | 2026-12-31 | 2027-01-01 | 2026-03-31 | 2026-05-31 | 2026-11-01'),
      fc.integer({ min: -DAY_MS, max: DAY_MS }),
    )
    .map(([day, ms]) => Date.parse(day) + ms),
);
const whole = either(
  'tháng 2 | tháng 12 | tháng 2/2024 | năm ngoái | quý trước | tuần trước | tháng trước | 2025',
);
const units = either('ngày | tuần | tháng | năm | giờ | days | months');
const counted = fc.tuple(fc.integer({ min: 1, max: 40 }), units, fc.constantFrom('', 'qua', 'trước', 'ago'));
const phrases = fc.oneof(
  fc.constantFrom(...PERIOD_NAMES),
  fc
    .tuple(either('cả | từ đầu'), fc.oneof(either('tuần | tháng | quý | năm'), whole))
    .map((all) => all.join(' ')),
  fc.tuple(whole, whole).map((ends) => `từ ${ends.join(' đến ')}`),
  whole.map((since) => `từ ${since}`),
  counted.map((words) => words.join(' ').trim()),
);

test('a period begins before it ends, on whole days of the place, not after today, and is the same among other words', () => {
  fc.assert(
    fc.property(phrases, moments, zones, (text, nowMs, zone) => {
      const period = parsePeriod(text, nowMs, zone);
      const among = periodIn(`cho mình xem lịch sử ${text} nhé`, nowMs, zone);
      expect([text, among]).toEqual([text, period]);
      if (!period.ok) return;
      const { fromMs = -Infinity, toMs = Infinity } = period.value;
      expect(fromMs).toBeLessThan(toMs);
      expect(fromMs).toBeLessThanOrEqual(nowMs);
      for (const ms of [fromMs, toMs])
        if (Number.isFinite(ms)) expect(startOfDay(dayAt(ms, zone), zone)).toBe(ms);
    }),
    { numRuns: 300 },
  );
});
