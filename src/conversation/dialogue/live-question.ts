import type { Decision } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { consent } from '../prompts/consent.ts';
import { again, home } from '../prompts/questions.ts';
import type { ConversationState, Step } from '../state.ts';
import { editable } from './choices.ts';
import { decide, edit, fill, isSkip } from './form.ts';
import { answersTo } from './values.ts';

/** Words that mean something only because of the question they answer. */
export function atStep(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const { step } = state;
  const { intent } = utterance.understood;
  const flow = 'flow' in step ? scope.flows.get(step.flow) : undefined;
  switch (step.at) {
    case 'asking':
      return flow && atAsking(state, step, flow, utterance, scope);
    case 'confirming':
      return flow && atSummary(state, flow, utterance, scope);
    case 'consenting':
      if (intent === 'confirm') return consent(state, true, scope);
      return intent === 'decline' ? consent(state, false, scope) : undefined;
    case 'browsing':
      return intent === 'confirm' ? again(state, scope) : flow?.said(state, utterance, scope);
    case 'idle':
      if (intent !== 'confirm' && intent !== 'retry') return undefined;
      return state.view === undefined ? home(state, scope, { key: 'menu' }) : again(state, scope);
  }
}

type Asking = Extract<Step, { at: 'asking' }>;

function atAsking(
  state: ConversationState,
  step: Asking,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { understood } = utterance;
  // "Không" to a number that is offered wants another one.
  const skips = isSkip(understood) && !(step.offer && understood.intent === 'decline');
  if (step.slot === 'email' && skips) return fill(state, flow, { email: null }, scope);
  return step.offer
    ? atOffer(state, step, step.offer.why === 'typo', understood, scope)
    : flow.said(state, utterance, scope);
}

/** The words on the buttons of an offer, and their like. */
function atOffer(
  state: ConversationState,
  step: Asking,
  isTypo: boolean,
  { intent }: Understood,
  scope: Scope,
): Decision | undefined {
  switch (intent) {
    case 'confirm':
      return decide(state, step, 'use', scope);
    case 'decline':
      return decide(state, step, isTypo ? 'keep' : 'other', scope);
    case 'keep':
      return decide(state, step, 'keep', scope);
    case 'other':
    case 'edit':
      return decide(state, step, 'other', scope);
    default:
      return undefined;
  }
}

function atSummary(
  state: ConversationState,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  switch (utterance.understood.intent) {
    case 'edit':
      return editNamed(state, flow, utterance, scope);
    case 'decline':
      return again(state, scope, { key: 'confirm.edit' });
    case 'confirm':
    case 'retry':
      // Typed words spend nothing and add nothing: the button carries the operation's one-time id.
      return again(state, scope, { key: 'confirm.press' });
    default:
      return flow.said(state, utterance, scope);
  }
}

/** The slot that is named, or the only one that can be changed; another value for it, where one came along. */
function editNamed(state: ConversationState, flow: Flow, utterance: Utterance, scope: Scope): Decision {
  const slots = answersTo(flow, utterance, scope);
  if (Object.keys(slots).length > 0) return fill(state, flow, slots, scope);
  const { names } = utterance.understood;
  const [only, ...others] = editable(flow);
  const slot = names ?? (others.length === 0 ? only : undefined);
  return slot !== undefined && editable(flow).includes(slot)
    ? edit(state, flow, slot, scope)
    : again(state, scope, { key: 'confirm.edit' });
}
