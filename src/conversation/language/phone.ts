import { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/min';
import { visible } from './text.ts';

/**
 * `value` is E.164. With `ask` the number is a guess that the customer must agree to: `mapped` from a number of eleven
 * digits that ended in 2018, `leadingZero` where the zero was left out.
 */
export type PhoneResult =
  | { readonly ok: true; readonly value: string; readonly ask?: 'mapped' | 'leadingZero' | undefined }
  | { readonly ok: false; readonly reason: 'phone.shape' | 'phone.short' | 'phone.long' };

/**
 * Reads a phone number in any usual spelling: blanks, dots, dashes, brackets, the letter O for zero, full-width
 * digits, `+84 (0)…`, `84…`, `0084…`. Vietnamese numbers by their shape alone (numbers are portable and new prefixes
 * keep appearing), foreign ones (`+` or `00`) by the length their country allows.
 */
export function parsePhone(text: string): PhoneResult {
  const digits = digitsOf(text);
  if (digits === undefined) return { ok: false, reason: 'phone.shape' };
  if (/^(?:\+|00)84/.test(digits)) return withCountryCode(digits.replace(/^(?:\+|00)84/, ''));
  if (/^(?:\+|00)/.test(digits)) return foreign(digits.replace(/^(?:\+|00)/, ''));
  if (digits.startsWith('0')) return vietnamese(digits.slice(1)) ?? refused(digits.slice(1));
  const rest = digits.startsWith('84') && digits.length > 10 ? withCountryCode(digits.slice(2)) : undefined;
  if (rest?.ok) return rest;
  const guess = vietnamese(digits);
  return guess ? { ask: 'leadingZero', ...guess } : refused(digits);
}

const SEPARATORS = /[\s\p{Pd}−.,()[\]/_·]/gu;

function digitsOf(text: string): string | undefined {
  const compact = visible(text).normalize('NFKC').replace(/^tel:/i, '').replace(SEPARATORS, '');
  if (/^\+?\d+$/.test(compact)) return compact;
  const isNumber = /^\+?[\doO]+$/.test(compact) && compact.replace(/\D/g, '').length >= 6;
  return isNumber ? compact.replace(/[oO]/g, '0') : undefined;
}

function withCountryCode(national: string): PhoneResult {
  const significant = national.replace(/^0/, '');
  return vietnamese(significant) ?? refused(significant);
}

/** The mobile prefixes of eleven-digit numbers and what replaced them on 15 September 2018. */
const RENUMBERED: ReadonlyMap<string, string> = new Map(
  [
    ...['120 70', '121 79', '122 77', '123 83', '124 84', '125 85', '126 76', '127 81', '128 78', '129 82'],
    ...['162 32', '163 33', '164 34', '165 35', '166 36', '167 37', '168 38', '169 39'],
    ...['186 56', '188 58', '199 59'],
  ].map((pair) => [pair.slice(0, 3), pair.slice(4)] as const),
);

/** `national` without its leading zero. */
function vietnamese(national: string): Extract<PhoneResult, { ok: true }> | undefined {
  if (/^(?:[35789]\d{8}|2\d{9})$/.test(national)) return { ok: true, value: `+84${national}` };
  const renumbered = /^\d{10}$/.test(national) ? RENUMBERED.get(national.slice(0, 3)) : undefined;
  return renumbered === undefined
    ? undefined
    : { ok: true, value: `+84${renumbered}${national.slice(3)}`, ask: 'mapped' };
}

function refused(national: string): PhoneResult {
  const longest = /^[12]/.test(national) ? 10 : 9;
  const shortest = national.startsWith('2') ? 10 : 9;
  if (national.length < shortest) return { ok: false, reason: 'phone.short' };
  return { ok: false, reason: national.length > longest ? 'phone.long' : 'phone.shape' };
}

function foreign(digits: string): PhoneResult {
  if (!/^[1-9]/.test(digits)) return { ok: false, reason: 'phone.shape' };
  if (digits.length > 17) return { ok: false, reason: 'phone.long' };
  const parsed = parsePhoneNumberFromString(`+${digits}`);
  // Possible, not valid: the library's number ranges age, and a refused customer can do nothing about it.
  if (parsed?.isPossible()) return { ok: true, value: parsed.number };
  switch (validatePhoneNumberLength(`+${digits}`)) {
    case 'TOO_SHORT':
      return { ok: false, reason: 'phone.short' };
    case 'TOO_LONG':
      return { ok: false, reason: 'phone.long' };
    default:
      return { ok: false, reason: 'phone.shape' };
  }
}
