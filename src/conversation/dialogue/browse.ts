import type { Command } from '../commands.ts';
import type { Effect, HistoryRead, HistoryRecord, HistoryType } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import { exampleOfPeriod, periodNamed, TYPES } from '../kinds.ts';
import { DAY_MS, dayAt, startOfDay } from '../language/calendar.ts';
import { type NamedPeriod, PERIODS, type Period } from '../language/period.ts';
import { isTypingProof, proved, remembering } from '../prompts/identity.ts';
import { giftOf } from '../prompts/receipts.ts';
import { type Choice, choice, type Decision, type Line, type Reply, say } from '../reply.ts';
import type { ConversationState, Draft, Page, Step } from '../state.ts';
import { home, question } from './questions.ts';

/*
 * The history, page by page, shown in place.
 */

/** What is shown unless something else is asked for. */
const FIRST = { type: 'point', period: '30d' } as const;

type Browsing = Extract<Step, { at: 'browsing' }>;

/** The first page of what a flow gathered. */
export function open(state: ConversationState, flow: Flow, scope: Scope): Decision {
  const { type, period } = state.draft;
  const by = proved(state.draft);
  if (by === undefined) return home(state, scope, { key: 'menu' });
  const named = period ?? periodNamed(FIRST.period, scope);
  return browse(state, flow.name, { type: type ?? FIRST.type, by, period: named }, scope);
}

/** Shows the first page. Whose list it is stays known with it, for what is asked next. */
function browse(
  state: ConversationState,
  flow: string,
  { type, by, period }: Omit<Page, 'skip'>,
  scope: Scope,
): Decision {
  // A fixed end: records that arrive while the customer pages must not shift the pages.
  const fixed = { ...period, toMs: period.toMs ?? scope.nowMs };
  const page: Page = { type, by, period: fixed, skip: 0 };
  // Where typing proves, the next customer may be another one, whom nobody must take for this one.
  const draft: Draft = isTypingProof(scope) ? {} : { [by.kind]: { value: by.value, proved: true } };
  return {
    state: { ...remembering(state, scope), step: { at: 'browsing', flow, page }, draft },
    replies: [],
    effect: read(page),
  };
}

/** Another list, another period, or both, of the same customer; undefined where it is what is shown. */
export function narrow(
  state: ConversationState,
  { flow, page }: Browsing,
  said: { readonly type?: Page['type']; readonly period?: Page['period'] },
  scope: Scope,
): Decision | undefined {
  const isSame = said.period === undefined && (said.type ?? page.type) === page.type;
  return isSame ? undefined : browse(state, flow, { ...page, ...said }, scope);
}

/** Another page of what is being browsed. */
export function turn(
  state: ConversationState,
  { flow, page }: Browsing,
  to: Extract<Command, { do: 'page' }>['to'],
  scope: Scope,
): Decision {
  const { skip } = page;
  if (to === 'previous' && skip === 0) return say(state, { ...question(state, scope), key: 'history.first' });
  // Where there are fewer pages, it is said how many.
  if (typeof to === 'number') return goTo(state, flow, page, (to - 1) * PAGE, { sum: true });
  const places = { next: skip + PAGE, previous: Math.max(0, skip - PAGE), same: skip, first: 0, last: LAST };
  return goTo(state, flow, page, places[to]);
}

function goTo(
  state: ConversationState,
  flow: string,
  { back, ...page }: Page,
  skip: number,
  also: { readonly sum?: true } = {},
): Decision {
  const shown = page.skip === LAST ? back : page.skip;
  const next: Page = { ...page, skip, ...(skip !== shown && { back: shown }) };
  const step = { at: 'browsing', flow, page: next } as const;
  return { state: { ...state, step }, replies: [], effect: { ...read(next), ...also } };
}

/** What AntCRM answered to what a page asked for. */
export function show(
  state: ConversationState,
  { flow, page: { back = 0, ...page } }: Browsing,
  outcome: HistoryRead,
  scope: Scope,
): Decision {
  const { records, sum } = outcome;
  const at = (skip: number): ConversationState => ({
    ...state,
    step: { at: 'browsing', flow, page: { ...page, skip } },
    view: scope.ids.view,
  });
  const show = (skip: number) => say(at(skip), pageOf(at(skip), { ...page, skip }, outcome, scope));
  // What is shown stays what is browsed.
  const stay = () => say(at(back), endOf(at(back), { ...page, skip: back }, sum, scope));
  if (page.skip === LAST) {
    if (!sum) return notRead(state, scope);
    if (sum.partial) return stay();
    const last = Math.max(0, Math.ceil(sum.count / PAGE) - 1) * PAGE;
    return last === 0 ? show(0) : goTo(state, flow, { ...page, skip: back }, last);
  }
  if (records.length > 0 || page.skip === 0) return show(page.skip);
  return sum?.count === 0 ? show(0) : stay();
}

/** A page could not be read: it can be asked for again. */
export function notRead(state: ConversationState, scope: Scope): Decision {
  const next = { ...state, view: scope.ids.view };
  return say(next, unread(next));
}

/** Where the last page begins is told by how many records there are. */
function read({ type, by, period: { fromMs, toMs }, skip }: Page): Extract<Effect, { kind: 'history' }> {
  const asked = { kind: 'history', type, by, fromMs, toMs, skip: Math.max(0, skip), take: PAGE } as const;
  return asked.skip === 0 ? { ...asked, sum: true } : asked;
}

/** Records shown at a time; divides AntCRM's page of 20, which is read again only when one of its records is shown. */
export const PAGE = 5;

/** As `skip`: the last page, wherever that begins. */
export const LAST = -PAGE;

/** The records of a page, with what all of the period add up to on the first one; or that there are none. */
export function pageOf(
  state: ConversationState,
  page: Page,
  { records, more, sum }: HistoryRead,
  scope: Scope,
): Reply {
  const period = periodLine(page.period, scope.settings.timeZone);
  if (records.length === 0) {
    const others = period.context === 'all' ? [] : [{ key: 'history.other' }];
    const empty: Reply = { key: 'history.empty', context: page.type, params: { period }, lines: others };
    return withPaging(state, empty, page, false, scope);
  }
  const summed = page.skip === 0 ? sum : undefined;
  const reply: Reply = {
    key: 'history.page',
    context: page.type,
    params: { page: page.skip / PAGE + 1, period },
    lines: pageLines(page.type, { records, sum: summed }, state, scope),
    inPlace: true,
  };
  return withPaging(state, reply, page, more, scope);
}

/** That a page is beyond the end: how many there are, as far as that is known. `page`: the one that stays. */
export function endOf(state: ConversationState, page: Page, sum: HistoryRead['sum'], scope: Scope): Reply {
  const context = sum && (sum.partial ? 'many' : 'pages');
  const end: Reply = {
    key: 'history.end',
    ...(context && { context, params: { pages: Math.ceil(sum.count / PAGE) } }),
  };
  return withPaging(state, end, page, false, scope);
}

/** That a page could not be read: it can be asked for again. */
export function unread({ view }: ConversationState): Reply {
  return { key: 'service.unavailable', choices: [choice('retry')], view };
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
    ...(skip > 0 ? [choice('previous')] : []),
    ...(more ? [choice('next')] : []),
    ...TYPES.filter((one) => one !== type).map((one) => choice(`history:${one}`)),
    ...PERIODS.filter((one) => !isPeriod(one, period, scope)).map((one) => choice(`period:${one}`)),
  ];
  const menu = scope.flows.all.map(({ name }) => choice(name));
  const { view } = state;
  return more
    ? { ...reply, choices: [...choices, choice('menu')], view }
    : { ...reply, choices: [...choices, ...menu], asks: 'menu', view };
}

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
function periodLine({ fromMs, toMs }: Period, timeZone: string): Line {
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

/** That a period was heard, where something else is still to be told. */
export function periodNoted({ toMs, ...period }: Period, { nowMs, settings }: Scope): Reply {
  const shown = periodLine({ ...period, toMs: toMs ?? nowMs }, settings.timeZone);
  const context = shown.context === 'day' ? undefined : shown.context;
  return { key: 'history.noted', context, params: { period: shown } };
}

type Sum = { readonly score: number; readonly partial: boolean };

/** A record may be so much older or newer than the end of the call that made it. */
const NEAR_MS = 2 * 60_000;

/**
 * What a page lists: its records, those of operations that were made here with their references; what all of the period
 * add up to, where that was read; of gifts, where to get them.
 */
function pageLines(
  type: HistoryType,
  { records, sum }: { readonly records: readonly HistoryRecord[]; readonly sum?: Sum | undefined },
  state: ConversationState,
  scope: Scope,
): Line[] {
  const references = referencesOf(records, state);
  return [
    ...records.map((record) => recordLine(record, references.get(record), scope)),
    // Failed attempts alone add up to nothing.
    ...(sum && sum.score !== 0 ? [totalLine(type, sum)] : []),
    ...pickUpsOf(records, scope),
  ];
}

/** Whatever AntCRM left out is named as missing; a failed attempt is marked as failed. */
function recordLine(record: HistoryRecord, reference: string | undefined, scope: Scope): Line {
  const { type, failed, score, atMs } = record;
  const variant = failed ? 'failed' : score === undefined ? 'unscored' : undefined;
  return {
    key: `history.${type}`,
    context: variant ?? (reference === undefined ? undefined : 'referenced'),
    params: {
      at: atMs ?? { key: 'history.undated' },
      what: giftIn(record, scope)?.name ?? record.what ?? record.code ?? { key: 'history.unnamed' },
      score: score ?? 0,
      ...(variant === undefined && reference !== undefined && { reference }),
    },
  };
}

/** Of a gift that was redeemed twice at about the same time it cannot be told which is which. */
function referencesOf(
  records: readonly HistoryRecord[],
  { operations }: ConversationState,
): ReadonlyMap<HistoryRecord, string> {
  const known = new Map<HistoryRecord, string>();
  const done = operations.filter(({ status, gift }) => status === 'done' && gift !== undefined);
  for (const { id, gift, atMs } of done) {
    const isNear = (one: { readonly atMs?: number | undefined }) =>
      Math.abs((one.atMs ?? 0) - atMs) <= NEAR_MS;
    const [record, ...others] = records.filter((one) => one.code === gift && !one.failed && isNear(one));
    const isOnly = others.length === 0 && done.filter((one) => one.gift === gift && isNear(one)).length === 1;
    if (record && isOnly) known.set(record, id);
  }
  return known;
}

function giftIn({ type, code }: HistoryRecord, scope: Scope) {
  return type === 'gift' ? giftOf(code, scope) : undefined;
}

/** Where to get the gifts of a page, each place once. */
function pickUpsOf(records: readonly HistoryRecord[], scope: Scope): Line[] {
  const gifts = new Set(records.flatMap((one) => (one.failed ? [] : (giftIn(one, scope) ?? []))));
  const told = [...gifts].flatMap(({ name, pickUp }) => (pickUp ? [{ gift: name, where: pickUp }] : []));
  const places = new Set(told.map(({ where }) => JSON.stringify(where)));
  return places.size > 1
    ? told.map((params) => ({ key: 'receipt.pickUp', context: 'of', params }))
    : told.slice(0, 1).map(({ where }) => ({ key: 'receipt.pickUp', params: { where } }));
}

/** What the records of a period add up to; `partial`: at least. */
function totalLine(type: HistoryType, { score, partial }: Sum): Line {
  return { key: `history.total.${type}`, context: partial ? 'partial' : undefined, params: { score } };
}
