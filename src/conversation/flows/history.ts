import { z } from 'zod';
import { after, type Decision, say } from '../decision.ts';
import { defineFlow } from '../define-flow.ts';
import { fill } from '../dialogue/form.ts';
import { answersTo } from '../dialogue/values.ts';
import {
  type Effect,
  type HistoryType,
  historyTypeSchema,
  identifierSchema,
  type Outcome,
} from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import { PERIODS } from '../language/grammar.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { parsePageNumber } from '../language/values/page-number.ts';
import { isNamedPeriod, type Period, parsePeriod, periodSchema } from '../language/values/period.ts';
import { proved, typed } from '../prompts/identity.ts';
import {
  exampleOfPeriod,
  isPeriod,
  periodFault,
  periodIn,
  periodLine,
  periodNamed,
  periodNoted,
} from '../prompts/periods.ts';
import { CANCEL, home, named, question, withMenu } from '../prompts/questions.ts';
import { pageLines } from '../prompts/records.ts';
import type { Choice, Reply } from '../reply.ts';
import { type ConversationState, type Draft, identitySchema, type Step } from '../state.ts';

/** Records shown at a time; divides AntCRM's page of 20, which is read again only when one of its records is shown. */
const PAGE = 5;

/** A page of the history, starting at record `skip`. */
const pageSchema = z.strictObject({
  type: historyTypeSchema,
  by: identifierSchema,
  period: periodSchema,
  skip: z.number(),
  /** The page that is shown until this one is read: where this one is beyond the end, it stays. */
  back: z.number().optional(),
});
type Page = z.infer<typeof pageSchema>;

const TYPES = historyTypeSchema.options;
const PERIOD_CHOICES = PERIODS.map((name) => named(`period:${name}`));

/** What is shown unless something else is asked for. */
const FIRST = { type: 'point', period: '30d' } as const;

/** What was earned or redeemed: proved phone or e-mail → pages, shown in place. */
export const history: Flow = defineFlow({
  name: 'history',
  priority: 30,
  showsPast: true,
  identity: 'proved',
  /** Null: said, and not understood (a period) or not decided (both lists), so it is asked for. */
  slots: identitySchema.extend({
    type: historyTypeSchema.nullable().optional(),
    period: periodSchema.nullable().optional(),
  }),
  page: { schema: pageSchema, choices: PERIOD_CHOICES },

  questions: {
    type: {
      ask: () => ({
        key: 'history.askType',
        choices: [...TYPES.map((type) => named(`history:${type}`)), CANCEL],
        asks: 'menu',
      }),
      answer: () => ({ ok: false, reason: 'history.type' }),
      about: { what: 'answer.list.which', wrong: 'answer.list.which' },
    },
    period: {
      ask: ({ nowMs, settings }) => ({
        key: 'history.askPeriod',
        params: exampleOfPeriod(nowMs, settings.timeZone),
        choices: [...PERIOD_CHOICES, CANCEL],
        asks: 'period',
      }),
      answer(text, { nowMs, settings }) {
        const period = parsePeriod(text, nowMs, settings.timeZone);
        return period.ok ? { ok: true, slots: { period: period.value } } : period;
      },
      about: { what: 'answer.period.how', wrong: 'answer.period.how' },
    },
  },

  missing(slots) {
    if (proved(slots) === undefined) return 'phone';
    if (slots.type === null) return 'type';
    return slots.period === null ? 'period' : undefined;
  },

  complete(state, slots, scope) {
    const by = proved(slots);
    if (by === undefined) return home(state, scope, { key: 'menu' });
    const type = slots.type ?? FIRST.type;
    const period = slots.period ?? periodNamed(FIRST.period, scope);
    return browse(state, { type, by, period }, scope);
  },

  read({ understood }, scope) {
    const said = periodIn(understood, scope);
    const period = said?.ok === false ? null : (said?.value ?? everIn(understood, scope));
    return { ...typeIn(understood), ...(period !== undefined && { period }) };
  },

  misread({ understood }, _, scope) {
    const period = periodIn(understood, scope);
    return period === undefined || period.ok ? undefined : periodFault(period.reason, scope);
  },

  shortcut(value) {
    const type = TYPES.find((one) => one === value);
    return type && { type };
  },

  pressed(state, _, { name, value }, scope) {
    const { step } = state;
    const period = name === 'period' && isNamedPeriod(value) ? periodNamed(value, scope) : undefined;
    if (step.at === 'browsing') {
      const page = pageSchema.parse(step.page);
      const turned = turnBy(name);
      if (turned !== undefined) return turnPage(state, page, turned);
      const other = name === history.name ? history.shortcut(value) : undefined;
      if (other) return browse(state, { ...page, ...other }, scope);
      return period && browse(state, { ...page, period }, scope);
    }
    if (step.at !== 'asking') return undefined;
    if (step.slot === 'period' && period) return fill(state, history, { period }, scope);
    const type = step.slot === 'type' && name === history.name ? history.shortcut(value) : undefined;
    return type && fill(state, history, type, scope);
  },

  said(state, _, utterance, scope) {
    const { step } = state;
    if (step.at === 'asking') return narrow(state, step.slot, utterance, scope);
    if (step.at !== 'browsing') return undefined;
    const page = pageSchema.parse(step.page);
    const number = parsePageNumber(utterance.text);
    if (number !== undefined) return goTo(state, page, (number - 1) * PAGE);
    const turned = turnBy(utterance.understood.intent);
    return turned === undefined ? otherPage(state, page, utterance, scope) : turnPage(state, page, turned);
  },

  outcome(state, _, outcome, scope) {
    if (outcome.kind !== 'history' || state.step.at !== 'browsing') return undefined;
    return showPage(state, pageSchema.parse(state.step.page), outcome, scope);
  },
});

/** Shows the first page. Whose list it is stays known with it, for what is asked next. */
function browse(state: ConversationState, { type, by, period }: Omit<Page, 'skip'>, scope: Scope): Decision {
  // A fixed end: records that arrive while the customer pages must not shift the pages.
  const fixed = { ...period, toMs: period.toMs ?? scope.nowMs };
  const page: Page = { type, by, period: fixed, skip: 0 };
  // Where typing proves, the next customer may be another one, whom nobody must take for this one.
  const draft: Draft = typed('', scope).proved ? {} : { [by.kind]: { value: by.value, proved: true } };
  return { state: { ...state, step: browsing(page), draft }, replies: [], effect: read(page) };
}

function turnBy(word: string | undefined): -1 | 0 | 1 | undefined {
  switch (word) {
    case 'next':
      return 1;
    case 'previous':
      return -1;
    case 'retry':
      return 0;
    default:
      return undefined;
  }
}

/** Another page of what is being browsed; the first one again rather than one before it. */
function turnPage(state: ConversationState, page: Page, direction: -1 | 0 | 1): Decision {
  return goTo(state, page, Math.max(0, page.skip + direction * PAGE));
}

function goTo(state: ConversationState, { back: _, ...page }: Page, skip: number): Decision {
  const next: Page = { ...page, skip, ...(skip !== page.skip && { back: page.skip }) };
  return { state: { ...state, step: browsing(next) }, replies: [], effect: read(next) };
}

function showPage(
  state: ConversationState,
  { back, ...page }: Page,
  { records, more, sum }: Extract<Outcome, { kind: 'history' }>,
  scope: Scope,
): Decision {
  const period = periodLine(page.period, scope.settings.timeZone);
  if (records.length === 0 && page.skip > 0) {
    // Beyond the end: what is shown stays what is browsed.
    const last: Page = { ...page, skip: back ?? 0 };
    const stayed = { ...state, step: browsing(last), view: scope.ids.view };
    return say(stayed, withPaging(stayed, { key: 'history.end' }, last, false, scope));
  }
  const next = { ...state, step: browsing(page), view: scope.ids.view };
  if (records.length === 0) {
    const empty: Reply = { key: 'history.empty', context: page.type, params: { period } };
    return say(next, withPaging(next, empty, page, false, scope));
  }
  const reply: Reply = {
    key: 'history.page',
    context: page.type,
    params: { page: page.skip / PAGE + 1, period },
    lines: pageLines(page.type, { records, sum }, state, scope),
    inPlace: true,
  };
  return say(next, withPaging(next, reply, page, more, scope));
}

/** Which history, of which period: both may be said at any question. */
function narrow(
  state: ConversationState,
  slot: string,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { type, period, ...known } = answersTo(history, utterance, scope);
  const said = periodIn(utterance.understood, scope);
  const isFault = said !== undefined && !said.ok;
  if (slot === 'phone' && !isFault && !isPeriodAlone(utterance.understood)) return undefined;
  if (slot === 'period' && said === undefined) return undefined;
  if (type === undefined && period === undefined) return undefined;
  const narrowed: Draft = { ...(type !== undefined && { type }), ...(said && { period }) };
  const filled = fill(state, history, { ...known, ...narrowed }, scope);
  if (isFault) return after([periodFault(said.reason, scope)], filled);
  return slot === 'phone' && said?.ok ? after([periodNoted(said.value, scope)], filled) : filled;
}

function isPeriodAlone({ intent, period, phone, email }: Understood): boolean {
  return period !== undefined && (intent ?? phone ?? email) === undefined;
}

/** What else is said at a page: a period, the other list, or both, of the same customer. */
function otherPage(
  state: ConversationState,
  page: Page,
  { understood }: Utterance,
  scope: Scope,
): Decision | undefined {
  const { intent, code, phone, email } = understood;
  if ((code ?? phone ?? email) !== undefined) return undefined;
  // "Đổi quà tháng này" may be a wish; and of whom a new command of staff's speaks, only they know.
  if (intent !== undefined && (intent !== history.name || typed('', scope).proved)) return undefined;
  const { type = page.type } = typeIn(understood);
  const said = periodIn(understood, scope);
  if (said && !said.ok) return say(state, { ...question(state, scope), ...periodFault(said.reason, scope) });
  const period = said?.value ?? everIn(understood, scope);
  if (type === null || (period === undefined && type === page.type)) return undefined;
  return browse(state, { ...page, type, period: period ?? page.period }, scope);
}

/** "Quà của tôi" asks for all of them. */
function everIn({ ever }: Understood, scope: Scope): Period | undefined {
  return ever && periodNamed('all', scope);
}

/** The list that a message names; null where it names both. */
function typeIn({ type }: Understood): { type?: HistoryType | null } {
  if (type === undefined) return {};
  return { type: type === 'both' ? null : type };
}

const browsing = (page: Page): Step => ({ at: 'browsing', flow: history.name, page });

function read({ type, by, period, skip }: Page): Effect {
  const asked = {
    kind: 'history',
    type,
    by,
    fromMs: period.fromMs,
    toMs: period.toMs,
    skip,
    take: PAGE,
  } as const;
  return skip === 0 ? { ...asked, sum: true } : asked;
}

/** The pages beside this one, the other list, other periods; the last page leads on to something else, too. */
function withPaging(
  state: ConversationState,
  reply: Reply,
  { type, period, skip }: Page,
  more: boolean,
  scope: Scope,
): Reply {
  const choices: Choice[] = [
    ...(skip > 0 ? [{ id: 'previous', label: { key: 'choice.previous' } }] : []),
    ...(more ? [{ id: 'next', label: { key: 'choice.next' } }] : []),
    ...TYPES.filter((one) => one !== type).map((one) => named(`history:${one}`)),
    ...PERIODS.filter((one) => !isPeriod(one, period, scope)).map((one) => named(`period:${one}`)),
  ];
  return more ? { ...reply, choices, view: state.view } : withMenu(state, reply, scope, ...choices);
}
