import { z } from 'zod';
import { after, type Decision, say } from '../decision.ts';
import { fill } from '../dialogue/form.ts';
import { answersTo } from '../dialogue/values.ts';
import {
  type Effect,
  type HistoryRecord,
  historyTypeSchema,
  identifierSchema,
  type Outcome,
} from '../effect.ts';
import { defineFlow, type Flow, type Scope } from '../flow.ts';
import { type NamedPeriod, PERIODS } from '../language/grammar.ts';
import type { Utterance } from '../language/understand.ts';
import {
  isNamedPeriod,
  namedPeriod,
  type Period,
  type PeriodResult,
  parsePeriod,
  periodSchema,
} from '../language/values/period.ts';
import { DAY_MS, dayAt, startOfDay } from '../language/zone.ts';
import { proved, typed } from '../prompts/identity.ts';
import { again, CANCEL, home, named, question, withMenu } from '../prompts/questions.ts';
import type { Choice, Line, Reply } from '../reply.ts';
import { type ConversationState, type Draft, identitySchema, type Step } from '../state.ts';

/** Records shown at a time; divides AntCRM's page of 20, which is read again only when one of its records is shown. */
const PAGE = 5;

/** A page of the history, starting at record `skip`. */
const pageSchema = z.strictObject({
  type: historyTypeSchema,
  by: identifierSchema,
  period: periodSchema,
  skip: z.number(),
});
type Page = z.infer<typeof pageSchema>;

const TYPES = historyTypeSchema.options;
const PERIOD_CHOICES = PERIODS.map((name) => named(`period:${name}`));

/** What was earned or redeemed: proved phone or e-mail → which list → period → pages, shown in place. */
export const history: Flow = defineFlow({
  name: 'history',
  priority: 30,
  showsPast: true,
  identity: 'proved',
  slots: identitySchema.extend({ type: historyTypeSchema.optional(), period: periodSchema.optional() }),
  page: { schema: pageSchema, lapsesTo: 'period', choices: PERIOD_CHOICES },

  questions: {
    type: {
      ask: () => ({
        key: 'history.askType',
        choices: [...TYPES.map((type) => named(`history:${type}`)), CANCEL],
        asks: 'menu',
      }),
      answer: () => ({ ok: false, reason: 'history.type' }),
    },
    period: {
      ask: () => ({ key: 'history.askPeriod', choices: [...PERIOD_CHOICES, CANCEL], asks: 'period' }),
      answer(text, { nowMs, settings }) {
        const period = parsePeriod(text, nowMs, settings.timeZone);
        return period.ok ? { ok: true, slots: { period: period.value } } : period;
      },
    },
  },

  missing(slots) {
    if (proved(slots) === undefined) return 'phone';
    if (slots.type === undefined) return 'type';
    return slots.period === undefined ? 'period' : undefined;
  },

  complete(state, slots, scope) {
    const { type, period } = slots;
    const by = proved(slots);
    if (by === undefined || type === undefined || period === undefined)
      return home(state, scope, { key: 'menu' });
    return browse(state, { type, by, period }, scope);
  },

  read({ understood }, scope) {
    const { type } = understood;
    const said = periodIn(understood, scope);
    // A period that is none replaces the one before it: no page shows what was not asked for.
    const period = said && { period: said.ok ? said.value : undefined };
    return { ...(type && { type }), ...period };
  },

  misread({ understood }, _, scope) {
    const period = periodIn(understood, scope);
    return period === undefined || period.ok ? undefined : period.reason;
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
      return period && browse(state, { ...page, period }, scope);
    }
    if (step.at !== 'asking') return undefined;
    if (step.slot === 'period' && period) return fill(state, history, { period }, scope);
    const type = step.slot === 'type' && name === history.name ? history.shortcut(value) : undefined;
    return type && fill(state, history, type, scope);
  },

  said(state, _, utterance, scope) {
    const { step } = state;
    if (step.at === 'asking')
      return step.slot === 'type' || step.slot === 'period'
        ? narrow(state, step.slot, utterance, scope)
        : undefined;
    if (step.at !== 'browsing') return undefined;
    const page = pageSchema.parse(step.page);
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
  const next = { ...page, skip: Math.max(0, page.skip + direction * PAGE) };
  return { state: { ...state, step: browsing(next) }, replies: [], effect: read(next) };
}

function showPage(
  state: ConversationState,
  page: Page,
  { records, more }: Extract<Outcome, { kind: 'history' }>,
  scope: Scope,
): Decision {
  const period = shown(page.period, scope.settings.timeZone);
  const next = { ...state, view: scope.ids.view };
  if (records.length === 0 && page.skip === 0)
    return say(next, {
      ...question(next, scope),
      key: 'history.empty',
      context: page.type,
      params: { period },
    });
  if (records.length === 0) {
    // "Next" was typed at the end: what is shown stays what is browsed.
    const last: Page = { ...page, skip: page.skip - PAGE };
    const stayed = { ...next, step: browsing(last) };
    const ends = { previous: last.skip > 0, more: false };
    return say(stayed, withPaging(stayed, { key: 'history.end' }, ends, scope));
  }
  const reply: Reply = {
    key: 'history.page',
    context: page.type,
    params: { page: page.skip / PAGE + 1, period },
    lines: records.map((one) => line(one, scope)),
    inPlace: true,
  };
  return say(next, withPaging(next, reply, { previous: page.skip > 0, more }, scope));
}

/** Which history, of which period: both may be said at either question. */
function narrow(
  state: ConversationState,
  slot: 'type' | 'period',
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { type, period, ...known } = answersTo(history, utterance, scope);
  const said = periodIn(utterance.understood, scope);
  if (slot === 'period' && said === undefined) return undefined;
  if (type === undefined && period === undefined) return undefined;
  const narrowed: Draft = { ...(type !== undefined && { type }), ...(said && { period }) };
  const filled = fill(state, history, { ...known, ...narrowed }, scope);
  return said === undefined || said.ok ? filled : after([{ key: said.reason }], filled);
}

/** Dates typed at a page: the same list, or the other one, of that period. */
function otherPage(
  state: ConversationState,
  page: Page,
  { understood }: Utterance,
  scope: Scope,
): Decision | undefined {
  const { intent, type, code, phone, email, period } = understood;
  if ((code ?? phone ?? email) !== undefined) return undefined;
  // "quà 1/8" is no wish for a gift; "đổi quà tháng này" may be one.
  if (intent !== undefined && (intent === history.name || type === undefined || period !== undefined))
    return undefined;
  const said = periodIn(understood, scope);
  if (said?.ok) return browse(state, { ...page, type: type ?? page.type, period: said.value }, scope);
  return said && said.reason !== 'period.shape' ? again(state, scope, { key: said.reason }) : undefined;
}

function periodNamed(name: NamedPeriod, { nowMs, settings }: Scope): Period {
  return namedPeriod(name, nowMs, settings.timeZone);
}

/** The period that a message names or dates, or what is wrong with it; undefined where it speaks of none. */
function periodIn({ period, rest }: Utterance['understood'], scope: Scope): PeriodResult | undefined {
  if (period !== undefined) return { ok: true, value: periodNamed(period, scope) };
  if (rest === '') return undefined;
  const dates = parsePeriod(rest, scope.nowMs, scope.settings.timeZone);
  // Without a digit it is some other talk.
  return dates.ok || dates.reason !== 'period.shape' || /\d/.test(rest) ? dates : undefined;
}

const browsing = (page: Page): Step => ({ at: 'browsing', flow: history.name, page });

function read({ type, by, period, skip }: Page): Effect {
  return { kind: 'history', type, by, fromMs: period.fromMs, toMs: period.toMs, skip, take: PAGE };
}

/** The last page leads on to something else. */
function withPaging(
  state: ConversationState,
  reply: Reply,
  { previous, more }: { previous: boolean; more: boolean },
  scope: Scope,
): Reply {
  const choices: Choice[] = [];
  if (previous) choices.push({ id: 'previous', label: { key: 'choice.previous' } });
  if (!more) return withMenu(state, reply, scope, ...choices);
  choices.push({ id: 'next', label: { key: 'choice.next' } });
  return { ...reply, choices, view: state.view };
}

/** The period as its first and last day. An end that is no midnight is the moment of asking, not what was asked for. */
function shown({ fromMs, toMs }: Period, timeZone: string): Line {
  const lastDay = toMs === undefined ? undefined : dayAt(toMs - 1, timeZone);
  if (toMs === undefined || lastDay === undefined) return { key: 'history.period', context: 'all' };
  const to = toMs - 1;
  if (fromMs === undefined) {
    return startOfDay(lastDay + DAY_MS, timeZone) === toMs
      ? { key: 'history.period', context: 'until', params: { to } }
      : { key: 'history.period', context: 'all' };
  }
  return dayAt(fromMs, timeZone) === lastDay
    ? { key: 'history.period', context: 'day', params: { from: fromMs } }
    : { key: 'history.period', params: { from: fromMs, to } };
}

/** Whatever AntCRM left out is named as missing; a failed attempt is marked as failed. */
function line(record: HistoryRecord, { settings }: Scope): Line {
  const gift = record.type === 'gift' ? settings.gifts.find(({ code }) => code === record.code) : undefined;
  return {
    key: `history.${record.type}`,
    context: record.failed ? 'failed' : record.score === undefined ? 'unscored' : undefined,
    params: {
      at: record.atMs ?? { key: 'history.undated' },
      what: gift?.name ?? record.what ?? record.code ?? { key: 'history.unnamed' },
      score: record.score ?? 0,
    },
  };
}
