import type { Context } from '../context.ts';
import type { Identifier, ProvableValue } from '../effect.ts';
import type { Line } from '../reply.ts';
import type { Identity, State } from '../state.ts';
import { maskEmail, maskPhone, showPhone } from './format.ts';

/* Who the customer is: what is known, what is proved, how it is shown. */

/** Staff write, for a customer who is with them. */
export const isStaff = ({ sender }: Pick<Context, 'sender'>): boolean => sender.proof === 'token';

/** Typing proves an identifier if staff vouch for it, or the operator waived proof. */
export function isTypingProof({ sender, settings }: Pick<Context, 'sender' | 'settings'>): boolean {
  return isStaff({ sender }) || settings.identityProof === 'off';
}

/** A typed value. It is proved only if typing proves an identifier here. */
export const toTypedValue = (value: string, context: Context): ProvableValue => ({
  value,
  proved: isTypingProof(context),
});

/** The known phone and e-mail, the proved ones first. */
export function collectIdentity(state: State, context: Context): Identity {
  const vouched =
    context.sender.email === undefined ? undefined : { value: context.sender.email, proved: true };
  const believe = (known: Identity['phone']) => {
    if (!known || !isTypingProof(context)) return known;
    return { ...known, proved: true };
  };
  const { draft, profile } = state;
  const phone = preferProved(draft.phone, believe(profile.phone));
  const email = preferProved(draft.email ?? undefined, vouched) ?? believe(profile.email);
  return pickIdentity({ phone, email });
}

/** The first one, unless only the second is proved. */
const preferProved = (first: Identity['phone'], second: Identity['phone']): Identity['phone'] =>
  first?.proved || !second?.proved ? (first ?? second) : second;

/** The proved phone, else the proved e-mail (SECURITY.md): reading and spending need one. */
export function findProof(draft: Identity): Identifier | undefined {
  if (draft.phone?.proved) return { kind: 'phone', value: draft.phone.value };
  if (draft.email?.proved) return { kind: 'email', value: draft.email.value };
  return undefined;
}

/** The phone and e-mail that are known. */
export function pickIdentity({ phone, email }: Identity): State['profile'] {
  return { ...(phone && { phone }), ...(email && { email }) };
}

/** The proved ones: they stay for the next flow. The channel tells its own e-mail each time. */
export function pickProved(
  { phone, email }: Identity,
  { sender }: Pick<Context, 'sender'>,
): State['profile'] {
  const isKept = email?.proved && email.value !== sender.email;
  return { ...(phone?.proved && { phone }), ...(isKept && { email }) };
}

/** The variant of a wording that speaks to staff about the customer. */
export function pickVariant(context: Context): 'staff' | undefined {
  return isStaff(context) ? 'staff' : undefined;
}

/** Whether a phone counts only if it is shared: a typed one is not enough. */
export function isProofAsked({ sender, settings }: Context): boolean {
  return sender.proof === 'contact' && settings.identityProof === 'required';
}

/** Whether a one-time code can prove a phone: not where typing is enough. */
export function canProveByCode({ sender, settings }: Pick<Context, 'sender' | 'settings'>): boolean {
  return settings.proof !== undefined && !isTypingProof({ sender, settings });
}

/** Phone and e-mail, a line each. A value that was not typed now is masked: others may see the screen. */
export function identityLines(
  { phone, email }: Identity,
  isMasked: (known: ProvableValue, kind: 'phone' | 'email') => boolean,
): Line[] {
  const shownPhone = phone && (isMasked(phone, 'phone') ? maskPhone : showPhone)(phone.value);
  const shownEmail = email && (isMasked(email, 'email') ? maskEmail(email.value) : email.value);
  return [
    ...(shownPhone ? [{ key: 'summary.phone', params: { phone: shownPhone } }] : []),
    ...(shownEmail ? [{ key: 'summary.email', params: { email: shownEmail } }] : []),
  ];
}

/**
 * The profile to remember. A typed value never replaces a known one: it may be another person's. It is
 * unproved, also where the operator waives proof.
 */
export function mergeProfile(
  { profile }: Pick<State, 'profile'>,
  named: Identity,
  { settings }: Context,
): State['profile'] {
  const isAsked = settings.identityProof === 'required';
  const kept = { ...profile };
  for (const kind of ['phone', 'email'] as const) {
    const value = named[kind];
    const isBetter = value?.proved || !kept[kind];
    if (value && isBetter) kept[kind] = { ...value, proved: value.proved && isAsked };
  }
  return kept;
}
