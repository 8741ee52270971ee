import type { Context } from '../context.ts';
import { type Decision, say } from '../decision.ts';
import type { Effect, HistoryRecord, Outcome } from '../effect.ts';
import { proved } from '../identity.ts';
import { home, withMenu } from '../questions.ts';
import type { Choice, Line, Reply } from '../reply.ts';
import type { ConversationState, Draft, Slot, Step } from '../state.ts';

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
    // A fixed end: records that arrive while the customer pages must not shift the pages.
    const fixed = { ...period, toMs: period.toMs ?? context.nowMs };
    const step: Browsing = { at: 'browsing', type, by, period: fixed, skip: 0 };
    return { state: { ...state, step, draft: {} }, replies: [], effect: read(step) };
  },

  /** Another page of what is being browsed; the first one again rather than one before it. */
  turnPage(state: ConversationState, step: Browsing, direction: -1 | 0 | 1): Decision {
    const next = { ...step, skip: Math.max(0, step.skip + direction * PAGE) };
    return { state: { ...state, step: next }, replies: [], effect: read(next) };
  },

  outcome(
    state: ConversationState,
    { records, more }: Extract<Outcome, { kind: 'history' }>,
    context: Context,
  ): Decision {
    const { step } = state;
    if (step.at !== 'browsing') return say(state);
    if (records.length === 0 && step.skip === 0)
      return home(state, context, { key: 'history.empty', context: step.type });
    const next = { ...state, view: context.ids.view };
    return say(next, page(next, step, records, more));
  },
};

function read(step: Browsing): Effect {
  const { type, by, period, skip } = step;
  return { kind: 'history', type, by, fromMs: period.fromMs, toMs: period.toMs, skip, take: PAGE };
}

function page(
  state: ConversationState,
  step: Browsing,
  records: readonly HistoryRecord[],
  more: boolean,
): Reply {
  const choices: Choice[] = [];
  if (step.skip > 0) choices.push({ id: 'previous', label: { key: 'choice.previous' } });
  if (more) choices.push({ id: 'next', label: { key: 'choice.next' } });
  const reply: Reply = {
    key: 'history.page',
    context: step.type,
    params: { page: step.skip / PAGE + 1 },
    lines: records.length > 0 ? records.map(line) : [{ key: 'history.end' }],
    inPlace: true,
  };
  return choices.length > 0 ? { ...reply, choices, view: state.view } : withMenu(state, reply);
}

/** Whatever AntCRM left out is named as missing; a failed attempt is marked as failed. */
function line(record: HistoryRecord): Line {
  return {
    key: `history.${record.type}`,
    context: record.failed ? 'failed' : record.score === undefined ? 'unscored' : undefined,
    params: {
      at: record.atMs ?? { key: 'history.undated' },
      what: record.what ?? record.code ?? { key: 'history.unnamed' },
      score: record.score ?? 0,
    },
  };
}
