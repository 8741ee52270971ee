import type { Grammar } from './grammar.ts';
import { placesFrom } from './places.ts';

export const en: Grammar = {
  periods: {
    '7d': 'past week, a week, the other day',
    '30d': 'past month, a month, recent, recently, lately, of late',
    month: 'this month, month to date, mtd',
    lastMonth: 'last month, previous month',
    all: `all, all time, everything, ever, lifetime, since the beginning, from the beginning, from the start,
      latest, most recent, newest`,
  },
  days: {
    today: 'today, this morning, this afternoon, this evening, tonight, just now, earlier today',
    yesterday: 'yesterday, last night',
    dayBefore: 'day before yesterday',
    week: 'this week, week to date',
    lastWeek: 'last week, previous week',
    weekBefore: 'week before last',
    monthBefore: 'month before last',
    quarter: 'this quarter, quarter to date, qtd',
    lastQuarter: 'last quarter, previous quarter',
    halfMonth: 'half a month, half month',
    halfYear: 'half a year, half year',
    year: 'this year, year to date, ytd',
    lastYear: 'last year, previous year',
    yearBefore: 'year before last',
    pastYear: 'past year, a year',
    lastTime: 'last time',
  },
  weekdays: {
    names: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
    latest: '~',
    last: 'last ~, past ~, previous ~',
    this: 'this ~',
    next: 'next ~, coming ~',
  },
  future: 'tomorrow, next week, next month, next quarter, next year, next weekend, coming week, coming month',
  lunar: 'tet, lunar, lunar new year',
  time: {
    sure: `january, jan, february, feb, march, mar, april, apr, june, jun, july, jul, august, aug, september, sept,
      october, oct, november, nov, december, dec, q1, q2, q3, q4, christmas, easter, weekend,
      fortnight, hours, days, weeks, months, quarters, years`,
    spelt: '',
    doubtful: 'may, sep',
    units: 'day, week, month, quarter, year, hour',
    ordinals: '',
    before: `from, to, until, till, since, in, on, of, for, the, during, between, within, over, last, past, previous, this, next,
      first, second, third, fourth, early, earlier, late, later, beginning, start, end, mid, middle, half, whole, entire,
      full, few, couple, several, a, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, fifteen,
      twenty, thirty, sixty, ninety, before, after, except, excluding, not, but, morning, afternoon, evening, night`,
    after: 'ago, before, now, to, till, until, or, but, onwards, morning, afternoon, evening, night',
  },
  range: {
    from: 'from, since',
    to: 'to, until, till',
    between: 'between',
    now: 'now, date, today',
    and: 'and',
    whole: 'whole, entire, full',
    units: { week: 'week', month: 'month', quarter: 'quarter', year: 'year' },
    daytimes: 'morning, afternoon, evening, night',
    others: `day, days, week, weeks, month, months, year, years, during, within, over, all, of, earlier, onwards`,
    telling: 'next, before, after, except, excluding, not, but, or, later, few, couple, several',
  },
  parts: {
    first: 'early, beginning, start',
    middle: 'mid, middle',
    last: 'late, end',
    half: 'half',
  },
  counted: {
    numbers: {
      ...{
        one: 1,
        two: 2,
        three: 3,
        four: 4,
        five: 5,
        six: 6,
        seven: 7,
        eight: 8,
        nine: 9,
        ten: 10,
        eleven: 11,
      },
      ...{ twelve: 12, fifteen: 15, twenty: 20, thirty: 30, sixty: 60, ninety: 90 },
    },
    few: 'a few|few|several',
    before: 'last|past|previous|in|within|the|over|for',
    hours: 'hours?|hrs?',
    days: 'days?|d',
    weeks: 'weeks?',
    months: 'months?',
    years: 'years?',
    after: 'to date|until now',
    ago: 'ago',
  },
  inNumbers,
  pages: {
    number: 'page, page number, go to page, to page',
    first: 'first page, first, first one, page one, beginning',
    last: 'last page, last, last one, final page, end, to the end',
    next: 'more, any more, go on, keep going, continue, next one, next page',
    previous: 'previous one, one back',
  },
  units: 'points, point, vnd, d',
  questions: 'what, how many, how much, when',
  several: {
    numbers: { one: 1, two: 2, three: 3, four: 4, five: 5 },
    counters: 'pieces|piece|pcs|of|gifts|gift|times|time',
    ending: 's',
    beside: 'the, a, an, instead, rather, actually',
  },
  asking: {
    anywhere: 'where, when, why, how, what, which, who',
    first: 'is, are, do, does, did, can, could, will, would, should',
    last: '',
    polite: 'please, pls, hi, hello, hey, the, a, an, to, of',
    small: 'i, me, my, you, your, it, this, that, is, are, do, does, did, can, will, in, on, at, for, have',
  },
  borrowed: `ok, okay, oke, hello, hi, hey, bye, thanks, tks, thx, ty, yes, no, cancel, skip, menu, help, start, shop, admin,
    bot, code, email, mail, gmail, hotline, voucher, serial, mobile, phone, app, english, vietnamese, next, back, sms`,
  particles: 'please, pls, plz, thanks, thank, thx, you, it, that, i, do, all, then',
  fillers: `also, too, i, me, my, mine, we, our, you, your, want, want to, would, d, ll, m, s, t, like, like to, need, need to, please, pls,
    plz, can, could, the, a, an, of, for, with, is, are, am, many, much, do, does, did, have, has, got, give, show, see,
    check, get, let, which, where, on, in, at, and, now, it, this, that, here, there, some, any, view, look, use,
    go, so, set, put, number, in order to, going to, wanna, gonna, product, how can i, how do i, list, what about, how about`,
  wishes: 'get, take, choose, claim, exchange',
  faults: `wrong, wrong number, incorrect, not right, not correct, that's wrong`,
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
  listing: {
    removing: 'remove, drop, delete, take out, take off, leave out, without',
    denying: 'not',
    replacing: 'replace, change, swap, switch, fix, edit',
    correcting: `not, wrong, mistake, mistyped, typo, instead, i meant, i mean, should be, should have been,
      right code is, correct code is, right one is, correct one is`,
    adding: 'add, also, another, more, too, plus',
    keeping: `only, just, keep, only need, only want, only do, only keep, only take, just need, just want, just do,
      just keep, just take`,
    between: 'code, codes, number, the',
    joining: 'and, or',
    others: 'other, others, rest, remaining',
    inPlaces,
  },
  gifts: 'gift, gifts, reward, rewards',
  ever: 'my gifts, my rewards',
  fields: {
    code: 'code, serial, remove code, remove the code, drop code, drop the code, delete code, delete the code',
    phone: `phone, phone number, wrong number, mobile, tel, vietnamese number, vietnamese phone number,
      change phone, change phone number, change my phone`,
    email:
      'email, mail, e mail, gmail, mailto, change email, change my email, remove email, remove the email, remove my email, drop the email',
  },
  abbreviations: {},
  homographs: {},
  needMarks: [],
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Not the "mấy" of "mấy ngày qua". */
const MONTH = String.raw`(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may(?! (?:ngay|tuan|thang|nam|hom|bua|gio|tieng)\b)|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?`;
const DAY = String.raw`(\d{1,2})`;
const YEAR = String.raw`(?:,? (\d{4})(?!\d))?`;
const DAYS_OF_MONTH = new RegExp(
  String.raw`\b${MONTH} ${DAY} ?(?:to|until|till|\p{Pd}) ?${DAY}(?!\d)(?! (?:of )?${MONTH})${YEAR}`,
  'gu',
);
const THE_DAY = new RegExp(String.raw`\bthe ${DAY}(?:st|nd|rd|th)\b(?! (?:of )?${MONTH})`, 'g');
const DAY_FIRST = new RegExp(String.raw`\b${DAY} (?:of )?${MONTH}${YEAR}`, 'g');
const MONTH_FIRST = new RegExp(String.raw`\b${MONTH} ${DAY}(?!\d)${YEAR}`, 'g');
const MONTH_ALONE = new RegExp(String.raw`\b${MONTH}${YEAR}`, 'g');
const QUARTER = /\b(?:(first|1|second|2|third|3|fourth|4) quarter|quarter (\d))\b/g;
const QUARTERS = ['first', 'second', 'third', 'fourth'];

/**
 * English months as numbers: "5 November 2026" and "Nov 5, 2026" become "5/11/2026", "October" becomes "thang 10"; "first
 * quarter of 2026" becomes "q1/2026". The part of a period comes before it: "first two weeks of" becomes "two weeks early",
 * "last weekend" "end last week".
 */
function inNumbers(text: string): string {
  const month = (name: string) => MONTHS.indexOf(name.slice(0, 3)) + 1;
  const year = (digits: string | undefined) => (digits === undefined ? '' : `/${digits}`);
  return text
    .replace(THE_DAY, 'd$1')
    .replace(/\b(\d{1,2})(?:st|nd|rd|th)\b/g, '$1')
    .replace(/\ball (?:of|in) (?=\w)/g, 'whole ')
    .replace(/\b(?:since|from) (?:the )?(?:beginning|start) of\b/g, 'from early')
    .replace(/\b(?:a )?couple (?:of )?/g, '2 ')
    .replace(/\b(?:a )?fortnight\b/g, '2 weeks')
    .replace(/\ban? (?=\w+ ago\b)/g, '1 ')
    .replace(/\bfirst half\b/g, 'half early')
    .replace(/\b(?:second|last|latter) half\b/g, 'half late')
    .replace(
      /\b(first|last|final) ((?:\w+ )?(?:days?|weeks?|months?)) (?=(?:of|in)\b)/g,
      (_, which: string, many: string) => {
        const amount = many.includes(' ') ? many : `1 ${many}`;
        return `${amount} ${which === 'first' ? 'early' : 'late'} `;
      },
    )
    .replace(/(?<!next )\b(last |this )?weekend\b/g, (_, which = '') => `end ${which}week`)
    .replace(QUARTER, (_, ordinal?: string, digit?: string) => `q${digit ?? quarterOf(ordinal ?? '')}`)
    .replace(/\b(q[1-4]),? ?(?:of )?(\d{4})\b/g, '$1/$2')
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
  return Number(ordinal) || QUARTERS.indexOf(ordinal) + 1;
}

const PLACES = [
  'first|1st',
  'second|2nd',
  'third|3rd',
  'fourth|4th',
  'fifth|5th',
  'sixth|6th',
  'seventh|7th',
];
const ORDINALS = [...PLACES, 'eighth|8th', 'ninth|9th', 'tenth|10th'];
const COUNTED = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

const SEVERAL_AT_AN_END = new RegExp(
  `\\b(first|last) (\\d|${COUNTED.slice(1).join('|')})\\b(?: codes| ones)?`,
  'g',
);
const ALL = /\b(?:all|both)(?: of)?(?: the| these| my)? (?:codes|them)\b/g;
const BY_ORDINAL = new RegExp(`\\b(${ORDINALS.join('|')}|last)(?= one\\b| code\\b|$)`, 'g');
const BY_NUMBER = /\b(?:codes?|numbers?|no) (\d{1,2}(?: (?:and )?\d{1,2})*)\b/g;

/** "The second code" and "code 2" become "#2", "the last one" becomes "#-1", "all codes" becomes "#0". */
function inPlaces(text: string): string {
  const counted = (number: string) => Number(number) || COUNTED.indexOf(number) + 1;
  const place = (word: string) =>
    word === 'last' ? -1 : ORDINALS.findIndex((words) => words.split('|').includes(word)) + 1;
  return text
    .replace(SEVERAL_AT_AN_END, (_, end: string, many: string) =>
      placesFrom(end === 'first' ? 1 : -1, counted(many)),
    )
    .replace(ALL, '#0')
    .replace(BY_ORDINAL, (_, word: string) => `#${place(word)}`)
    .replace(BY_NUMBER, (_, numbers: string) => numbers.replace(/\d+/g, '#$&'));
}
