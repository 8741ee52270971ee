import type { Scope } from '../flow.ts';
import { given, isStaff } from '../prompts/identity.ts';
import type { Draft, State, Step } from '../state.ts';

/*
 * Whether phone and e-mail may be remembered.
 */

/** The version of the text that customers consent to (`privacy.consent`); raise it with every change of meaning. */
export const CONSENT_VERSION = 2;
/** After so many questions without an answer, the customer is not asked any more. */
const MOST_ASKED = 2;

/** Whether this customer agreed to the text as it is today. */
export function hasAgreed({ consent }: State): boolean {
  return consent?.given === true && consent.version === CONSENT_VERSION;
}

/**
 * The number (E.164) that points were earned for, if another one is remembered and neither is proved: it may be the customer's
 * new one, or somebody else's for once.
 */
export function otherPhone(state: State): string | undefined {
  const { phone } = state.draft;
  const known = state.profile.phone;
  if (!hasAgreed(state) || phone === undefined || known === undefined) return undefined;
  const isOther = phone.value !== known.value && !phone.proved && !known.proved;
  return isOther ? phone.value : undefined;
}

/** The customer's decision now, on the text as it is today. */
export const toConsent = (isGiven: boolean, { nowMs, sender }: Scope): NonNullable<State['consent']> => ({
  given: isGiven,
  version: CONSENT_VERSION,
  atMs: nowMs,
  channel: sender.channel,
});

/** Whether anything is known that the channel does not tell each time anyway. */
export function hasMore({ phone, email }: Draft, { sender }: Scope): boolean {
  return phone !== undefined || (email != null && email.value !== sender.email);
}

/** The customer turns to something else instead of answering: nothing is remembered. */
export function leaveConsentOpen(state: State, scope: Scope): State {
  if (state.step.at !== 'consenting') return state;
  const { consentUnanswered = 0, ...rest } = state;
  const idle: State = { ...rest, step: { at: 'idle' } };
  if (hasAgreed(state)) return idle;
  if (consentUnanswered + 1 < MOST_ASKED) return { ...idle, consentUnanswered: consentUnanswered + 1 };
  return { ...idle, consent: toConsent(false, scope) };
}

/** The same where no flow begins instead: no slot is kept for a later one. */
export function leaveConsent(state: State, scope: Scope): State {
  return state.step.at === 'consenting' ? { ...leaveConsentOpen(state, scope), draft: {} } : state;
}

/** Where staff write, nothing is remembered of a customer whom the console imitated here. */
export function withoutProfile(state: State, scope: Scope): State {
  if (!isStaff(scope)) return state;
  const { consent: _, consentUnanswered: __, ...rest } = state;
  const step: Step = rest.step.at === 'consenting' ? { at: 'idle' } : rest.step;
  return { ...rest, step, profile: {} };
}

/** The profile to remember. A proved value stays: a typed one may be somebody else's, for whom points were earned once. */
export function profileOf({ draft, profile }: State): State['profile'] {
  const { phone, email } = given(draft);
  return {
    ...profile,
    ...(phone && (phone.proved || !profile.phone?.proved) && { phone }),
    ...(email && (email.proved || !profile.email?.proved) && { email }),
  };
}
