import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { Context } from '../context.ts';
import type { Identifier, Known } from '../effect.ts';
import type { Line } from '../reply.ts';
import type { Identity, State } from '../state.ts';

/** Whoever writes serves a customer beside them, and vouches for what they type. */
export const isStaff = ({ sender }: Pick<Context, 'sender'>): boolean => sender.proof === 'token';

/** Typing proves an identifier only where staff vouch for it, or where the operator waived proof. */
export function isTypingProof({ sender, settings }: Context): boolean {
  return isStaff({ sender }) || settings.identityProof === 'off';
}

/** What typing an identifier is worth here. */
export const typed = (value: string, context: Context): Known => ({ value, proved: isTypingProof(context) });

/** The phone and e-mail a new flow starts with: of the flow just left, of the profile, of the channel's profile. */
export function carried(state: State, context: Context): Identity {
  const vouched =
    context.sender.email === undefined ? undefined : { value: context.sender.email, proved: true };
  const phone = better(state.draft.phone, state.profile.phone);
  const email = better(state.draft.email ?? undefined, vouched) ?? state.profile.email;
  return given({ phone, email });
}

/** The first one, unless only the second is proved. */
function better(first: Known | undefined, second: Known | undefined): Known | undefined {
  return first?.proved || !second?.proved ? (first ?? second) : second;
}

/** The identifier that reading or spending goes by: a proved phone, else a proved e-mail (SECURITY.md, "Who is trusted with what"). */
export function proved(draft: Identity): Identifier | undefined {
  if (draft.phone?.proved) return { kind: 'phone', value: draft.phone.value };
  if (draft.email?.proved) return { kind: 'email', value: draft.email.value };
  return undefined;
}

/** The phone and e-mail that are known. */
export function given({ phone, email }: Identity): State['profile'] {
  return { ...(phone && { phone }), ...(email && { email }) };
}

/** What of a draft is proved. */
export function provedIn({ phone, email }: Identity): Identity {
  return { ...(phone?.proved && { phone }), ...(email?.proved && { email }) };
}

/** An operation was asked of AntCRM: whom staff serve next may be somebody else, who has to be named. */
export function served(state: State, context: Context): State {
  return isStaff(context) ? withoutIdentity(remembering(state, context)) : state;
}

/** Whom staff served stays one tap away, until the next one is. */
export function remembering(state: State, context: Context): State {
  const { phone, email } = state.draft;
  if (!isStaff(context) || (phone ?? email) == null) return state;
  return { ...state, before: given(state.draft) };
}

/** Nobody is named any more: another customer's turn begins. */
export function withoutIdentity(state: State): State {
  const { phone: _, email: __, ...draft } = state.draft;
  return { ...state, draft };
}

/** Staff ask and answer for the customer beside them: the variant of a wording that speaks of the customer. */
export function whose(context: Context): 'staff' | undefined {
  return isStaff(context) ? 'staff' : undefined;
}

/** Whether a phone counts only where it is shared. */
export function isProofAsked({ sender, settings }: Context): boolean {
  return sender.proof === 'contact' && settings.identityProof === 'required';
}

/** A Vietnamese number in national form, `0867123456`; undefined for others. */
function national(e164: string): string | undefined {
  return /^\+84\d{9,10}$/.test(e164) ? `0${e164.slice(3)}` : undefined;
}

/** A phone (E.164) as people read it: `0867 123 456`, `024 3825 1234`, foreign ones `+44 7700 900123`. */
export function showPhone(e164: string): string {
  const digits = national(e164);
  if (digits === undefined) return parsePhoneNumberFromString(e164)?.formatInternational() ?? e164;
  if (digits.length === 10) return `${digits.slice(0, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}`;
  // Hanoi and Ho Chi Minh City have area codes of three digits, everybody else of four.
  const area = /^02[48]/.test(digits) ? 3 : 4;
  return `${digits.slice(0, area)} ${digits.slice(area, 7)} ${digits.slice(7)}`;
}

/** A phone that its owner recognises and nobody else can use: `0867 *** 456`, `+44 *** 123`. */
export function maskPhone(e164: string): string {
  if (e164.length < 9) return '***';
  const digits = national(e164);
  const country = parsePhoneNumberFromString(e164)?.countryCallingCode;
  const start = digits?.slice(0, 4) ?? (country === undefined ? '' : `+${country}`);
  return `${start} *** ${e164.slice(-3)}`.trim();
}

/** `ga***@gmail.com`: the first two letters, never all of them. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return '***';
  return `${email.slice(0, Math.min(2, at - 1))}***${email.slice(at)}`;
}

/** Phone and e-mail, a line each. What the customer did not just type is masked, for others may see the screen. */
export function identityLines(
  { phone, email }: Identity,
  isMasked: (known: Known, kind: 'phone' | 'email') => boolean,
): Line[] {
  const shownPhone = phone && (isMasked(phone, 'phone') ? maskPhone : showPhone)(phone.value);
  const shownEmail = email && (isMasked(email, 'email') ? maskEmail(email.value) : email.value);
  return [
    ...(shownPhone ? [{ key: 'summary.phone', params: { phone: shownPhone } }] : []),
    ...(shownEmail ? [{ key: 'summary.email', params: { email: shownEmail } }] : []),
  ];
}

/** `TIVI***pfg`: enough to tell two codes apart, too little to use one. */
export function maskCode(code: string): string {
  if (code.length < 10) return `${code.slice(0, Math.floor(code.length / 3))}***`;
  return `${code.slice(0, 4)}***${code.slice(-3)}`;
}
