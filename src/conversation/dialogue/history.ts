import type { WantedPage } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { type Decision, say } from '../reply.ts';
import type { Draft, Page, State } from '../state.ts';
import { notUnderstood } from './digressions.ts';
import { browse, PAGE, readPage } from './history-pages.ts';
import { question } from './questions.ts';
import { flowOf, type Reduced, setSlots, type Turn, type TurnScope } from './turn.ts';

/*
 * What is said of the history: which list, which period, which page.
 */

/** Which history, of which period: of the page that is shown, or of the flow that will show one. */
export function setHistory(turn: Turn, slots: Pick<Draft, 'type' | 'period'>, scope: TurnScope): Turn {
  const { type, period } = slots;
  const { state, next } = turn;
  const flow = flowOf(turn, scope);
  if (!flow && state.step.at === 'browsing' && type !== null && period !== null) {
    const before = next.go === 'narrow' ? next : {};
    return { ...turn, next: { ...before, go: 'narrow', ...(type && { type }), ...(period && { period }) } };
  }
  if (!flow?.slots.includes('period')) return scope.commands.length > 1 ? turn : notUnderstood(turn, scope);
  return setSlots(turn, slots, scope);
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

/** Another page of what is being browsed; `same`: the one that is shown. */
export function turnPage(turn: Turn, to: WantedPage | 'same', scope: TurnScope): Reduced {
  const { state } = turn;
  if (state.step.at !== 'browsing') return to === 'same' ? turn : notUnderstood(turn, scope);
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
