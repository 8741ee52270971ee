import { timingSafeEqual } from 'node:crypto';

/** Compares in a time that depends on the lengths only. */
export function isSecret(given: string, secret: string): boolean {
  const shown = Buffer.from(given);
  const expected = Buffer.from(secret);
  return shown.length === expected.length && timingSafeEqual(shown, expected);
}
