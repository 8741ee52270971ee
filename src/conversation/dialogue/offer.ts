import type { Decision } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Understood } from '../language/understand.ts';
import { typed } from '../prompts/identity.ts';
import { again, pose } from '../prompts/questions.ts';
import type { ConversationState, Draft, Step } from '../state.ts';
import { fill } from './form.ts';

/*
 * A value that the customer may take over: asked about instead of taken.
 */

export type Asking = Extract<Step, { at: 'asking' }>;
export type Offer = NonNullable<Asking['offer']>;

/** The words on the buttons of an offer, and their like. */
export function atOffer(
  state: ConversationState,
  step: Asking,
  flow: Flow,
  { intent }: Understood,
  scope: Scope,
): Decision | undefined {
  const chosen = (name: 'use' | 'keep' | 'other') =>
    decide(state, step, name, scope) ?? flow.pressed(state, { name, value: '' }, scope);
  switch (intent) {
    case 'confirm':
      return chosen('use');
    case 'decline':
      return chosen(step.offer?.why === 'mapped' || step.offer?.typed === undefined ? 'other' : 'keep');
    case 'keep':
      return chosen('keep');
    case 'other':
    case 'edit':
      return chosen('other');
    default:
      return undefined;
  }
}

/** Asks about a value instead of taking it. */
export function offer(state: ConversationState, step: Asking, offered: Offer, scope: Scope): Decision {
  return pose(state, { ...step, offer: offered }, scope);
}

/** `use`, `keep` or `other` was pressed (or said) about what is offered. */
export function decide(
  state: ConversationState,
  step: Asking,
  choice: 'use' | 'keep' | 'other',
  scope: Scope,
): Decision | undefined {
  if (!step.offer) return undefined;
  const { why, value, typed: written } = step.offer;
  // The flow that offered it knows what to do with its codes.
  if (why === 'code') return undefined;
  if (choice === 'use') {
    if (why === 'typo') return fillStep(state, step, { email: typed(value, scope) }, scope);
    // What was shared is as good as proved under its new number.
    const phone = written === undefined ? typed(value, scope) : { value, proved: true };
    return fillStep(state, step, { phone }, scope);
  }
  if (choice === 'keep') {
    return written === undefined || why === 'mapped'
      ? undefined
      : fillStep(state, step, { email: typed(written, scope) }, scope);
  }
  const { offer: _, ...plain } = step;
  return pose(state, plain, scope);
}

/** Fills slots of the flow that the live question is of. */
export function fillStep(state: ConversationState, step: Asking, filled: Draft, scope: Scope): Decision {
  const flow = scope.flows.get(step.flow);
  return flow ? fill(state, flow, filled, scope) : again(state, scope);
}
