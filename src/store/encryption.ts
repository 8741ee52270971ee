import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Runtime, systemRuntime } from '../runtime.ts';
import { type Encryption, SealBroken, StoreRefused } from './port.ts';

/** 32 bytes each. */
export type Keys = {
  /** Without it (development) bytes are stored plain; with it, plain bytes are refused. */
  readonly key?: Buffer | undefined;
  /** Opens bytes that were sealed before a rotation, or, in its first round, with the next key. */
  readonly previous?: Buffer | undefined;
  /** It never rotates, because the names of everything stored are made with it. */
  readonly hashKey: Buffer;
};

const PLAIN = 0;
const SEALED = 1;
const NONCE_BYTES = 12;
const HEADER_BYTES = 1 + NONCE_BYTES;
const TAG_BYTES = 16;
const NO_SALT = Buffer.alloc(32);
const NAME_BYTES = 16;

/** This many names and subkeys are cached. */
const CACHED = 1000;

/**
 * Sealed bytes are `schema (1 byte) | nonce (12) | AES-256-GCM | tag (16)`. Schema and nonce are a record's
 * version (`versionOf`). Each name has its own subkey, because random nonces limit what one key may seal
 * (2^32). Without a key the bytes are `schema | nonce | plain bytes`.
 *
 * `onPrevious` is called each time the previous key opens something.
 */
export function createEncryption(
  { key, previous, hashKey, onPrevious }: Keys & { readonly onPrevious?: (() => void) | undefined },
  runtime: Pick<Runtime, 'bytes'> = systemRuntime,
): Encryption {
  // Made once: it costs more than the cipher.
  const nameKey = createSecretKey(hashKey);
  // Read and set by hand: lru-cache's `memo` takes twenty times as long as `get`.
  const names = new LRUCache<string, string>({ max: CACHED });
  const current = key && new Subkeys(key);
  const openers = [current, previous && new Subkeys(previous)].filter((subkeys) => subkeys !== undefined);

  return {
    name(kind, value) {
      const text = `${kind}\0${value}`;
      let name = names.get(text);
      if (name === undefined) {
        name = createHmac('sha256', nameKey).update(text).digest().toString('base64url', 0, NAME_BYTES);
        names.set(text, name);
      }
      return name;
    },

    seal(name, plain) {
      const nonce = runtime.bytes(NONCE_BYTES);
      if (current === undefined) return Buffer.concat([Buffer.of(PLAIN), nonce, plain]);
      const subkey = current.known.get(name) ?? current.derive(name);
      const cipher = createCipheriv('aes-256-gcm', subkey, nonce).setAAD(Buffer.from(name));
      const body = cipher.update(plain);
      // In a stream mode `final` yields no bytes, but makes the tag.
      cipher.final();
      return Buffer.concat([Buffer.of(SEALED), nonce, body, cipher.getAuthTag()]);
    },

    open(name, sealed) {
      if (sealed[0] === PLAIN && current === undefined && sealed.length >= HEADER_BYTES) {
        return Buffer.from(sealed.subarray(HEADER_BYTES));
      }
      if (sealed[0] === SEALED && sealed.length >= HEADER_BYTES + TAG_BYTES) {
        for (const subkeys of openers) {
          const plain = decipher(subkeys.known.get(name) ?? subkeys.derive(name), name, sealed);
          if (plain === null) continue;
          if (subkeys !== current) onPrevious?.();
          return plain;
        }
      }
      throw new SealBroken('stored bytes cannot be opened');
    },
  };
}

/** The key of each name (HKDF-SHA256, RFC 5869): `known.get(name) ?? derive(name)`. */
class Subkeys {
  /** The result of the extract step, which `hkdfSync` would repeat for each name. */
  readonly #key: KeyObject;
  readonly known = new LRUCache<string, KeyObject>({ max: CACHED });

  constructor(key: Buffer) {
    this.#key = createSecretKey(createHmac('sha256', NO_SALT).update(key).digest());
  }

  derive(name: string): KeyObject {
    const derived = createSecretKey(createHmac('sha256', this.#key).update(`${name}\x01`).digest());
    this.known.set(name, derived);
    return derived;
  }
}

/** Null if key, name and bytes do not fit together. */
function decipher(key: KeyObject, name: string, sealed: Uint8Array): Buffer | null {
  const nonce = sealed.subarray(1, HEADER_BYTES);
  const end = sealed.length - TAG_BYTES;
  const opening = createDecipheriv('aes-256-gcm', key, nonce)
    .setAAD(Buffer.from(name))
    .setAuthTag(sealed.subarray(end));
  try {
    const plain = opening.update(sealed.subarray(HEADER_BYTES, end));
    // In a stream mode `final` yields no bytes, but checks the tag.
    opening.final();
    return plain;
  } catch {
    return null;
  }
}

/**
 * Tells the check value that a store must have from now on. Every store carries one, so that a process with
 * other keys touches nothing: it would find nothing (another `HASH_KEY`), or start every conversation again
 * (another `STATE_KEY`). It holds a hash made with `HASH_KEY`, and seals of the last two state keys: two,
 * because processes restart one after another while a key is changed.
 *
 * `stored`, null: the store is empty. The answer is the same value, or, if our state key is new, one with its
 * seal and the seal that we opened. Throws `StoreRefused` if the hash is another one, or if our keys open no
 * seal.
 *
 * @example
 * const wanted = createCanary(keys)(await readCheckValue());
 */
export type Canary = (stored: string | null) => string;

const CANARY = 'check';
/** `state`: the seal of the newest key. `past`: the seals of one or two others. All are base64. */
const canarySchema = z.object({ hash: z.string(), state: z.string(), past: z.array(z.string()) });

export function createCanary(keys: Keys): Canary {
  const encryption = createEncryption(keys);
  const present = createEncryption({ key: keys.key, hashKey: keys.hashKey });
  const hash = encryption.name(CANARY, 'HASH_KEY');
  const names = keys.previous ? 'STATE_KEY, STATE_KEY_PREVIOUS' : 'STATE_KEY';
  const sealAnew = (past: readonly string[]): string => {
    const state = encryption.seal(CANARY, Buffer.from(hash)).toString('base64');
    return JSON.stringify({ hash, state, past });
  };

  return (stored) => {
    if (stored === null) return sealAnew([]);
    const canary = parseCanary(stored);
    if (canary.hash !== hash) throw refuseKey('HASH_KEY', 'one that did not name what it holds');
    const seals = [canary.state, ...canary.past];
    if (seals.some((seal) => opens(present, seal))) return stored;
    const other = seals.find((seal) => opens(encryption, seal));
    if (other === undefined) throw refuseKey(names, 'none that opens what it holds');
    // The newest seal may be of a process that got another new key: the two would replace each other for
    // ever.
    return sealAnew(other === canary.state ? [other] : [other, canary.state]);
  };
}

function parseCanary(stored: string): z.infer<typeof canarySchema> {
  try {
    return canarySchema.parse(JSON.parse(stored));
  } catch {
    throw refuseKey('HASH_KEY, STATE_KEY', 'a check value that cannot be read');
  }
}

const refuseKey = (name: string, got: string): StoreRefused =>
  new StoreRefused(
    `${name}: for the store of REDIS_URL got ${got}, wants its key: ` +
      'set the key that its bots have, or name another store (docs/operators.md, "Changing keys")',
  );

function opens(encryption: Encryption, seal: string): boolean {
  try {
    return encryption.open(CANARY, Buffer.from(seal, 'base64')) !== null;
  } catch {
    return false;
  }
}
