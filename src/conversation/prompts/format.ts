/* How phones, e-mails and codes are shown, in full or masked. */

/** A Vietnamese number in national form, `0867123456`; undefined for others. */
function toNational(e164: string): string | undefined {
  return /^\+84\d{9,10}$/.test(e164) ? `0${e164.slice(3)}` : undefined;
}

/** A phone (E.164) as people read it: `0867 123 456`; others are not split. */
export function showPhone(e164: string): string {
  const digits = toNational(e164) ?? e164;
  return digits.length === 10 ? `${digits.slice(0, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}` : digits;
}

/** A phone that only its owner recognises: `0867 *** 456`, `+44 *** 123`. */
export function maskPhone(e164: string): string {
  if (e164.length < 9) return '***';
  const start = toNational(e164)?.slice(0, 4) ?? e164.slice(0, 3);
  return `${start} *** ${e164.slice(-3)}`;
}

/** `ga***@gmail.com`: the first two letters, never all of them. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return '***';
  return `${email.slice(0, Math.min(2, at - 1))}***${email.slice(at)}`;
}

/** `TIVI***pfg`: enough to tell two codes apart, too little to use one. */
export function maskCode(code: string): string {
  if (code.length < 10) return `${code.slice(0, Math.floor(code.length / 3))}***`;
  return `${code.slice(0, 4)}***${code.slice(-3)}`;
}
