import type { Flow, Scope } from '../flow.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { typed, whose } from '../prompts/identity.ts';
import type { Draft, Identity } from '../state.ts';

/*
 * What a message says, as slots of a flow.
 */

/** Phone and e-mail as read from free text; what must be asked about stays out. */
export function identityIn(understood: Understood, scope: Scope): Identity {
  const { phone, phoneAsk, email, emailSuggestion } = understood;
  return {
    ...(phone !== undefined && !phoneAsk && { phone: typed(phone, scope) }),
    ...(email !== undefined && !emailSuggestion && { email: typed(email, scope) }),
  };
}

/** What was read from free text, as slots of this flow. */
export function slotsFor(flow: Flow, utterance: Utterance, scope: Scope): Draft {
  return { ...flow.read(utterance, scope), ...identityIn(utterance.understood, scope) };
}

/** The same, said in the middle of the flow: what proves nothing takes no place of what is proved. */
export function answersTo(flow: Flow, utterance: Utterance, scope: Scope): Draft {
  const { phone, email, ...others } = slotsFor(flow, utterance, scope);
  const counts = (known: typeof email) => flow.identity === 'typed' || known?.proved;
  return {
    ...others,
    ...(phone !== undefined && counts(phone) && { phone }),
    ...(email !== undefined && counts(email) && { email }),
  };
}

/** Whether staff name another customer than the one at hand: by any identifier that takes the place of another. */
export function namesAnother({ phone, email }: Identity, said: Identity, scope: Scope): boolean {
  const isOther = (before: Identity['email'], now: Identity['email']) =>
    before != null && now != null && before.value !== now.value;
  return (isOther(phone, said.phone) || isOther(email, said.email)) && whose(scope) === 'staff';
}

/** Points for somebody else's number: the customer's own e-mail stays away from it, for AntCRM might join the two. */
export function isOthers({ phone }: Identity, known: Identity, { phone: own }: Identity): boolean {
  const isReplaced = own !== undefined && known.phone?.value === own.value;
  return isReplaced && phone !== undefined && phone.value !== own.value;
}

/** Whether a text brings a value along: then it is about that, and no bare yes, no or greeting ("ok TIVI000000017"). */
export function bringsValue({ code, phone, email, mangled }: Understood): boolean {
  return (code ?? phone ?? email ?? mangled) !== undefined;
}

/** Whether a text declines to answer, and says nothing else: "không, TIVI000000017" is an answer, "sai rồi" corrects. */
export function isSkip(understood: Understood): boolean {
  const { intent, noEmail, fault } = understood;
  const isBare = !bringsValue(understood) && noEmail === undefined && !fault;
  return isBare && (intent === 'skip' || intent === 'decline' || intent === 'nevermind');
}
