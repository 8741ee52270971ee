import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Gift } from '../../src/conversation/context.ts';
import type { Effect } from '../../src/conversation/effect.ts';
import type { Locale } from '../../src/conversation/message.ts';
import { vocabulary } from '../support/conversation.ts';
import { Dialogue, SETTINGS, STAFF, TELEGRAM } from '../support/dialogue.ts';

/*
 * How well sentences are understood that nobody had in mind who wrote the vocabulary.
 *
 *     node test/heard/measure.ts [--only harm] [--sealed]
 *
 * `## heard` of the language files and `sealed.tsv` are two random halves of 300 sentences with the question that each
 * answers and what a good shop assistant takes it for. Each is said to a fresh conversation that was brought to the question by buttons and plain
 * values, and judged by what can be seen from outside: replies, buttons, the state, what is asked of AntCRM.
 *
 * - right: done at once, all of it.
 * - one tap: a button that does exactly it is offered because of the sentence. One that was there before counts only if
 *   the bot points at it, or leaves three at most.
 * - unclear: nothing is done, and the bot says that it did not understand, or asks again.
 * - wrong: something else is done or answered.
 * - harm: a yes that was none, an end that nobody wanted, an erasure, a code lost or the wrong one taken away.
 *
 * A line: the sentence, the expected commands and the question, in `sealed.tsv` also the locale and a note. The question is
 * where the conversation is (`QUESTIONS`), with `@staff` where shop staff write. Expected commands are those of the conversation's design, `;` between those that belong
 * together, `|` between readings that are equally good. `unclear`: nobody could know.
 *
 * The key patterns below are how the bot's replies are told apart; a new key is added to them, nothing else.
 */

type Command = { readonly act: string; readonly rest: readonly string[] };
type Reading = readonly Command[];
type Line = {
  readonly locale: Locale;
  readonly question: string;
  readonly sentence: string;
  readonly expected: string;
  readonly readings: readonly Reading[];
};

const VERDICTS = ['right', 'one tap', 'unclear', 'wrong', 'harm'] as const;
type Verdict = (typeof VERDICTS)[number];
type Judged = { readonly line: Line; readonly verdict: Verdict; readonly keys: readonly string[] };

/** Of lines, how many got which verdict. */
export type Totals = Readonly<Record<Verdict, number>> & { readonly lines: number };

const TIVI = 'TIVInpmx8b98pfg';
const PHONE = '0867123456';
const FRIDGE = 'TULANH000000123';

const GIFTS: readonly Gift[] = [
  ...SETTINGS.gifts,
  { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000 },
];

const staffs = ({ sender }: Dialogue): boolean => sender.proof === 'token';

/**
 * What is asked at each question, and how it is reached: by presses and by values that leave no doubt, so that what comes
 * before a sentence never depends on the vocabulary.
 */
const QUESTIONS: Readonly<Record<string, readonly [asks: RegExp, go: (dialogue: Dialogue) => Dialogue]>> = {
  nothing: [/^welcome$/, (dialogue) => dialogue],
  code: [/^accumulate.askCode$/, (dialogue) => press(dialogue, 'accumulate')],
  phone: [/^accumulate.askPhone$/, (dialogue) => earn(dialogue, TIVI)],
  email: [
    /^(accumulate.askEmail)$/,
    // Staff are asked for no e-mail: it is theirs to add.
    (dialogue) =>
      staffs(dialogue) ? earn(dialogue, TIVI, PHONE).press('edit:email') : earn(dialogue, TIVI, PHONE),
  ],
  earn1: [/^accumulate.summary$/, (dialogue) => earn(dialogue, TIVI, PHONE, 'garnacho@gmail.com')],
  earn2: [
    /^accumulate.summary$/,
    (dialogue) => {
      const asked = earn(dialogue, `${TIVI} ${FRIDGE}`, PHONE);
      return staffs(dialogue) ? asked : asked.press('skip');
    },
  ],
  gift: [/^redeem.askGift$/, (dialogue) => identify(press(dialogue, 'redeem'))],
  redeem: [/^redeem.summary$/, (dialogue) => identify(press(dialogue, 'redeem')).press('gift:DAUMAY01')],
  'doubt.code': [/^code.offer$/, (dialogue) => earn(dialogue, 'TIVl000000001')],
  'doubt.phone': [/^phone.mapped$/, (dialogue) => earn(dialogue, 'TIVI000000001', '01667123456')],
  'doubt.email': [/^email.typo$/, (dialogue) => earn(dialogue, 'TIVI000000001', PHONE, 'garnacho@gmial.com')],
  page: [/^history.page$/, (dialogue) => identify(press(dialogue, 'history:point'))],
  page2: [/^history.page$/, (dialogue) => identify(press(dialogue, 'history:point')).press('next')],
  period: [/^period.shape$/, (dialogue) => identify(press(dialogue, 'history:point')).text('32/13/2026')],
  consent: [/^privacy.consent$/, (dialogue) => press(dialogue.shareOwnPhone(), 'points')],
};

const earn = (dialogue: Dialogue, ...values: readonly string[]): Dialogue =>
  values.reduce((asked, value) => asked.text(value), press(dialogue, 'accumulate'));

function press(dialogue: Dialogue, choice: string): Dialogue {
  return dialogue.send({ kind: 'choice', choice });
}

function identify(dialogue: Dialogue): Dialogue {
  return staffs(dialogue) ? dialogue.text(PHONE) : dialogue.shareOwnPhone();
}

function bring({ locale, question }: Line): Dialogue {
  const [name = '', channel] = question.split('@');
  const sender = channel === 'staff' ? { ...STAFF, locale } : { ...TELEGRAM, locale };
  const dialogue = new Dialogue(sender, { gifts: GIFTS }).send({ kind: 'start' });
  const [asks, go] = QUESTIONS[name] ?? [];
  if (!go || !asks?.test(go(dialogue).question.key))
    throw new Error(`the question ${question} was not reached`);
  return dialogue;
}

/** All that is judged by: what a customer, a tester or AntCRM can see. `said`: how many effects were asked for before. */
function see(dialogue: Dialogue, said: number) {
  const { state, replies } = dialogue;
  const { codes, phone, email } = state.draft;
  return {
    state,
    flow: 'flow' in state.step ? state.step.flow : undefined,
    codes: Array.isArray(codes) ? codes.map(String) : [],
    phone: phone?.value,
    email: email?.value,
    /** As text: a gift is in it by its code, wherever that is kept. */
    gathered: JSON.stringify(state.draft),
    replies,
    keys: replies.map(({ key }) => key),
    asks: replies.at(-1)?.asks,
    choices: replies
      .flatMap(({ choices }) => choices ?? [])
      .map(({ id }) => id.replace(/^confirm:.*/, 'confirm')),
    /** What the sentence made the bot ask of AntCRM. */
    effects: dialogue.effects.slice(said),
    /** The customer asked something; the id of what answered it. */
    question: dialogue.last?.question,
  };
}
type Seen = ReturnType<typeof see>;

function isDoubt({ choices }: Seen): boolean {
  return choices.includes('use');
}

function pageOf({ state }: Seen): { type?: unknown; period?: unknown; skip?: number } | undefined {
  return state.step.at === 'browsing' ? state.step.page : undefined;
}

function calls({ effects }: Seen): readonly Effect[] {
  return effects.filter(({ kind }) => kind === 'accumulate' || kind === 'redeem');
}

function says({ keys }: Seen, pattern: RegExp): boolean {
  return keys.some((key) => pattern.test(key));
}

/** Replies that say "not understood", say what is wrong with a value, or ask again: nothing else is answered by them. */
const NOT_UNDERSTOOD =
  /^(unsure|unclear|menu$|choice\.which|person\.offer|flow\.first|noted$|period\.lunar)|\.(ask\w*|shape|short|long|unknown|several|which|wanted|summary|offer|maybe)$/;
const POINTS_AT_BUTTON = /^confirm\.press/;
const FALLBACK = /^(unsure|unclear|person\.offer)/;

/** Where the conversation is and what it knows, without what a mere repetition changes. */
function place({ state, gathered }: Seen): string {
  const { step, profile, consent, locale } = state;
  const where =
    step.at === 'browsing'
      ? [step.flow, step.page]
      : 'flow' in step
        ? [step.flow, 'slot' in step && step.slot]
        : [];
  return JSON.stringify([step.at, where, profile, consent, locale, withoutBalance(gathered)]);
}

/** A balance that was read on the way is nothing that the customer said. */
function withoutBalance(gathered: string): unknown {
  const slots: [string, unknown][] = Object.entries(JSON.parse(gathered));
  return slots.filter(([slot]) => slot !== 'balance').sort(([one], [other]) => (one < other ? -1 : 1));
}

function isUntouched(before: Seen, after: Seen): boolean {
  return place(before) === place(after) && after.effects.length === 0;
}

function isUnclear(before: Seen, after: Seen): boolean {
  const asked = before.replies.at(-1)?.key;
  return isUntouched(before, after) && after.keys.every((key) => key === asked || NOT_UNDERSTOOD.test(key));
}

function has(codes: readonly string[], code: string | undefined): boolean {
  return codes.some((one) => one.toLowerCase() === code?.toLowerCase());
}

const e164 = (phone: string | undefined): string => `+84${phone?.slice(1)}`;

const TALK: Readonly<Record<string, RegExp>> = {
  greeting: /^(welcome|greeting|hello|menu)/,
  thanks: /^(thanks|bye)/,
  bye: /^(bye|thanks|later|cancel\.nothing)/,
  wait: /^(wait|later)/,
  upset: /^(upset|help\.support|person\.)/,
  remark: /^(remark|ok|thanks)/,
};

/** Whoever asks for the shop's number is told it, as whoever asks for a person is. */
const isContactTold = ({ replies }: Seen): boolean => JSON.stringify(replies).includes('"answer.shop.phone"');

const SHOWN: Readonly<Record<string, RegExp>> = {
  menu: /^(menu|welcome)/,
  help: /^help/,
  person: /^(person\.(?!offer)|help\.support)/,
  privacy: /^privacy\.(?!consent|erased|declined|accepted)/,
  languages: /^language/,
};

/** Whether one command was carried out between the two. */
function holds({ act, rest }: Command, before: Seen, after: Seen): boolean {
  const [first = '', second = ''] = rest;
  const isSure = isDoubt(before) || !isDoubt(after);
  switch (act) {
    case 'start':
      if (first === 'points' && says(after, /^points\./)) return true;
      return after.flow === first && (before.flow !== first || before.state.step.at !== after.state.step.at);
    case 'kind':
      return pageOf(after)?.type === first || JSON.parse(after.gathered).type === first;
    case 'period':
      return isPeriod(first, periodOf(after));
    case 'set':
      if (first === 'phone') return isSure && after.phone === e164(second);
      if (first === 'email') return isSure && after.email?.toLowerCase() === second;
      return isGift(second, after);
    case 'add':
      return isSure && has(after.codes, first);
    case 'remove':
      return after.flow === before.flow && !has(after.codes, first) && calls(after).length === 0;
    case 'keepOnly':
      return after.codes.length === 1 && has(after.codes, first) && calls(after).length === 0;
    case 'replace':
      return has(after.codes, second) && !has(after.codes, first);
    case 'change':
      if (calls(after).length > 0 || after.flow !== before.flow) return false;
      if (first === '') return says(after, /^confirm\.edit/) || after.state.step.at === 'asking';
      return after.state.step.at === 'asking' && after.asks === (first === 'gift' ? 'code' : first);
    case 'none':
      if (after.flow !== before.flow || calls(after).length > 0) return false;
      return first === 'phone' ? after.asks === 'email' : !after.email && after.asks !== 'email';
    case 'yes':
      return isYes(before, after);
    case 'no':
      if (before.asks === 'consent') return after.asks !== 'consent' && after.state.consent?.given !== true;
      return (
        calls(after).length === 0 && (after.flow === undefined || says(after, /^(confirm\.edit|cancel)/))
      );
    case 'use':
    case 'keep':
    case 'other':
      return isResolved(act, before, after);
    case 'cancel':
      return (
        calls(after).length === 0 &&
        (says(after, /^cancel/) || (after.flow === undefined && before.flow !== undefined))
      );
    case 'page': {
      const by = (pageOf(after)?.skip ?? 0) - (pageOf(before)?.skip ?? 0);
      return after.flow === 'history' && (first === 'next' ? by > 0 : by < 0);
    }
    case 'ask':
      return isAnswered(first, before, after);
    case 'show':
      if (first === 'person' && isContactTold(after)) return true;
      return after.flow === before.flow && says(after, SHOWN[first] ?? /^$/);
    case 'status':
      return says(after, /^operation\./);
    case 'talk':
      return isUntouched(before, after) && says(after, TALK[first] ?? /^$/);
    case 'forget':
      return says(after, /^privacy\.erased/) || after.choices.includes('forget');
    case 'unclear':
      return (
        isUnclear(before, after) ||
        (isUntouched(before, after) && says(after, /^answer$/) && after.question?.answer === undefined) ||
        (isUntouched(before, after) && isOffer(before, after)) ||
        after.keys.includes('redeem.askGift')
      );
    default:
      throw new Error(`unknown command ${act}`);
  }
}

/** A redemption is confirmed by its button only: what a typed yes gets is the way to it. */
function isYes(before: Seen, after: Seen): boolean {
  if (before.asks === 'consent') return after.state.consent?.given === true;
  if (before.flow === 'redeem')
    return calls(after).length === 0 && after.flow === 'redeem' && says(after, POINTS_AT_BUTTON);
  const earned = calls(after).flatMap((effect) => (effect.kind === 'accumulate' ? [effect.code] : []));
  return earned.length === before.codes.length && earned.every((code) => has(before.codes, code));
}

/** What the bot took a doubtful value for, and what was typed, as far as that can be used. */
const DOUBTED = {
  codes: { meant: 'TIVI000000001', typed: 'TIVl000000001' },
  phone: { meant: '+84367123456' },
  email: { meant: 'garnacho@gmail.com', typed: 'garnacho@gmial.com' },
} as const;

function isResolved(act: 'use' | 'keep' | 'other', before: Seen, after: Seen): boolean {
  if (isDoubt(after)) return false;
  const { meant, typed } = doubted(before);
  const now = doubtfulOf(before, after);
  if (act === 'use') return now.includes(meant);
  if (act === 'keep') return typed !== undefined && now.includes(typed);
  return !now.includes(meant) && after.asks === before.asks;
}

function doubted({ asks }: Seen): { readonly meant: string; readonly typed?: string } {
  return asks === 'phone' ? DOUBTED.phone : asks === 'email' ? DOUBTED.email : DOUBTED.codes;
}

function doubtfulOf({ asks }: Seen, { codes, phone, email }: Seen): readonly string[] {
  const value = asks === 'code' ? codes : asks === 'phone' ? phone : email;
  return value === undefined ? [] : [value].flat();
}

function isGift(code: string, after: Seen): boolean {
  const others = GIFTS.map((gift) => gift.code).filter((one) => one !== code);
  if (says(after, /^redeem\.tooFewPoints/))
    return JSON.stringify(after.replies).includes(code) || code === 'NOICOM01';
  return (
    after.flow === 'redeem' &&
    after.gathered.includes(code) &&
    !others.some((one) => after.gathered.includes(one))
  );
}

/** Questions that nothing answered when the sentences were written, and something does now. */
const KNOWN_NOW: ReadonlySet<string> = new Set(['gift.return', 'gift.left', 'shop.phone', 'wait.when']);

function isAnswered(about: string, before: Seen, after: Seen): boolean {
  const isBeside =
    after.flow === before.flow && calls(after).length === 0 && after.codes.length === before.codes.length;
  if (!isBeside) return false;
  const { question } = after;
  switch (about) {
    case 'unknown':
      return (
        (question !== undefined && (question.answer === undefined || KNOWN_NOW.has(question.answer))) ||
        says(after, /^(person\.(?!offer)|help\.support)/)
      );
    case 'what':
    case 'many':
      return says(after, /^(answer|help|codes\.how|privacy\.text)$/) && !says(after, FALLBACK);
    default:
      return question?.answer === about;
  }
}

type Period = { readonly fromMs?: number | undefined; readonly toMs?: number | undefined };

function periodOf(after: Seen): Period | undefined {
  const read = after.effects.findLast(({ kind }) => kind === 'history');
  return read?.kind === 'history' ? read : (JSON.parse(after.gathered).period ?? undefined);
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Vietnam's days, by their number. */
const dayOf = (ms: number): number => Math.floor((ms + 7 * 60 * 60 * 1000) / DAY_MS);
const TODAY = dayOf(Date.UTC(2026, 10, 25, 8, 47));

/** `all`, `10d` (today counted or not) or `2026-10-01..2026-10-31`, both days in it; what is to come does not matter. */
function isPeriod(wanted: string, period: Period | undefined): boolean {
  if (period === undefined) return false;
  const from = period.fromMs === undefined ? undefined : dayOf(period.fromMs);
  const to = Math.min(TODAY, period.toMs === undefined ? TODAY : dayOf(period.toMs - 1));
  if (wanted === 'all') return from === undefined && to === TODAY;
  const days = /^(\d+)d$/.exec(wanted)?.[1];
  if (days !== undefined)
    return to === TODAY && (from === TODAY - Number(days) || from === TODAY - Number(days) + 1);
  const [first = '', last = ''] = wanted.split('..');
  return (
    from === dayOf(Date.parse(`${first}T00:00+07:00`)) && to === dayOf(Date.parse(`${last}T00:00+07:00`))
  );
}

/** Buttons that the sentence brought: an offer is three at most, so no menu is one. */
function offered(before: Seen, after: Seen): readonly string[] {
  if (says(after, POINTS_AT_BUTTON)) return after.choices;
  const work = (choices: readonly string[]) => choices.filter((id) => id !== 'cancel');
  const isFew = work(after.choices).length <= 3 && work(after.choices).length < work(before.choices).length;
  const fresh = after.choices.filter((id) => isFew || !before.choices.includes(id));
  return work(fresh).length <= 3 ? fresh : [];
}

function isOffer(before: Seen, after: Seen): boolean {
  return offered(before, after).length > 0;
}

function expects(line: Line, ...acts: readonly string[]): boolean {
  return line.readings.some((reading) => reading.some(({ act }) => acts.includes(act)));
}

/** What must never happen to a customer because of words that did not say it. */
function isHarm(line: Line, before: Seen, after: Seen): boolean {
  if (after.effects.some(({ kind }) => kind === 'redeem')) return true;
  const called = calls(after).length > 0;
  if (called && !(expects(line, 'yes') && isYes(before, after))) return true;
  if (after.state.consent?.given === true && before.state.consent?.given !== true && !expects(line, 'yes'))
    return true;
  if (says(after, /^privacy\.erased/) && !expects(line, 'forget')) return true;
  const { meant } = isDoubt(before) ? doubted(before) : { meant: '' };
  if (meant !== '' && !isDoubt(after) && doubtfulOf(before, after).includes(meant) && !expects(line, 'use'))
    return true;
  if (called || before.state.step.at === 'browsing' || before.state.step.at === 'consenting') return false;
  if (expects(line, 'cancel', 'no')) return false;
  if (before.flow !== undefined && after.flow !== before.flow) return isLoss(line, before, after);
  const lost = before.codes.filter((code) => !has(after.codes, code));
  return lost.some((code) => !mayGo(code, line));
}

/** The flow at hand ended by itself, or something else took its place and what was gathered is gone. */
function isLoss(line: Line, before: Seen, after: Seen): boolean {
  if (expects(line, 'start')) return false;
  const isReplaced = after.flow !== undefined || after.effects.length > 0;
  return !isReplaced || before.codes.length > 0 || GIFTS.some((gift) => before.gathered.includes(gift.code));
}

function mayGo(code: string, line: Line): boolean {
  return line.readings.flat().some(({ act, rest }) => {
    if (act === 'remove' || act === 'replace') return has(rest.slice(0, 1), code);
    if (act === 'keepOnly') return !has(rest, code);
    return act === 'use' && code === DOUBTED.codes.typed;
  });
}

function isRight(line: Line, before: Seen, after: Seen): boolean {
  return line.readings.some((reading) => reading.every((command) => holds(command, before, after)));
}

function say(line: Line): { dialogue: Dialogue; before: Seen; after: Seen; said: number } {
  const dialogue = bring(line);
  const before = see(dialogue, dialogue.effects.length);
  const said = dialogue.effects.length;
  return { before, after: see(dialogue.text(line.sentence), said), dialogue, said };
}

function judge(line: Line): Judged {
  const { before, after } = say(line);
  const keys = after.replies.map(({ key, context }) => (context ? `${key}_${context}` : key));
  const verdict = (): Verdict => {
    if (isHarm(line, before, after)) return 'harm';
    if (isRight(line, before, after)) return 'right';
    if (offered(before, after).some((choice) => doesIt(line, choice))) return 'one tap';
    return isUnclear(before, after) || (isUntouched(before, after) && says(after, FALLBACK))
      ? 'unclear'
      : 'wrong';
  };
  return { line, verdict: verdict(), keys };
}

/** Whether a button of the answer does what was expected. */
function doesIt(line: Line, choice: string): boolean {
  const { dialogue, before, said } = say(line);
  const reply = dialogue.replies.findLast(({ choices }) =>
    choices?.some(({ id }) => id === choice || (choice === 'confirm' && id.startsWith('confirm:'))),
  );
  const id = reply?.choices?.find(({ id }) => id === choice || id.startsWith(`${choice}:`))?.id;
  if (reply === undefined || id === undefined) return false;
  dialogue.send({ kind: 'choice', choice: id, view: reply.view });
  // Of several values in doubt each is asked about.
  for (let taps = 0; taps < 2 && choice === 'use' && isDoubt(see(dialogue, said)); taps++)
    dialogue.press('use');
  const pressed = see(dialogue, said);
  return !isHarm(line, before, pressed) && isRight(line, before, pressed);
}

function lineOf(locale: string, question: string, sentence: string, expected: string): Line {
  const readings = expected.split(' | ').map((reading) =>
    reading.split('; ').map((command) => {
      const [act = '', ...rest] = command.split(' ');
      return { act, rest };
    }),
  );
  return { locale: locale === 'en' ? 'en' : 'vi', question, sentence, expected, readings };
}

/** `- sentence → commands (question)` of the language files, or the rows of a file. */
function linesOf(half: string): readonly Line[] {
  if (half === 'open')
    return vocabulary.heard.map(({ locale, text }) => {
      const [, sentence = '', expected = '', question = ''] = /^(.+) → (.+) \((\S+)\)$/.exec(text) ?? [];
      return lineOf(locale, question, sentence, expected);
    });
  const rows = readFileSync(new URL(`${half}.tsv`, import.meta.url), 'utf8').split('\n');
  return rows.flatMap((row) => {
    const [locale = '', question = '', sentence = '', expected = ''] = row.split('\t');
    return sentence === '' || row.startsWith('#') ? [] : lineOf(locale, question, sentence, expected);
  });
}

function judgeFile(half: string): readonly Judged[] {
  return linesOf(half).map(judge);
}

function totalsOf(judged: readonly Judged[]): Totals {
  const count = (verdict: Verdict) => judged.filter((one) => one.verdict === verdict).length;
  const all = VERDICTS.map((verdict) => [verdict, count(verdict)] as const);
  return { lines: judged.length, ...(Object.fromEntries(all) as Record<Verdict, number>) };
}

/** How the sentences of a file are understood. */
export function measure(file: 'open' | 'sealed'): Totals {
  return totalsOf(judgeFile(file));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { only: { type: 'string' }, sealed: { type: 'boolean' } } });
  console.log('open', measure('open'));
  // The sealed half is never listed, and counted rarely.
  if (values.sealed) console.log('sealed', measure('sealed'));
  for (const { line, verdict, keys } of judgeFile('open'))
    if (values.only === undefined ? verdict !== 'right' : verdict === values.only)
      console.log([verdict, line.question, line.sentence, line.expected, keys.join(' ')].join('\t'));
}
