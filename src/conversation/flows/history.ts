import type { Context } from '../context.ts';
import { type Decision, say } from '../decision.ts';
import type { Effect, HistoryRecord, Outcome } from '../effect.ts';
import { DAY_MS, dayAt, startOfDay } from '../language/zone.ts';
import { proved, typed } from '../prompts/identity.ts';
import { home, question, withMenu } from '../prompts/questions.ts';
import type { Choice, Line, Reply } from '../reply.ts';
import type { ConversationState, Draft, Period, Slot, Step } from '../state.ts';
import type { HistoryPage } from './shapes.ts';

/** Records shown at a time; divides AntCRM's page of 20, which is read again only when one of its records is shown. */
const PAGE = 5;

type Browsing = Extract<Step, { at: 'browsing' }>;

/** What was earned or redeemed: proved phone or e-mail → which list → period → pages, shown in place. */
export const history = {
  missing(draft: Draft): Slot | undefined {
    if (proved(draft) === undefined) return 'phone';
    if (draft.type === undefined) return 'type';
    return draft.period === undefined ? 'period' : undefined;
  },

  complete(state: ConversationState, context: Context): Decision {
    const { type, period } = state.draft;
    const by = proved(state.draft);
    if (by === undefined || type === undefined || period === undefined)
      return home(state, context, { key: 'menu' });
    return history.browse(state, { type, by, period }, context);
  },

  /** Shows the first page. Whose list it is stays known with it, for what is asked next. */
  browse(
    state: ConversationState,
    { type, by, period }: Omit<HistoryPage, 'skip'>,
    context: Context,
  ): Decision {
    // A fixed end: records that arrive while the customer pages must not shift the pages.
    const fixed = { ...period, toMs: period.toMs ?? context.nowMs };
    const page: HistoryPage = { type, by, period: fixed, skip: 0 };
    // Where typing proves, the next customer may be another one, whom nobody must take for this one.
    const draft: Draft = typed('', context).proved ? {} : { [by.kind]: { value: by.value, proved: true } };
    return { state: { ...state, step: browsing(page), draft }, replies: [], effect: read(page) };
  },

  /** Another page of what is being browsed; the first one again rather than one before it. */
  turnPage(state: ConversationState, { page }: Browsing, direction: -1 | 0 | 1): Decision {
    const next = { ...page, skip: Math.max(0, page.skip + direction * PAGE) };
    return { state: { ...state, step: browsing(next) }, replies: [], effect: read(next) };
  },

  outcome(
    state: ConversationState,
    { records, more }: Extract<Outcome, { kind: 'history' }>,
    context: Context,
  ): Decision {
    const { step } = state;
    if (step.at !== 'browsing') return say(state);
    const { page } = step;
    const period = shown(page.period, context.settings.timeZone);
    const next = { ...state, view: context.ids.view };
    if (records.length === 0 && page.skip === 0)
      return say(next, {
        ...question(next, context),
        key: 'history.empty',
        context: page.type,
        params: { period },
      });
    if (records.length === 0) {
      // "Next" was typed at the end: what is shown stays what is browsed.
      const last: HistoryPage = { ...page, skip: page.skip - PAGE };
      const stayed = { ...next, step: browsing(last) };
      return say(stayed, withPaging(stayed, { key: 'history.end' }, last.skip > 0, false));
    }
    const reply: Reply = {
      key: 'history.page',
      context: page.type,
      params: { page: page.skip / PAGE + 1, period },
      lines: records.map((one) => line(one, context)),
      inPlace: true,
    };
    return say(next, withPaging(next, reply, page.skip > 0, more));
  },
};

const browsing = (page: HistoryPage): Browsing => ({ at: 'browsing', flow: 'history', page });

function read({ type, by, period, skip }: HistoryPage): Effect {
  return { kind: 'history', type, by, fromMs: period.fromMs, toMs: period.toMs, skip, take: PAGE };
}

/** The last page leads on to something else. */
function withPaging(state: ConversationState, reply: Reply, previous: boolean, more: boolean): Reply {
  const choices: Choice[] = [];
  if (previous) choices.push({ id: 'previous', label: { key: 'choice.previous' } });
  if (!more) return withMenu(state, reply, ...choices);
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
function line(record: HistoryRecord, { settings }: Context): Line {
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
