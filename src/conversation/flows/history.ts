import { after, type Decision, say } from '../decision.ts';
import { defineFlow } from '../define-flow.ts';
import { fill } from '../dialogue/form.ts';
import { answersTo } from '../dialogue/values.ts';
import { type Effect, type HistoryRead, type HistoryType, historyTypeSchema } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import { parsePeriod } from '../language/periods.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { parsePage, type WantedPage } from '../language/values/page.ts';
import { isNamedPeriod, type Period, periodSchema } from '../language/values/period.ts';
import { proved, typed } from '../prompts/identity.ts';
import {
  endOf,
  LAST,
  PAGE,
  type Page,
  PERIOD_CHOICES,
  pageOf,
  pageSchema,
  TYPES,
  unread,
} from '../prompts/pages.ts';
import { exampleOfPeriod, periodFault, periodIn, periodNamed, periodNoted } from '../prompts/periods.ts';
import { CANCEL, home, named, question } from '../prompts/questions.ts';
import { type ConversationState, type Draft, identitySchema, type Step } from '../state.ts';

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
      if (turned !== undefined) return turnPage(state, page, turned, scope);
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
    const turned = turnBy(utterance.understood.intent) ?? parsePage(utterance.text);
    return turned === undefined
      ? otherPage(state, page, utterance, scope)
      : turnPage(state, page, turned, scope);
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

function turnBy(word: string | undefined): 'next' | 'previous' | 'retry' | undefined {
  return word === 'next' || word === 'previous' || word === 'retry' ? word : undefined;
}

/** Another page of what is being browsed. */
function turnPage(state: ConversationState, page: Page, to: WantedPage | 'retry', scope: Scope): Decision {
  switch (to) {
    case 'next':
      return goTo(state, page, page.skip + PAGE);
    case 'previous':
      return page.skip === 0
        ? say(state, { ...question(state, scope), key: 'history.first' })
        : goTo(state, page, Math.max(0, page.skip - PAGE));
    case 'retry':
      return goTo(state, page, page.skip);
    case 'first':
      return goTo(state, page, 0);
    case 'last':
      return goTo(state, page, LAST);
    default:
      // Where there are fewer pages, it is said how many.
      return goTo(state, page, (to - 1) * PAGE, { sum: true });
  }
}

function goTo(
  state: ConversationState,
  { back, ...page }: Page,
  skip: number,
  also: { readonly sum?: true } = {},
): Decision {
  const shown = page.skip === LAST ? back : page.skip;
  const next: Page = { ...page, skip, ...(skip !== shown && { back: shown }) };
  return { state: { ...state, step: browsing(next) }, replies: [], effect: { ...read(next), ...also } };
}

function showPage(
  state: ConversationState,
  { back = 0, ...page }: Page,
  outcome: HistoryRead,
  scope: Scope,
): Decision {
  const { records, sum } = outcome;
  const at = (skip: number) => ({ ...state, step: browsing({ ...page, skip }), view: scope.ids.view });
  const show = (skip: number) => say(at(skip), pageOf(at(skip), { ...page, skip }, outcome, scope));
  // What is shown stays what is browsed.
  const stay = () => say(at(back), endOf(at(back), { ...page, skip: back }, sum, scope));
  if (page.skip === LAST) {
    if (!sum) return unread(state, scope);
    if (sum.partial) return stay();
    const last = Math.max(0, Math.ceil(sum.count / PAGE) - 1) * PAGE;
    return last === 0 ? show(0) : goTo(state, { ...page, skip: back }, last);
  }
  if (records.length > 0 || page.skip === 0) return show(page.skip);
  return sum?.count === 0 ? show(0) : stay();
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
  // "Đổi quà tháng này" is a wish, "thế còn quà" is none; and of whom a new command of staff's speaks, only they know.
  const isOther = intent !== undefined && (intent !== history.name || typed('', scope).proved);
  if (isOther && !understood.gifts) return undefined;
  const { type = page.type } = understood.gifts ? { type: 'gift' as const } : typeIn(understood);
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

/** Where the last page begins is told by how many records there are. */
function read({ type, by, period: { fromMs, toMs }, skip }: Page): Extract<Effect, { kind: 'history' }> {
  const asked = { kind: 'history', type, by, fromMs, toMs, skip: Math.max(0, skip), take: PAGE } as const;
  return asked.skip === 0 ? { ...asked, sum: true } : asked;
}
