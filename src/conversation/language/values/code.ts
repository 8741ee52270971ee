import { unmark, visible } from '../fold.ts';
import { QUOTES, trimEdges } from '../trim.ts';

export type CodeResult =
  | { readonly ok: true; readonly value: string }
  | {
      readonly ok: false;
      readonly reason: 'code.shape' | 'code.vietnamese' | 'code.long' | 'code.short';
    };

const SHAPE = /^[A-Za-z0-9._-]+$/;

/**
 * Reads an accumulation code or a gift's: 4–64 of `A–Z a–z 0–9 . _ -`, case kept, quotes and blanks around it dropped.
 * Nothing inside is repaired, blanks neither: a code that was guessed could be somebody else's. Vietnamese letters
 * mean that the keyboard rewrote what was typed, and the customer is told so.
 */
export function parseCode(text: string): CodeResult {
  const code = trimEdges(visible(text), `${QUOTES} `);
  if (!SHAPE.test(code)) {
    const mangled = code !== '' && SHAPE.test(unmark(code.normalize('NFC')));
    return { ok: false, reason: mangled && isLatin(code) ? 'code.vietnamese' : 'code.shape' };
  }
  if (code.length > 64) return { ok: false, reason: 'code.long' };
  return code.length < 4 ? { ok: false, reason: 'code.short' } : { ok: true, value: code };
}

/** Compatibility forms (full-width letters, ligatures) unmark to Latin letters too, and no Vietnamese keyboard types them. */
function isLatin(code: string): boolean {
  return code.normalize('NFKC') === code.normalize('NFC');
}

/** So many digits and so few letters are a phone number with a slip rather than a code. */
const DIGITS = 7;
const LETTERS = 2;
const MAIL = /(?:gmail|yahoo|hotmail|outlook|icloud)|\.(?:com|con|cm|vn|net|org)$/i;

/** Whether a word of a code's shape is more likely a mistyped phone ("091234567a") or e-mail ("minh2gmail.com"). */
export function looksLikeIdentity(code: string): boolean {
  const count = (sort: RegExp): number => code.match(sort)?.length ?? 0;
  return MAIL.test(code) || (count(/\d/g) >= DIGITS && count(/[A-Za-z]/g) <= LETTERS);
}
