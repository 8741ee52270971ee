import type { Context } from './conversation/context.ts';
import { realWorld, type World } from './engine/world.ts';

/** Crockford's base32: no letter that can be taken for a digit, so that a reference can be read out. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Fresh unguessable ids: an operation's is also the reference that the customer is given (50 bits); a view's tells one
 * question of a conversation from another (30 bits).
 */
export function newIds(world: Pick<World, 'bytes'> = realWorld): Context['ids'] {
  function word(length: number): string {
    let made = '';
    for (const byte of world.bytes(length)) made += ALPHABET[byte & 31];
    return made;
  }
  return { operation: word(10), view: word(6) };
}
