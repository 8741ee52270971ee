import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { z } from 'zod';
import { realWorld, type World } from '../engine/world.ts';
import { StoreRefused } from './port.ts';

/**
 * Names and seals what is stored, so that a store sees keyed hashes and opaque bytes only.
 *
 * Sealed bytes are `schema (1 byte) | nonce (12) | AES-256-GCM | tag (16)`. Schema and nonce are a record's version
 * (`versionOf`). Each name has a subkey of its own, so that 2^32 random nonces are enough for one name, not for all. Without
 * a key (development) they are `schema | nonce | plain bytes`.
 *
 * @example
 * const name = encryption.name('conversation', 'telegram\0475');
 * const sealed = encryption.seal(`c:${name}`, plain);
 * const again = encryption.open(`c:${name}`, sealed);
 */
export type Encryption = {
  /** A keyed hash, 128 bits as base64url: what conversations and customers are called in stores and logs. */
  name(kind: 'conversation' | 'customer' | 'check', value: string): string;
  /** Seals `plain`. `name` says whose it is; it is not stored, and must be the same to open it. */
  seal(name: string, plain: Buffer): Buffer;
  /** Opens what `seal` made with the present key or the previous one; throws `SealBroken`. */
  open(name: string, sealed: Uint8Array): Buffer;
};

/** Something stored was not sealed with our keys, or belongs elsewhere, or was changed. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

export type Keys = {
  /** 32 bytes, each. Without `key`, bytes are plain; with it, plain bytes are refused. */
  readonly key?: Buffer | undefined;
  /** Opens what was sealed before the key was rotated. */
  readonly previous?: Buffer | undefined;
  /** Never rotates: everything stored is found by it. */
  readonly hashKey: Buffer;
};

const PLAIN = 0;
const SEALED = 1;
const NONCE_BYTES = 12;
const HEADER_BYTES = 1 + NONCE_BYTES;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const NAME_BYTES = 16;

/** Whoever writes wrote a moment ago, mostly: so many names and subkeys are remembered. */
const REMEMBERED = 4000;

export function createEncryption(
  { key, previous, hashKey }: Keys,
  world: Pick<World, 'bytes'> = realWorld,
): Encryption {
  // Key objects, made once: a key given as bytes is turned into one at every call, which costs more than the cipher.
  const nameKey = createSecretKey(hashKey);
  const nameOf = remembering((plain) =>
    createHmac('sha256', nameKey).update(plain).digest().toString('base64url', 0, NAME_BYTES),
  );
  const current = key && subkeysOf(key);
  const known = [current, previous && subkeysOf(previous)].filter((one) => one !== undefined);

  return {
    name: (kind, value) => nameOf(`${kind}\0${value}`),

    seal(name, plain) {
      const nonce = world.bytes(NONCE_BYTES);
      if (current === undefined) return Buffer.concat([Buffer.of(PLAIN), nonce, plain]);
      const cipher = createCipheriv('aes-256-gcm', current(name), nonce).setAAD(Buffer.from(name));
      const body = cipher.update(plain);
      // Yields nothing in a stream mode, but makes the tag.
      cipher.final();
      return Buffer.concat([Buffer.of(SEALED), nonce, body, cipher.getAuthTag()]);
    },

    open(name, sealed) {
      if (sealed[0] === PLAIN && current === undefined && sealed.length >= HEADER_BYTES) {
        return Buffer.from(sealed.subarray(HEADER_BYTES));
      }
      if (sealed[0] === SEALED && sealed.length >= HEADER_BYTES + TAG_BYTES) {
        for (const subkey of known) {
          const plain = decipher(subkey(name), name, sealed);
          if (plain !== null) return plain;
        }
      }
      throw new SealBroken('stored bytes cannot be opened');
    },
  };
}

/** Null where key, name and bytes do not fit together. */
function decipher(key: KeyObject, name: string, sealed: Uint8Array): Buffer | null {
  const nonce = sealed.subarray(1, HEADER_BYTES);
  const end = sealed.length - TAG_BYTES;
  const opening = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(sealed.subarray(end));
  try {
    const plain = opening.update(sealed.subarray(HEADER_BYTES, end));
    // Yields nothing in a stream mode, but checks the tag.
    opening.final();
    return plain;
  } catch {
    return null;
  }
}

/** The key of each name (RFC 5869). */
function subkeysOf(key: Buffer): (name: string) => KeyObject {
  const whole = createSecretKey(key);
  return remembering((name) => createSecretKey(Buffer.from(hkdfSync('sha256', whole, '', name, KEY_BYTES))));
}

/** Makes each once, as long as it is remembered; where there are too many, all begin anew. */
function remembering<Made>(make: (name: string) => Made): (name: string) => Made {
  const known = new Map<string, Made>();
  return (name) => {
    let made = known.get(name);
    if (made === undefined) {
      if (known.size >= REMEMBERED) known.clear();
      made = make(name);
      known.set(name, made);
    }
    return made;
  };
}

/** What bots up to b157c93 wrote where the check value lies: the layout of their keys. They refuse anything else. */
const OLDER = /^\d$/;
/** How many state keys that were replaced are remembered. */
const PAST_KEYS = 20;
/** `hash`, `state`: what the keys make of a fixed text. `past`: the state keys before, which never replace a later one. */
const checkSchema = z.looseObject({ hash: z.string(), state: z.string(), past: z.array(z.string()) });
const CHECK = 'check';

/**
 * What a store says of its keys (the `Word` of a store), so that a process with other ones touches nothing: it would find
 * nobody (`HASH_KEY`), or begin every conversation anew (`STATE_KEY`).
 */
export function createKeyChecks(keys: Keys): { make(): string; verify(stored: string): string | null } {
  const { key, hashKey, previous } = keys;
  const [all, present] = [createEncryption(keys), createEncryption({ key, hashKey })];
  const hash = all.name(CHECK, 'HASH_KEY');
  const mark = key ? createHmac('sha256', key).update(CHECK).digest('hex').slice(0, 16) : 'none';
  const written = (past: readonly string[]): string =>
    JSON.stringify({ hash, state: all.seal(CHECK, Buffer.from(mark)).toString('base64'), past });
  const stateKeys = previous === undefined ? 'STATE_KEY' : 'STATE_KEY, STATE_KEY_PREVIOUS';

  return {
    make: () => written([]),
    /** Answers another one where the state key was changed, and the one before opens it. Throws `StoreRefused`. */
    verify(stored) {
      const { state, past, ...check } = readCheck(stored);
      if (check.hash !== hash) throw otherKey('HASH_KEY', 'one that did not name what it holds');
      const sealed = Buffer.from(state, 'base64');
      const last = opened(all, sealed);
      if (last === null) throw otherKey(stateKeys, 'none that opens what it holds');
      // While a key is changed, processes that write with the old one and the new one start in any order.
      if (opened(present, sealed) !== null || past.includes(mark)) return null;
      return written([...past, last].slice(-PAST_KEYS));
    },
  };
}

function readCheck(stored: string): z.infer<typeof checkSchema> {
  if (OLDER.test(stored)) {
    throw new StoreRefused(
      `REDIS_URL: got a store that an older version of the bot wrote (layout ${stored}), wants one of this version: start the version that wrote it, or name an empty store`,
    );
  }
  try {
    return checkSchema.parse(JSON.parse(stored));
  } catch {
    throw otherKey('HASH_KEY, STATE_KEY', 'a check value that cannot be read');
  }
}

const otherKey = (name: string, what: string): StoreRefused =>
  new StoreRefused(
    `${name}: for the store of REDIS_URL got ${what}, wants its key: set the key that its bots have, or name another store (docs/operators.md, "Changing keys")`,
  );

function opened(encryption: Encryption, sealed: Buffer): string | null {
  try {
    return encryption.open(CHECK, sealed).toString();
  } catch {
    return null;
  }
}
