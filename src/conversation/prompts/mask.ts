import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { Known } from '../effect.ts';
import type { Line } from '../reply.ts';
import type { Identity } from '../state.ts';

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
