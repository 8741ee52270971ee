import { after, type Decision } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { looksLikeIdentity } from '../language/values/code.ts';
import { unanswered } from '../prompts/consent.ts';
import { proved, typed, withoutIdentity } from '../prompts/identity.ts';
import { home } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { fill, runningIn, start, take } from './form.ts';
import { type Offer, offer } from './offer.ts';
import { answersTo, identityIn, slotsFor } from './values.ts';

/*
 * Codes, phones and e-mails that a text brings along, asked for or not.
 */

/** Begins a flow with the values that came along; a value that needs a question is asked about first. */
export function begin(state: ConversationState, flow: Flow, utterance: Utterance, scope: Scope): Decision {
  const slots = slotsFor(flow, utterance, scope);
  const begun = doubtful(start(state, flow, slots, scope), utterance.understood, scope);
  const fault = flow.misread(utterance, slots, scope);
  return fault === undefined ? begun : after([fault], begun);
}

/** Values without a command: for the flow at hand; without one, a code begins the flow that takes it. */
export function byValues(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const running = runningIn(state, scope);
  if (running) return elsewhere(state, running, utterance, scope) ?? inFlow(state, running, utterance, scope);
  const { code } = utterance.understood;
  const flow = code === undefined ? undefined : scope.flows.claiming(code, scope);
  return flow
    ? begin(unanswered(state, scope), flow, utterance, scope)
    : keep(unanswered(state, scope), utterance.understood, scope);
}

/** A code that the flow at hand has no use for begins the one that takes it; at a question for a code, only one that is surely its. */
function elsewhere(
  state: ConversationState,
  running: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { code, codes } = utterance.understood;
  if (code === undefined || codes.every(looksLikeIdentity)) return undefined;
  const slot = running.slotCalled('code');
  if (running.read(utterance, scope)[slot] !== undefined) return undefined;
  const isAsked = state.step.at === 'asking' && state.step.slot === slot;
  const flow = scope.flows.claiming(code, scope);
  if (!flow || flow.name === running.name || (isAsked && !flow.knowsCode?.(code, scope))) return undefined;
  return begin(state, flow, utterance, scope);
}

/** Only what is new counts: a gift that is picked already answers nothing. */
function inFlow(
  state: ConversationState,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { understood } = utterance;
  if (flow.identity === 'proved' && state.step.at !== 'asking')
    return namesCustomer(understood, scope)
      ? take(withoutIdentity(state), flow, identityIn(understood, scope), scope)
      : undefined;
  if (isMistyped(state, understood)) return undefined;
  const slots = answersTo(flow, utterance, scope);
  if (Object.values(slots).some((value) => value !== undefined && value !== state.draft.code))
    return doubtful(take(state, flow, slots, scope), understood, scope);
  const isDoubt =
    understood.mangled !== undefined ||
    (flow.identity === 'typed' ? hasIdentity(understood) : doubt(state, understood, scope) !== undefined);
  return isDoubt ? doubtful(fill(state, flow, {}, scope), understood, scope) : undefined;
}

/** A mistyped phone or e-mail may look like a code: alone and uncalled for, it is none. Another gift is called by name. */
function isMistyped({ step, draft }: ConversationState, understood: Understood): boolean {
  const isAsked = step.at === 'asking' && (step.slot === 'phone' || step.slot === 'email');
  const { code, codes, names } = understood;
  if (!isAsked || code === undefined || names === 'code' || hasIdentity(understood)) return false;
  return draft.code !== undefined || (draft.codes !== undefined && codes.every(looksLikeIdentity));
}

/** Staff name the customer whose turn it is now: nothing of the one before goes on. */
function namesCustomer(understood: Understood, scope: Scope): boolean {
  return hasIdentity(understood) && typed('', scope).proved;
}

function hasIdentity({ phone, email }: Understood): boolean {
  return (phone ?? email) !== undefined;
}

/** A phone or an e-mail out of the blue: kept for the flow that follows; it ends with it, or after half an hour. */
function keep(state: ConversationState, understood: Understood, scope: Scope): Decision | undefined {
  if (understood.mangled || !hasIdentity(understood)) return undefined;
  const draft = identityIn(understood, scope);
  const menu = home(state, scope, { key: 'unsure', context: 'identity' });
  // A page that is shown can still be turned, unless staff named another customer: it would be taken for theirs.
  const stays = state.step.at === 'browsing' && proved(draft) === undefined;
  return { ...menu, state: { ...menu.state, draft, ...(stays && { step: state.step }) } };
}

/** Where the next question is the slot that a doubtful value was given for, asks about that value. */
function doubtful(decision: Decision, understood: Understood, scope: Scope): Decision {
  const { step } = decision.state;
  if (understood.mangled) return after([{ key: `${understood.mangled}.vietnamese` }], decision);
  const offered = doubt(decision.state, understood, scope);
  if (step.at !== 'asking' || offered === undefined) return decision;
  return after(decision.replies.slice(0, -1), offer(decision.state, step, offered, scope));
}

/** What to ask about at this question; where typing proves nothing, nothing is asked. */
function doubt(state: ConversationState, understood: Understood, scope: Scope): Offer | undefined {
  const { step } = state;
  if (step.at !== 'asking') return undefined;
  const isProof = step.slot === 'phone' && runningIn(state, scope)?.identity === 'proved';
  if (isProof && !typed('', scope).proved) return undefined;
  const { phone, phoneAsk, email, emailSuggestion } = understood;
  if (step.slot === 'phone' && phone !== undefined && phoneAsk) return { why: phoneAsk, value: phone };
  if ((step.slot === 'email' || isProof) && email !== undefined && emailSuggestion)
    return { why: 'typo', value: emailSuggestion, typed: email };
  return undefined;
}
