import type { Grammar } from './grammar.ts';

export const en: Grammar = {
  periods: {
    '7d': 'past week, a week',
    '30d': 'past month, a month, recent, recently, lately',
    month: 'this month, month to date',
    lastMonth: 'last month, previous month',
    all: 'all, all time, everything',
  },
  days: {
    today: 'today',
    yesterday: 'yesterday, last night',
    dayBefore: 'day before yesterday',
    week: 'this week',
    lastWeek: 'last week, previous week',
    weekBefore: 'week before last',
    monthBefore: 'month before last',
    quarter: 'this quarter',
    lastQuarter: 'last quarter, previous quarter',
    halfYear: 'half a year, half year',
    year: 'this year, year to date',
    lastYear: 'last year, previous year',
    yearBefore: 'year before last',
    pastYear: 'past year, a year',
    monday: 'monday, last monday',
    tuesday: 'tuesday, last tuesday',
    wednesday: 'wednesday, last wednesday',
    thursday: 'thursday, last thursday',
    friday: 'friday, last friday',
    saturday: 'saturday, last saturday',
    sunday: 'sunday, last sunday',
  },
  future: 'tomorrow, next week, next month, next quarter, next year',
  time: {
    sure: `january, jan, february, feb, march, mar, april, apr, june, jun, july, jul, august, aug, september, sept,
      october, oct, november, nov, december, dec, q1, q2, q3, q4, christmas, easter, weekend`,
    spelt: '',
    doubtful: 'may, sep',
    units: 'day, days, week, weeks, month, months, quarter, quarters, year, years',
    before: `from, to, until, till, since, in, on, of, for, the, during, between, and, last, past, previous, this, next,
      first, second, third, fourth, early, late, mid, half, few, couple, several, a, one, two, three, four, five, six,
      seven, eight, nine, ten, eleven, twelve, before, after, except, not, but`,
    after: 'ago, before, now, to, till, until, or, but',
  },
  range: {
    from: 'from, since',
    to: 'to, until, till',
    now: 'now, date',
    others: 'day, days, week, weeks, month, months, year, years, between, during, all of',
    telling: 'next, before, after, except, not, but, or, early, late, mid, few, couple, several',
  },
  counted: {
    numbers: 'one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve',
    before: 'last|past|in|the|over',
    days: 'days?|d',
    weeks: 'weeks?',
    months: 'months?',
    years: 'years?',
    after: 'ago',
  },
  inNumbers,
  pages: 'page, go to page',
  units: 'points, point, vnd, d',
  questions: 'what, how many, how much',
  several: {
    numbers: { one: 1, two: 2, three: 3, four: 4, five: 5 },
    counters: 'pieces|piece|pcs|of|gifts|gift|times|time',
    ending: 's',
  },
  asking: {
    anywhere: 'where, when, why, how, what, which, who',
    first: 'is, are, do, does, did, can, could, will, would, should',
    last: '',
    polite: 'please, pls, hi, hello, hey, the, a, an, to, of',
    small:
      'i, me, my, you, your, it, this, that, is, are, do, does, did, can, will, in, on, at, for, have, so',
  },
  borrowed: `ok, okay, oke, hello, hi, hey, bye, thanks, tks, thx, ty, yes, no, cancel, skip, menu, help, start, shop, admin,
    bot, code, email, mail, gmail, hotline, voucher, serial, mobile, phone, app, english, vietnamese, next, back, sms`,
  particles: 'please, pls, plz, thanks, thank, thx, you, it, that, i, do, all, then',
  fillers: `i, me, my, mine, we, our, you, your, want, want to, would, d, ll, m, s, t, like, like to, need, need to, please, pls,
    plz, can, could, the, a, an, of, for, with, is, are, am, many, much, do, does, did, have, has, got, give, show, see,
    check, get, let, which, where, on, in, at, and, now, it, this, that, here, there, some, any, view, look, use,
    go, so, set, put, number, in order to, going to, wanna, gonna, product, how can i, how do i, list`,
  wishes: 'get, take, choose, claim, exchange',
  assents: 'yeah',
  short: 'no, n, y',
  objections: { last: '', anywhere: '' },
  denials: {
    stop: "not, do not, don't, do not want, don't want",
    fail: "can't, cannot, can not, couldn't, unable to",
  },
  types: {
    point: 'earned, earned points, points earned, past points',
    gift: 'redeemed, redeemed gifts, gifts redeemed, my gifts, my rewards',
  },
  only: 'only, just, keep',
  ever: 'my gifts, my rewards',
  fields: {
    code: 'code, serial, remove code, remove the code, drop code, drop the code, delete code, delete the code',
    phone: `phone, phone number, mobile, tel, vietnamese number, vietnamese phone number,
      change phone, change phone number, change my phone`,
    email: 'email, mail, e mail, gmail, mailto, change email, change my email',
  },
  abbreviations: {},
  homographs: {},
  needMarks: [],
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Not the "mấy" of "mấy ngày qua". */
const MONTH = String.raw`(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may(?! (?:ngay|tuan|thang|nam|hom)\b)|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?`;
const ORDINAL = String.raw`(\d{1,2})(?:st|nd|rd|th)?`;
const YEAR = String.raw`(?:,? (\d{4})(?!\d))?`;
const DAYS_OF_MONTH = new RegExp(
  String.raw`\b${MONTH} ${ORDINAL} ?(?:to|until|till|\p{Pd}) ?${ORDINAL}(?!\d)(?! (?:of )?${MONTH})${YEAR}`,
  'gu',
);
const DAY_FIRST = new RegExp(String.raw`\b${ORDINAL} (?:of )?${MONTH}${YEAR}`, 'g');
const MONTH_FIRST = new RegExp(String.raw`\b${MONTH} ${ORDINAL}(?!\d)${YEAR}`, 'g');
const MONTH_ALONE = new RegExp(String.raw`\b${MONTH}${YEAR}`, 'g');
const QUARTER = /\b(?:(first|1st|second|2nd|third|3rd|fourth|4th) quarter|quarter (\d))\b/g;
const QUARTERS = ['first', 'second', 'third', 'fourth'];

/**
 * English months as numbers: "5 November 2026" and "Nov 5, 2026" become "5/11/2026", "October" becomes "thang 10"; "first
 * quarter of 2026" becomes "q1/2026".
 */
function inNumbers(text: string): string {
  const month = (name: string) => MONTHS.indexOf(name.slice(0, 3)) + 1;
  const year = (digits: string | undefined) => (digits === undefined ? '' : `/${digits}`);
  return text
    .replace(QUARTER, (_, ordinal?: string, digit?: string) => `q${digit ?? quarterOf(ordinal ?? '')}`)
    .replace(/\b(q[1-4]),? (?:of )?(\d{4})\b/g, '$1/$2')
    .replace(
      DAYS_OF_MONTH,
      (_, name: string, first: string, last: string, ...more: readonly (string | undefined)[]) =>
        `${first} - ${last}/${month(name)}${year(more[1])}`,
    )
    .replace(DAY_FIRST, (_, day: string, name: string, y?: string) => `${day}/${month(name)}${year(y)}`)
    .replace(MONTH_FIRST, (_, name: string, day: string, y?: string) => `${day}/${month(name)}${year(y)}`)
    .replace(MONTH_ALONE, (_, name: string, y?: string) => `thang ${month(name)}${year(y)}`);
}

function quarterOf(ordinal: string): number {
  return /^\d/.test(ordinal) ? Number(ordinal.charAt(0)) : QUARTERS.indexOf(ordinal) + 1;
}
