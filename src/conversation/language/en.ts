import type { Grammar } from './grammar.ts';

export const en: Grammar = {
  periods: {
    '7d': '7 days, 7d, last 7 days, past 7 days, a week, past week',
    '30d': '30 days, 30d, last 30 days, past 30 days, a month, past month',
    month: 'this month',
    lastMonth: 'last month, previous month',
    all: 'all, all time, everything',
  },
  days: {
    today: 'today',
    yesterday: 'yesterday',
    week: 'this week',
    lastWeek: 'last week',
    year: 'this year',
    lastYear: 'last year',
  },
  dateWords: 'from, to, until, since, day, days, week, weeks, month, months, year',
  range: { from: 'from, since', to: 'to, until, till', others: 'between' },
  counted: {
    before: 'last|past|in|the',
    days: 'days?|d',
    weeks: 'weeks?',
    months: 'months?',
    after: 'ago',
  },
  inNumbers,
  units: 'points, point, days, vnd, d',
  fillers: `i, me, my, mine, we, our, you, your, want, want to, would, d, ll, m, s, t, like, like to, need, need to, please, pls,
    plz, can, could, the, a, an, of, for, with, is, are, am, many, much, do, does, have, has, got, give, show, see,
    check, get, let, what, which, where, on, in, at, and, now, it, this, that, here, there, some, any, view, look, use,
    go, so, set, put, number, in order to, going to, wanna, gonna, product, how can i, how do i, list`,
  wishes: 'get, take, choose, claim, exchange',
  denials: {
    stop: "not, do not, don't, do not want, don't want",
    fail: "can't, cannot, can not, couldn't, unable to",
  },
  types: {
    point: 'earned, earned points, points earned, past points',
    gift: 'redeemed, redeemed gifts, gifts redeemed',
  },
  fields: {
    code: 'code, serial, remove code, remove the code, drop code, drop the code, delete code, delete the code',
    phone: 'phone, phone number, mobile, tel, change phone, change phone number, change my phone',
    email: 'email, mail, e mail, gmail, mailto, change email, change my email',
  },
  abbreviations: {},
  homographs: {},
  needMarks: [],
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = String.raw`(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?`;
const ORDINAL = String.raw`(\d{1,2})(?:st|nd|rd|th)?`;
const YEAR = String.raw`(?:,? (\d{4})(?!\d))?`;
const DAY_FIRST = new RegExp(String.raw`\b${ORDINAL} (?:of )?${MONTH}${YEAR}`, 'g');
const MONTH_FIRST = new RegExp(String.raw`\b${MONTH} ${ORDINAL}(?!\d)${YEAR}`, 'g');
const MONTH_ALONE = new RegExp(String.raw`\b${MONTH}${YEAR}`, 'g');

/** English months as numbers: "5 November 2026" and "Nov 5, 2026" become "5/11/2026", "October" becomes "thang 10". */
function inNumbers(text: string): string {
  const month = (name: string) => MONTHS.indexOf(name.slice(0, 3)) + 1;
  const year = (digits: string | undefined) => (digits === undefined ? '' : `/${digits}`);
  return text
    .replace(DAY_FIRST, (_, day: string, name: string, y?: string) => `${day}/${month(name)}${year(y)}`)
    .replace(MONTH_FIRST, (_, name: string, day: string, y?: string) => `${day}/${month(name)}${year(y)}`)
    .replace(MONTH_ALONE, (_, name: string, y?: string) => `thang ${month(name)}${year(y)}`);
}
