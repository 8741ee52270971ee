/** AntCRM's form of an E.164 number: Vietnamese ones national (`0867123456`), others as they are (docs/antcrm.md). */
export const toNational = (e164: string): string => e164.replace(/^\+84/, '0');

/** E.164 of a phone as AntCRM has it; what cannot be read as such stays as it is. */
export function toE164(stored: string): string {
  const digits = stored.replace(/\D/g, '');
  if (stored.trim().startsWith('+')) return `+${digits}`;
  if (/^00[1-9]\d{6,}$/.test(digits)) return `+${digits.slice(2)}`;
  if (/^0\d{9,10}$/.test(digits)) return `+84${digits.slice(1)}`;
  if (/^84\d{9}$/.test(digits)) return `+${digits}`;
  // A phone that was once stored as a number has lost its leading zero.
  if (/^[1-9]\d{8}$/.test(digits)) return `+84${digits}`;
  return stored;
}
