import { randomFillSync } from 'node:crypto';
import type { Context } from './conversation/context.ts';

/** Crockford's base32: no letter that can be taken for a digit, so that a reference can be read out. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const OPERATION_LENGTH = 10;
const VIEW_LENGTH = 6;

const pool = Buffer.alloc(4096);
let used = pool.length;

/**
 * Fresh unguessable ids: an operation's is also the reference that the customer is given (50 bits); a view's tells one
 * question of a conversation from another (30 bits). Random bytes are drawn many at a time: each draw is a system call.
 */
export function newIds(): Context['ids'] {
  return { operation: word(OPERATION_LENGTH), view: word(VIEW_LENGTH) };
}

function word(length: number): string {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let letters = '';
  for (const byte of pool.subarray(used, used + length)) letters += ALPHABET[byte & 31];
  used += length;
  return letters;
}
