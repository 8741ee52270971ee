import type { HistoryRead, HistoryRecord, Identifier } from '../effect.ts';
import type { Scope } from '../flow.ts';
import { findGift } from '../prompts/gifts.ts';
import { isTypingProof } from '../prompts/identity.ts';
import { type Choice, choice, type Decision, type Line, type Reply, say } from '../reply.ts';
import { HISTORY_TYPES, PERIOD_CHOICES, resolvePeriod } from '../slots.ts';
import type { Draft, Page, State } from '../state.ts';
import { DAY_MS, dayAt, type Period, startOfDay } from '../values/calendar.ts';
import { addMenu } from './questions.ts';

/*
 * The history, page by page, shown in place.
 */

const DEFAULTS = { list: 'point', period: '30d' } as const;
/** Records shown at a time; divides AntCRM's page of 20, which is read once for all of its records. */
const PAGE = 5;

/** Asks for the first page of what a flow gathered. */
export function openHistory(
  state: State,
  { flow, by }: { readonly flow: string; readonly by: Identifier },
  scope: Scope,
): Decision {
  const { list, period } = state.draft;
  const proved = state.draft[by.kind] ?? { value: by.value, proved: true };
  const { codeMs } = proved;
  const { fromMs, toMs = scope.nowMs } = period ?? resolvePeriod(DEFAULTS.period, scope);
  // The end is fixed: records that arrive while the customer pages must not shift the pages.
  const page = {
    list: list ?? DEFAULTS.list,
    by,
    period: { fromMs, toMs },
    skip: 0,
    ...(codeMs !== undefined && { codeMs }),
  };
  // The customer stays known for the next question. Where typing proves an identifier, no customer
  // stays known: the next one may be another person.
  const draft: Draft = isTypingProof(scope) ? {} : { [by.kind]: proved };
  return readPage({ ...state, draft, step: { at: 'browsing', flow, page } });
}

/** What a page was asked with, as the draft that asks for it. */
export function toBrowsedDraft({ by, codeMs, list, period }: Page): Draft {
  const proved = { value: by.value, proved: true, ...(codeMs !== undefined && { codeMs }) };
  return { [by.kind]: proved, list, period };
}

function readPage(state: State): Decision {
  if (state.step.at !== 'browsing') return say(state);
  const { list, by, period, skip } = state.step.page;
  return { state, replies: [], effect: { kind: 'history', type: list, by, ...period, skip, take: PAGE } };
}

/** Shows what AntCRM answered. Beyond the end, the shown page stays. */
export function showPage(state: State, { records, more }: HistoryRead, scope: Scope): Decision {
  if (state.step.at !== 'browsing') return say(state);
  const { flow, page } = state.step;
  const isBeyond = records.length === 0 && page.skip > 0;
  const shown = isBeyond ? { ...page, skip: page.skip - PAGE } : page;
  const reply = isBeyond
    ? { key: 'history.end' }
    : records.length === 0
      ? sayEmpty(page, scope)
      : listRecords(page, records, scope);
  const next: State = { ...state, step: { at: 'browsing', flow, page: shown }, view: scope.ids.view };
  const choices = offerPages(shown, more);
  if (!more) return say(next, addMenu(next, { ...reply, choices }, scope));
  return say(next, { ...reply, choices: [...choices, choice('menu')], view: scope.ids.view });
}

function listRecords({ list, period, skip }: Page, records: HistoryRecord[], scope: Scope): Reply {
  const lines = records.map((record) => recordLine(record, scope));
  const params = { page: skip / PAGE + 1, period: periodLine(period, scope.settings.timeZone) };
  return { key: 'history.page', context: list, params, lines, inPlace: true };
}

function sayEmpty({ list, period: asked }: Page, scope: Scope): Reply {
  const period = periodLine(asked, scope.settings.timeZone);
  const lines = period.context === 'all' ? [] : [{ key: 'history.other' }];
  return { key: 'history.empty', context: list, params: { period }, lines };
}

const offerPages = ({ list, skip }: Page, more: boolean): Choice[] => [
  ...(skip > 0 ? [choice('previous')] : []),
  ...(more ? [choice('next')] : []),
  ...HISTORY_TYPES.filter((type) => type !== list).map((type) => choice(`history:${type}`)),
  ...PERIOD_CHOICES,
];

/** The first and the last day. An end that is not midnight is the moment of the question. */
function periodLine({ fromMs, toMs = 0 }: Period, timeZone: string): Line {
  const to = toMs - 1;
  const lastDay = dayAt(to, timeZone);
  const isMidnight = startOfDay(lastDay + DAY_MS, timeZone) === toMs;
  const key = 'history.period';
  if (fromMs === undefined)
    return isMidnight ? { key, context: 'until', params: { to } } : { key, context: 'all' };
  const isDay = dayAt(fromMs, timeZone) === lastDay;
  return isDay ? { key, context: 'day', params: { from: fromMs } } : { key, params: { from: fromMs, to } };
}

function recordLine({ type, failed, score, atMs, code, what }: HistoryRecord, scope: Scope): Line {
  const gift = type === 'gift' ? findGift(code, scope) : undefined;
  return {
    key: `history.${type}`,
    context: failed ? 'failed' : score === undefined ? 'unscored' : undefined,
    params: {
      at: atMs ?? { key: 'history.undated' },
      what: gift?.name ?? what ?? code ?? { key: 'history.unnamed' },
      score: score ?? 0,
    },
  };
}

/** Turns to the next or the previous page; undefined if no page is shown. */
export function turnPage(state: State, to: 'next' | 'previous'): Decision | undefined {
  const { step } = state;
  if (step.at !== 'browsing') return undefined;
  const skip = Math.max(0, step.page.skip + (to === 'next' ? PAGE : -PAGE));
  return readPage({ ...state, step: { ...step, page: { ...step.page, skip } } });
}
