import type { WantedPage } from '../commands.ts';
import type { Effect, HistoryRead, HistoryRecord } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import { exampleOfPeriod, periodNamed, TYPES } from '../kinds.ts';
import { giftOf, isTypingProof, proved, remembering } from '../prompts.ts';
import { type Choice, choice, type Decision, type Line, type Reply, say } from '../reply.ts';
import type { Draft, Page, State, Step } from '../state.ts';
import { DAY_MS, dayAt, type NamedPeriod, PERIODS, type Period, startOfDay } from '../values/calendar.ts';
import { home, question, withMenu } from './questions.ts';

/*
 * The history, page by page, shown in place.
 */

/** What is shown unless something else is asked for. */
const FIRST = { type: 'point', period: '30d' } as const;
/** Records shown at a time; divides AntCRM's page of 20, which is read once for all of its records. */
const PAGE = 5;

type Browsing = Extract<Step, { at: 'browsing' }>;

/** The first page of what a flow gathered. */
export function open(state: State, flow: Flow, scope: Scope): Decision {
  const { type, period } = state.draft;
  const by = proved(state.draft);
  if (by === undefined) return home(state, scope, { key: 'menu' });
  const named = period ?? periodNamed(FIRST.period, scope);
  return browse(state, flow.name, { type: type ?? FIRST.type, by, period: named }, scope);
}

/** Shows the first page. Whose list it is stays known with it, for what is asked next. */
function browse(
  state: State,
  flow: string,
  { type, by, period }: Omit<Page, 'skip'>,
  scope: Scope,
): Decision {
  // A fixed end: records that arrive while the customer pages must not shift the pages.
  const fixed = { ...period, toMs: period.toMs ?? scope.nowMs };
  // Where typing proves, the next customer may be another one, whom nobody must take for this one.
  const draft: Draft = isTypingProof(scope) ? {} : { [by.kind]: { value: by.value, proved: true } };
  const next = { ...remembering(state, scope), draft };
  return readPage(next, flow, { type, by, period: fixed, skip: 0 }, true);
}

/** Asks for a page; on the first one, and with `sum`, for what all records of the period add up to, too. */
function readPage(state: State, flow: string, page: Page, sum: boolean): Decision {
  const { type, by, period, skip } = page;
  const asked = {
    kind: 'history',
    type,
    by,
    fromMs: period.fromMs,
    toMs: period.toMs,
    skip,
    take: PAGE,
  } as const;
  const effect: Effect = sum || skip === 0 ? { ...asked, sum: true } : asked;
  return { state: { ...state, step: { at: 'browsing', flow, page } }, replies: [], effect };
}

/** What AntCRM answered to what a page asked for. */
export function show(
  state: State,
  { flow, page: { back = 0, ...page } }: Browsing,
  { records, more, sum }: HistoryRead,
  scope: Scope,
): Decision {
  const isBeyond = records.length === 0 && page.skip > 0 && sum?.count !== 0;
  const skip = records.length > 0 ? page.skip : isBeyond ? back : 0;
  const { type } = page;
  const period = periodLine(page.period, scope.settings.timeZone);
  const others = period.context === 'all' ? [] : [{ key: 'history.other' }];
  // What is shown stays what is browsed.
  const reply: Reply = isBeyond
    ? endOf(sum)
    : records.length === 0
      ? { key: 'history.empty', context: type, params: { period }, lines: others }
      : {
          key: 'history.page',
          context: type,
          params: { page: skip / PAGE + 1, period },
          lines: [
            ...records.map((record) => recordLine(record, scope)),
            ...(sum && skip === 0 ? totalLines(type, sum) : []),
          ],
          inPlace: true,
        };
  const shown = { ...page, skip };
  const next = { ...state, step: { at: 'browsing', flow, page: shown }, view: scope.ids.view } as const;
  const choices = choicesBeside(shown, more, scope);
  if (!more) return say(next, withMenu(next, { ...reply, choices }, scope));
  return say(next, { ...reply, choices: [...choices, choice('menu')], view: scope.ids.view });
}

/** That a page is beyond the end: how many there are, as far as that is known. */
function endOf(sum: HistoryRead['sum']): Reply {
  const params = sum && { pages: Math.ceil(sum.count / PAGE) };
  return { key: 'history.end', context: sum && (sum.partial ? 'many' : 'pages'), params };
}

/** A page could not be read: it can be asked for again. */
export function notRead(state: State, { ids: { view } }: Scope): Decision {
  return say({ ...state, view }, { key: 'service.unavailable', choices: [choice('retry')], view });
}

/** The pages beside this one, the other list, other periods. */
const choicesBeside = ({ type, period, skip }: Page, more: boolean, scope: Scope): Choice[] => [
  ...(skip > 0 ? [choice('previous')] : []),
  ...(more ? [choice('next')] : []),
  ...TYPES.filter((one) => one !== type).map((one) => choice(`history:${one}`)),
  ...PERIODS.filter((one) => !isPeriod(one, period, scope)).map((one) => choice(`period:${one}`)),
];

/** Where a period has no end of its own, the page's is the moment of asking. */
function isPeriod(name: NamedPeriod, { fromMs, toMs }: Period, scope: Scope): boolean {
  const { fromMs: from, toMs: to } = periodNamed(name, scope);
  return from === fromMs && (to === undefined || to === toMs);
}

/** What is wrong with a period, and how one is typed. */
export function periodFault(reason: string, scope: Scope): Pick<Reply, 'key' | 'params'> {
  return { key: reason, params: exampleOfPeriod(scope) };
}

/** The period as its first and last day. An end that is no midnight is the moment of asking, not what was asked for. */
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

/** Whatever AntCRM left out is named as missing; a failed attempt is marked as failed. */
function recordLine({ type, failed, score, atMs, code, what }: HistoryRecord, scope: Scope): Line {
  const gift = type === 'gift' ? giftOf(code, scope) : undefined;
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

/** What the records of a period add up to; `partial`: at least. Failed attempts alone add up to nothing. */
function totalLines(type: Page['type'], { score, partial }: NonNullable<HistoryRead['sum']>): Line[] {
  const context = partial ? 'partial' : undefined;
  return score === 0 ? [] : [{ key: `history.total.${type}`, context, params: { score } }];
}

/** Another list, another period, or both, of the same customer; undefined where it is what is shown. */
export function narrowPage(
  state: State,
  said: { readonly type?: Page['type']; readonly period?: Page['period'] },
  scope: Scope,
): Decision | undefined {
  if (state.step.at !== 'browsing') return undefined;
  const { flow, page } = state.step;
  const { type = page.type, period } = said;
  const isSame = period === undefined && type === page.type;
  return isSame ? undefined : browse(state, flow, { ...page, type, ...(period && { period }) }, scope);
}

/** Another page of what is being browsed; `same`: the one that is shown. Undefined where none is. */
export function turnPage(state: State, to: WantedPage | 'same', scope: Scope): Decision | undefined {
  if (state.step.at !== 'browsing') return undefined;
  const { flow } = state.step;
  const { back: _, ...page } = state.step.page;
  const { skip } = page;
  if (to === 'previous' && skip === 0) return say(state, { ...question(state, scope), key: 'history.first' });
  const isNumber = typeof to === 'number';
  const places = { next: skip + PAGE, previous: Math.max(0, skip - PAGE), same: skip, first: 0 };
  const next = isNumber ? (to - 1) * PAGE : places[to];
  // Where there are fewer pages, it is said how many.
  return readPage(state, flow, { ...page, skip: next, ...(next !== skip && { back: skip }) }, isNumber);
}
