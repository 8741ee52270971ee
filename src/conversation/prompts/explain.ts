import type { About, Scope } from '../flow.ts';
import type { ConversationState, Step } from '../state.ts';
import { otherPhone } from './consent-question.ts';

/*
 * What is said to whoever does not understand the live question, or what was wrong with an answer to it.
 */

const PHONE: About = { what: 'answer.phone.why', wrong: 'answer.phone.wrong' };
const EMAIL: About = { what: 'answer.email.why', wrong: 'answer.email.wrong' };
export const PROOF: About = { what: 'answer.proof.why', wrong: 'answer.proof.why' };
const SUMMARY: About = { what: 'answer.confirm.what', wrong: 'answer.confirm.what' };
const CONSENT: About = { what: 'answer.consent.what', wrong: 'answer.consent.what' };
const OTHER_PHONE: About = { what: 'answer.consent.other', wrong: 'answer.consent.other' };

/** Undefined where nothing is asked, or the question says all there is to say. */
export function aboutQuestion(state: ConversationState, scope: Scope): About | undefined {
  const { step } = state;
  switch (step.at) {
    case 'asking':
      return aboutSlot(step, scope);
    case 'confirming':
      return SUMMARY;
    case 'consenting':
      return otherPhone(state) === undefined ? CONSENT : OTHER_PHONE;
    case 'browsing':
    case 'idle':
      return undefined;
  }
}

function aboutSlot(
  { flow: name, slot, offer }: Extract<Step, { at: 'asking' }>,
  scope: Scope,
): About | undefined {
  const flow = scope.flows.get(name);
  if (slot === 'email' || offer?.why === 'typo') return EMAIL;
  if (slot !== 'phone') return flow?.questions[slot]?.about;
  return flow?.identity === 'proved' && isProofAsked(scope) ? PROOF : PHONE;
}

/** Whether a phone counts only where it is shared. */
export function isProofAsked({ sender, settings }: Scope): boolean {
  return sender.proof === 'contact' && settings.identityProof === 'required';
}
