import type { Phrases } from './vocabulary.ts';

/** The periods that buttons offer, and what customers call them. */
export type NamedPeriod = '7d' | '30d' | 'month' | 'lastMonth' | 'all';

export const PERIODS: readonly { readonly name: NamedPeriod; readonly words: Phrases }[] = [
  {
    name: '7d',
    words: {
      vi: '7 ngày, 7 ngày qua, 7 ngày gần đây, 7 ngày gần nhất, bảy ngày, một tuần, tuần qua',
      en: '7 days, 7d, last 7 days, past 7 days, a week, past week',
    },
  },
  {
    name: '30d',
    words: {
      vi: '30 ngày, 30 ngày qua, 30 ngày gần đây, 30 ngày gần nhất, ba mươi ngày, một tháng, tháng qua',
      en: '30 days, 30d, last 30 days, past 30 days, a month, past month',
    },
  },
  { name: 'month', words: { vi: 'tháng này', en: 'this month' } },
  { name: 'lastMonth', words: { vi: 'tháng trước, tháng rồi', en: 'last month, previous month' } },
  {
    name: 'all',
    words: {
      vi: 'tất cả, toàn bộ, từ trước đến nay, từ trước tới nay, mọi lúc',
      en: 'all, all time, everything',
    },
  },
];

export type NamedDays = 'today' | 'yesterday' | 'week' | 'lastWeek' | 'year' | 'lastYear';

/** Periods that no button offers. */
export const DAYS: readonly { readonly name: NamedDays; readonly words: Phrases }[] = [
  { name: 'today', words: { vi: 'hôm nay, bữa nay', en: 'today' } },
  { name: 'yesterday', words: { vi: 'hôm qua, bữa qua', en: 'yesterday' } },
  { name: 'week', words: { vi: 'tuần này', en: 'this week' } },
  { name: 'lastWeek', words: { vi: 'tuần trước, tuần rồi', en: 'last week' } },
  { name: 'year', words: { vi: 'năm nay', en: 'this year' } },
  { name: 'lastYear', words: { vi: 'năm ngoái, năm trước', en: 'last year' } },
];

/** Parts of typed dates: left in the rest of a message, where `parsePeriod` reads them. */
export const DATE_WORDS: Phrases = {
  vi: 'từ, đến, ngày, tháng, năm, tuần, từ ngày, đến ngày',
  en: 'from, to, until, since, day, days, week, weeks, month, months, year',
};
