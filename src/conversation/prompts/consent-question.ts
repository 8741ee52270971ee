import type { Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { showPhone } from './mask.ts';

/** The version of the text that customers consent to (`privacy.consent`); raise it with every change of meaning. */
export const CONSENT_VERSION = 2;

/** Whether this customer agreed to the text as it is today. */
export function hasAgreed({ consent }: ConversationState): boolean {
  return consent?.given === true && consent.version === CONSENT_VERSION;
}

/**
 * The number (E.164) that points were earned for, where another one is remembered and nobody proved either: it may be the
 * customer's new one, or somebody else's for once.
 */
export function otherPhone(state: ConversationState): string | undefined {
  const { phone } = state.draft;
  const known = state.profile.phone;
  if (!hasAgreed(state) || phone === undefined || known === undefined) return undefined;
  const isOther = phone.value !== known.value && !phone.proved && !known.proved;
  return isOther ? phone.value : undefined;
}

/** May phone and e-mail be remembered? Or, where they are already: may this number take the other's place? */
export function consentQuestion(state: ConversationState): Reply {
  const phone = otherPhone(state);
  return phone === undefined
    ? { key: 'privacy.consent' }
    : { key: 'privacy.consent', context: 'other', params: { phone: showPhone(phone) } };
}
