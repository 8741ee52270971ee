import { visible } from '../fold.ts';

/** Digits and the letters that are typed for them. */
const AS_DIGITS: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' };
const AS_LETTERS: Readonly<Record<string, string>> = { '0': 'O', '1': 'I', L: 'I' };

/**
 * The code that was probably meant: the same with a known beginning in its own capitals, with O and I there and 0 and 1 in
 * a number after it, without blanks and dashes. Undefined where nothing tells that this one is wrong; only the customer can say so.
 */
export function codeMeant(code: string, beginnings: readonly string[]): string | undefined {
  const joined = code.replace(/[ -]/g, '');
  for (const beginning of beginnings) {
    const [typed, rest] = [joined.slice(0, beginning.length), joined.slice(beginning.length)];
    if (rest === '' || alike(typed) !== alike(beginning)) continue;
    const number = [...rest].map((letter) => AS_DIGITS[letter.toUpperCase()] ?? letter).join('');
    const meant = beginning + (/^\d{4,}$/.test(number) ? number : rest);
    return meant === code ? undefined : meant;
  }
  return undefined;
}

/** Shorter numbers beside a word ("tivi 55 inch") are no codes. */
const MIN_DIGITS = 6;

/** A code that was written with blanks inside, as it was written: "TIVI 000 000 633". */
export function spacedCode(text: string, beginnings: readonly string[]): string | undefined {
  if (beginnings.length === 0) return undefined;
  const beginning = beginnings.map((one) => RegExp.escape(one)).join('|');
  const [code = ''] =
    new RegExp(`(?<![\\p{L}\\p{N}])(?:${beginning})(?: ?\\d+)+(?![\\p{L}\\p{N}])`, 'iu').exec(
      visible(text),
    ) ?? [];
  return code.includes(' ') && code.replace(/\D/g, '').length >= MIN_DIGITS ? code : undefined;
}

/** Whether a code begins as known ones do, slips aside. */
export function hasBeginning(code: string, beginnings: readonly string[]): boolean {
  return beginnings.some(
    (beginning) =>
      code.length > beginning.length && alike(code.slice(0, beginning.length)) === alike(beginning),
  );
}

/** Whether two codes differ in no more than what is easily taken for something else: capitals, O and 0, I, l and 1. */
export function isAlike(one: string, other: string): boolean {
  return alike(one) === alike(other);
}

/** The same for texts that are easily taken for one another. */
function alike(text: string): string {
  return [...text.toUpperCase()].map((letter) => AS_LETTERS[letter] ?? letter).join('');
}
