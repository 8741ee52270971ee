import type { Command } from '../commands.ts';
import { type Decision, say } from '../decision.ts';
import type { Effect, HistoryRead } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import { periodNamed } from '../kinds.ts';
import { isTypingProof, proved, remembering } from '../prompts/identity.ts';
import { endOf, LAST, PAGE, pageOf, unread } from '../prompts/pages.ts';
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
