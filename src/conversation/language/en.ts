import type { Grammar } from './grammar.ts';
import { placesFrom } from './places.ts';

export const en: Grammar = {
  periods: {
    '7d': 'past week, the other day',
    '30d': 'past month, recent, recently, lately, of late',
    month: 'this month, month to date, mtd',
    lastMonth: 'last month, previous month',
    all: 'all, all time, everything, ever, lifetime, since the beginning, from the beginning, from the start, latest, most recent, newest, last time',
    today: 'today, this morning, this afternoon, this evening, tonight, just now, earlier today',
    yesterday: 'yesterday, last night',
    'day before': 'day before yesterday',
    week: 'this week, week to date',
    'last week': 'last week, previous week',
    'week before': 'week before last',
    'month before': 'month before last',
    quarter: 'this quarter, quarter to date, qtd',
    'last quarter': 'last quarter, previous quarter',
    'half a month': 'half a month, half month',
    'half a year': 'half a year, half year',
    year: 'this year, year to date, ytd',
    'last year': 'last year, previous year',
    'year before': 'year before last',
    'past year': 'past year',
    weekend: 'weekend',
    'this weekend': 'this weekend',
    'last weekend': 'last weekend',
    'two weeks': 'fortnight, a fortnight, past fortnight, last fortnight',
    'to come':
      'tomorrow, next week, next month, next quarter, next year, next weekend, coming week, coming month',
    monday: 'monday',
    tuesday: 'tuesday',
    wednesday: 'wednesday',
    thursday: 'thursday',
    friday: 'friday',
    saturday: 'saturday',
    sunday: 'sunday',
    weekday: '~',
    'last weekday': 'last ~, past ~, previous ~',
    'this weekday': 'this ~',
    'weekday to come': 'next ~, coming ~',
    hours: 'hour, hours, hr, hrs',
    days: 'day, days, d',
    weeks: 'week, weeks',
    months: 'month, months',
    quarters: 'quarter, quarters, q',
    years: 'year, years',
    numbers:
      'a = 1, an = 1, one = 1, two = 2, three = 3, four = 4, five = 5, six = 6, seven = 7, eight = 8, nine = 9, ten = 10, eleven = 11, twelve = 12, fifteen = 15, twenty = 20, thirty = 30, sixty = 60, ninety = 90, couple = 2, couple of = 2, a couple = 2, a couple of = 2',
    ordinals: 'second = 2, third = 3, fourth = 4, first = 1, i = 1, ii = 2, iii = 3, iv = 4',
    'month names':
      'january = 1, jan = 1, february = 2, feb = 2, march = 3, mar = 3, april = 4, apr = 4, may = 5, june = 6, jun = 6, july = 7, jul = 7, august = 8, aug = 8, september = 9, sep = 9, sept = 9, october = 10, oct = 10, november = 11, nov = 11, december = 12, dec = 12',
    few: 'a few, few, several',
    from: 'from, since',
    to: 'to, until, till',
    now: 'now, date, today',
    between: 'between',
    and: 'and',
    of: 'of, in',
    whole: 'whole, entire, full, all of, all in',
    first: 'early, beginning, start, first',
    middle: 'mid, middle',
    end: 'late, end, last, final',
    half: 'half',
    'first half': 'first half',
    'last half': 'second half, last half, latter half',
    past: 'last, past, previous, in, within, the, over, for',
    since: 'to date, until now',
    ago: 'ago',
    daytimes: 'morning, afternoon, evening, night',
    noise:
      'day, days, week, weeks, month, months, year, years, during, within, over, all, of, earlier, onwards, the',
    telling: 'next, before, after, except, excluding, not, but, or, later, few, couple, several',
    lunar: 'tet, lunar, lunar new year',
    sure: 'january, jan, february, feb, march, mar, april, apr, june, jun, july, jul, august, aug, september, sept, october, oct, november, nov, december, dec, q1, q2, q3, q4, christmas, easter, weekend, fortnight, hours, days, weeks, months, quarters, years',
    doubtful: 'may, sep',
    units: 'day, week, month, quarter, year, hour',
    before:
      'from, to, until, till, since, in, on, of, for, the, during, between, within, over, last, past, previous, this, next, first, second, third, fourth, early, earlier, late, later, beginning, start, end, mid, middle, half, whole, entire, full, few, couple, several, a, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, fifteen, twenty, thirty, sixty, ninety, before, after, except, excluding, not, but, morning, afternoon, evening, night',
    after: 'ago, before, now, to, till, until, or, but, onwards, morning, afternoon, evening, night',
  },
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
