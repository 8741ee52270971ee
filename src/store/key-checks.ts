import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { createEncryption, type Encryption, type Keys, SealBroken } from './encryption.ts';
import { StoreRefused } from './port.ts';

/**
 * Tells whether a process has the keys of a store, by a check value that lies in the store. With wrong ones it would find
 * nobody (`HASH_KEY`), or begin every conversation anew (`STATE_KEY`).
 */
export type KeyChecks = {
  /** The check value of these keys. */
  make(): string;
  /**
   * What the check value is to be from now on, where that is another: the state key was changed, and the one before opens
   * it. Throws `StoreRefused`.
   */
  verify(stored: string): string | null;
};

/** How many state keys that were replaced are remembered. */
const PAST_KEYS = 20;

/** `hash`, `state`: what the keys make of a fixed text. `past`: the state keys before, which never replace a later one. */
const checkSchema = z.looseObject({ hash: z.string(), state: z.string(), past: z.array(z.string()) });

export function createKeyChecks(keys: Keys): KeyChecks {
  const { key, hashKey, previous } = keys;
  const [any, present] = [createEncryption(keys), createEncryption({ key, hashKey })];
  const hash = any.name('check', 'HASH_KEY');
  const mark =
    key === undefined ? 'none' : createHmac('sha256', key).update('check').digest('hex').slice(0, 16);
  const written = (past: readonly string[]): string =>
    JSON.stringify({ hash, state: any.seal('check', Buffer.from(mark)).toString('base64'), past });
  const stateKeys = previous === undefined ? 'STATE_KEY' : 'STATE_KEY, STATE_KEY_PREVIOUS';

  return {
    make: () => written([]),
    verify(stored) {
      const { state, past, ...check } = read(stored);
      if (check.hash !== hash)
        throw new StoreRefused(wrong('HASH_KEY', 'one that did not name what it holds'));
      const sealed = Buffer.from(state, 'base64');
      if (!isOpenedBy(any, sealed)) throw new StoreRefused(wrong(stateKeys, 'none that opens what it holds'));
      // While a key is changed, processes that write with the old one and the new one start in any order.
      if (isOpenedBy(present, sealed) || past.includes(mark)) return null;
      return written([...past, any.open('check', sealed).toString()].slice(-PAST_KEYS));
    },
  };
}

const wrong = (name: string, what: string): string =>
  `${name}: for the store of REDIS_URL got ${what}, wants its key: set the key that its bots have, or name another store (docs/operators.md, "Changing keys")`;

function read(stored: string): z.infer<typeof checkSchema> {
  try {
    return checkSchema.parse(JSON.parse(stored));
  } catch {
    throw new StoreRefused(wrong('HASH_KEY, STATE_KEY', 'a check value that cannot be read'));
  }
}

function isOpenedBy(encryption: Encryption, sealed: Buffer): boolean {
  try {
    encryption.open('check', sealed);
    return true;
  } catch (error) {
    if (error instanceof SealBroken) return false;
    throw error;
  }
}
