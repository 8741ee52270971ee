import { type Decision, withLast } from '../decision.ts';
import type { Answer, Scope } from '../flow.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { emailMeant, parseEmail } from '../language/values/email.ts';
import { parsePhone } from '../language/values/phone.ts';
import { supportLines } from '../prompts/help.ts';
import { typed } from '../prompts/identity.ts';
import { again } from '../prompts/questions.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState, Draft } from '../state.ts';
import { type Asking, fillStep, offer } from './offer.ts';

/*
 * What a text is worth as an answer to a question for a value, once nothing else explains it.
 */

/** After so many invalid answers in a row, help is offered. */
const TRIES = 3;

/** A typed answer to the question that is live. */
export function answer(
  state: ConversationState,
  step: Asking,
  { text, understood }: Utterance,
  scope: Scope,
): Decision {
  const flow = scope.flows.get(step.flow);
  switch (step.slot) {
    case 'phone':
      return flow?.identity === 'typed'
        ? answerPhone(state, step, text, scope)
        : answerIdentity(state, step, text, understood, scope);
    case 'email':
      return answerEmail(state, step, text, scope);
    default: {
      const given: Answer<Draft> | undefined = flow?.questions[step.slot]?.answer(text, scope);
      if (given?.ok === 'email') return answerEmail(state, step, text, scope);
      if (given?.ok) return fillStep(state, step, given.slots, scope);
      return given
        ? retry(state, step, scope, { key: given.reason, params: given.params })
        : retry(state, step, scope);
    }
  }
}

/** Where reading or spending needs proof, typing proves nothing unless staff vouch for it. */
function answerIdentity(
  state: ConversationState,
  step: Asking,
  text: string,
  understood: Understood,
  scope: Scope,
): Decision {
  if (!typed('', scope).proved) {
    const asked = retry(state, step, scope);
    return understood.phone === undefined ? asked : withLast(asked, { context: 'typed' });
  }
  if (text.includes('@')) return answerEmail(state, step, text, scope);
  const phone = parsePhone(text);
  return !phone.ok && phone.reason === 'phone.shape'
    ? invalid(state, step, 'identity.shape', scope)
    : answerPhone(state, step, text, scope);
}

function answerPhone(state: ConversationState, step: Asking, text: string, scope: Scope): Decision {
  const phone = parsePhone(text);
  if (!phone.ok) return invalid(state, step, phone.reason, scope);
  if (phone.ask) return offer(state, step, { why: phone.ask, value: phone.value }, scope);
  return fillStep(state, step, { phone: typed(phone.value, scope) }, scope);
}

function answerEmail(state: ConversationState, step: Asking, text: string, scope: Scope): Decision {
  const email = parseEmail(text);
  const meant = email.ok ? undefined : emailMeant(text);
  if (meant !== undefined) return offer(state, step, { why: 'typo', value: meant }, scope);
  if (!email.ok) return invalid(state, step, email.reason, scope);
  if (email.suggestion)
    return offer(state, step, { why: 'typo', value: email.suggestion, typed: email.value }, scope);
  return fillStep(state, step, { email: typed(email.value, scope) }, scope);
}

/** Says what is wrong with an answer and asks again; the third time help is offered. */
export function invalid(state: ConversationState, step: Asking, reason: string, scope: Scope): Decision {
  return retry(state, step, scope, { key: reason });
}

function retry(state: ConversationState, step: Asking, scope: Scope, ...why: Reply[]): Decision {
  const tries = step.tries + 1;
  const next = { ...state, step: { ...step, tries } };
  const lost: Reply[] = tries % TRIES === 0 ? [{ key: 'repair.help', lines: supportLines(scope) }] : [];
  return again(next, scope, ...why, ...lost);
}
