import type { Outcome } from '../effect.ts';
import { type Confirms, confirmsIn, type Flow, type Scope } from '../flow.ts';
import type { ConversationState, Step } from '../state.ts';

/** What a flow says of its own operation, with the flow, whose name is the family of its wording. */
export type Confirmed = Confirms & { readonly flow: Flow };

/** How a call that was confirmed can end. */
export type Concluded = Extract<
  Outcome,
  { kind: 'applied' | 'refused' | 'unavailable' | 'unknown' | 'outdated' | 'busy' }
>;

/** A call that a confirmation makes; `code` only where it makes several. */
export type Call = { readonly operation: string; readonly code?: string | undefined };

/** The confirmation at hand, and all that it calls. */
export type AtHand = {
  readonly step: Extract<Step, { at: 'confirming' }>;
  readonly confirmed: Confirmed;
  readonly calls: readonly Call[];
};

/** Undefined where nothing waits to be confirmed. */
export function atHand(state: ConversationState, { flows }: Scope): AtHand | undefined {
  const { step } = state;
  const flow = step.at === 'confirming' ? flows.get(step.flow) : undefined;
  const confirms = flow && confirmsIn(flow);
  if (step.at !== 'confirming' || !confirms) return undefined;
  return { step, confirmed: { ...confirms, flow }, calls: callsOf(state, step.operation) };
}

/** What a confirmation calls, in order. A single call keeps the confirmation's own id, of several each has `<id>.<n>`. */
function callsOf({ draft }: ConversationState, id: string): readonly Call[] {
  const several = draft.codes ?? [];
  return several.length < 2
    ? [{ operation: id }]
    : several.map((code, at) => ({ operation: `${id}.${at + 1}`, code }));
}

/** The place of the first call that has no outcome yet; -1: all have one. */
export function nextCall({ operations }: ConversationState, calls: readonly Call[]): number {
  return calls.findIndex(({ operation }) => !operations.some(({ id }) => id === operation));
}

/** The confirmation that an operation is of. */
export const confirmationOf = (id: string): string => id.split('.', 1)[0] ?? id;

/** An earlier attempt of this turn has perhaps made calls of the confirmation at hand: it goes on, whatever else says no. */
export function isInterrupted(state: ConversationState, scope: Scope): boolean {
  const { journal = {} } = scope;
  return atHand(state, scope)?.calls.some(({ operation }) => Object.hasOwn(journal, operation)) ?? false;
}
