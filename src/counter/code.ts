import type { Encryption } from '../store/port.ts';

/** Crockford's base32: people tell its letters apart. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LETTERS = 12;
const GROUP = /.{4}(?=.)/g;

/**
 * The code of a redemption, `7KQ2-M8XR-W4TD`: 60 bits of a keyed hash of its operation. It cannot be
 * guessed without the key, and nothing needs to store it.
 */
export function codeOf(encryption: Pick<Encryption, 'name'>, operation: string): string {
  const bytes = Buffer.from(encryption.name('gift', `code\0${operation}`), 'base64url');
  let letters = '';
  for (const byte of bytes.subarray(0, LETTERS)) letters += ALPHABET.charAt(byte & 31);
  return letters.replace(GROUP, '$&-');
}

/** A code as people type it or a picture has it; undefined: it is none. */
export function parseGiftCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{12}$/.test(letters) ? letters.replace(GROUP, '$&-') : undefined;
}
