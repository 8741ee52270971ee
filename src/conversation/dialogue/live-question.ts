import { type Decision, withLast } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Utterance } from '../language/understand.ts';
import { explainedUnasked } from '../prompts/answers.ts';
import { consent } from '../prompts/consent.ts';
import { again, askedPlainly, home } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { byValues } from './by-values.ts';
import { edit, editable, fill } from './form.ts';
import { type Asking, atOffer } from './offer.ts';
import { atSummary, isThankfulYes } from './summary.ts';
import { bringsValue, isSkip } from './values.ts';

/** What says no to the question whether to remember: nothing is remembered then, so any no will do. */
const NO: ReadonlySet<string | undefined> = new Set(['decline', 'skip', 'nevermind', 'cancel']);

/** Words that mean something only because of the question they answer. */
export function atStep(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const { step } = state;
  const intent = bringsValue(utterance.understood) ? undefined : utterance.understood.intent;
  const flow = 'flow' in step ? scope.flows.get(step.flow) : undefined;
  switch (step.at) {
    case 'asking':
      return flow && atAsking(state, step, flow, utterance, scope);
    case 'confirming':
      return flow && atSummary(state, step, flow, utterance, scope);
    case 'consenting':
      if (intent === 'confirm' || isThankfulYes(utterance, scope)) {
        // "Đâu có" and "vâng nhưng" have a yes in them, and agree to nothing.
        const agrees = scope.current && scope.language.isYes(utterance.text);
        return agrees ? consent(state, true, scope) : again(state, scope);
      }
      return NO.has(intent) ? consent(state, false, scope) : undefined;
    case 'browsing':
      if (bringsValue(utterance.understood)) return undefined;
      return intent === 'confirm' ? again(state, scope) : flow?.said(state, utterance, scope);
    case 'idle':
      if (intent !== 'confirm' && intent !== 'retry') return undefined;
      return state.view === undefined ? home(state, scope, { key: 'menu' }) : again(state, scope);
  }
}

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
  if (!step.offer) return flow.said(state, utterance, scope) ?? willing(state, step, flow, utterance, scope);
  return bringsValue(understood)
    ? (agreedTo(state, step, flow, utterance, scope) ?? flow.said(state, utterance, scope))
    : atOffer(state, step, flow, understood, scope);
}

/** "Ok, 0912345678" takes the code that is offered, and the phone as well; "ok, TIVI000000017" answers with another code. */
function agreedTo(
  state: ConversationState,
  step: Asking,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { intent, code, phone, email } = utterance.understood;
  const isOther = (step.slot === 'phone' ? phone : step.slot === 'email' ? email : code) !== undefined;
  if (intent !== 'confirm' || isOther) return undefined;
  const taken = atOffer(state, step, flow, utterance.understood, scope);
  return taken && !taken.effect ? (byValues(taken.state, utterance, scope) ?? taken) : undefined;
}

/** A yes, "wrong" or a no in place of the value that is asked for: it is asked for plainly, or why it is asked is said. */
function willing(
  state: ConversationState,
  step: Asking,
  flow: Flow,
  { text, understood }: Utterance,
  scope: Scope,
): Decision | undefined {
  const { names } = understood;
  const isWrong = understood.intent === 'decline' && understood.fault && !bringsValue(understood);
  // "Sai mã" while the e-mail is changed.
  if (isWrong && step.editing && names !== undefined && editable(flow, state.draft).includes(names))
    return edit(state, flow, names, scope);
  if (isWrong || scope.language.isYes(text)) return withLast(again(state, scope), askedPlainly(step, scope));
  // "No e-mail" is an answer.
  const isNo = isSkip(understood) && understood.intent !== 'nevermind';
  return isNo ? explainedUnasked(state, scope) : undefined;
}
