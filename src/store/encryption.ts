import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Runtime, systemRuntime } from '../runtime.ts';
import { StoreRefused } from './port.ts';

/**
 * Names and seals what is stored, so that a store sees keyed hashes and opaque bytes only.
 *
 * Sealed bytes are `schema (1 byte) | nonce (12) | AES-256-GCM | tag (16)`. Schema and nonce are a record's
 * version (`versionOf`). Each name has a subkey of its own, because random nonces bound what one key may seal
 * (2^32). Without a key (development) the bytes are `schema | nonce | plain bytes`.
 *
 * @example
 * const name = encryption.name('conversation', 'telegram\u0000475');
 * const sealed = encryption.seal(`c:${name}`, plain);
 * const again = encryption.open(`c:${name}`, sealed);
 */
export type Encryption = {
  /** A keyed hash, 128 bits as base64url: the name of a conversation or customer in stores and logs. */
  name(kind: 'conversation' | 'customer' | 'check', value: string): string;
  /** Seals `plain` for `name`, which is not stored and must be the same to open it. */
  seal(name: string, plain: Buffer): Buffer;
  /** Opens bytes that `seal` made with the present or the previous key; throws `SealBroken`. */
  open(name: string, sealed: Uint8Array): Buffer;
};

/** Stored bytes were sealed with other keys or for another name, or somebody changed them. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

export type Keys = {
  /** 32 bytes each. Without `key`, bytes are plain; with it, plain bytes are refused. */
  readonly key?: Buffer | undefined;
  /** Opens bytes that were sealed before a rotation, or, in its first round, with the next key. */
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

/** Most messages come from somebody who wrote a moment ago, so this many names and subkeys are remembered. */
const REMEMBERED = 4000;

/** `onPrevious`: hears each time that the previous key opened something. */
export function createEncryption(
  { key, previous, hashKey, onPrevious }: Keys & { readonly onPrevious?: (() => void) | undefined },
  runtime: Pick<Runtime, 'bytes'> = systemRuntime,
): Encryption {
  // Key objects are made once: node turns a key given as bytes into one at every call, which costs more than
  // the cipher.
  const nameKey = createSecretKey(hashKey);
  const nameOf = memoize((plain) =>
    createHmac('sha256', nameKey).update(plain).digest().toString('base64url', 0, NAME_BYTES),
  );
  const current = key && subkeysOf(key);
  const openers = [current, previous && subkeysOf(previous)].filter((subkey) => subkey !== undefined);

  return {
    name: (kind, value) => nameOf(`${kind}\0${value}`),

    seal(name, plain) {
      const nonce = runtime.bytes(NONCE_BYTES);
      if (current === undefined) return Buffer.concat([Buffer.of(PLAIN), nonce, plain]);
      const cipher = createCipheriv('aes-256-gcm', current(name), nonce).setAAD(Buffer.from(name));
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
        for (const subkey of openers) {
          const plain = decipher(subkey(name), name, sealed);
          if (plain === null) continue;
          if (subkey !== current) onPrevious?.();
          return plain;
        }
      }
      throw new SealBroken('stored bytes cannot be opened');
    },
  };
}

/** Null if key, name and bytes do not fit together. */
function decipher(key: KeyObject, name: string, sealed: Uint8Array): Buffer | null {
  const nonce = sealed.subarray(1, HEADER_BYTES);
  const end = sealed.length - TAG_BYTES;
  const opening = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
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

/** The key of each name (RFC 5869). */
function subkeysOf(key: Buffer): (name: string) => KeyObject {
  const whole = createSecretKey(key);
  return memoize((name) => createSecretKey(Buffer.from(hkdfSync('sha256', whole, '', name, KEY_BYTES))));
}

/** Makes a value once for each of the last names. */
function memoize<Value extends string | object>(make: (name: string) => Value): (name: string) => Value {
  const values = new LRUCache<string, Value>({ max: REMEMBERED });
  return (name) => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const value = make(name);
    values.set(name, value);
    return value;
  };
}

/**
 * Every store carries a check value, so that a process with other keys touches nothing: it would find nobody
 * (`HASH_KEY`), or begin every conversation anew (`STATE_KEY`). It holds a hash made with `HASH_KEY`, and
 * seals of the last two state keys: two, because processes restart one after another while a key is changed.
 *
 * `stored`: the values in the store: none if it is empty, two if a process died while it replaced them.
 * Answers the value that it must have from now on: the same, or, if our state key is new, one with its seal
 * and the seal that we opened. Throws `StoreRefused` if the hash is another one or our keys open no seal.
 */
export type Canary = (stored: readonly string[]) => string;

const CANARY = 'check';
/** `state`: the seal of the newest key. `past`: the seal of the other one. Both are base64. */
const canarySchema = z.object({ hash: z.string(), state: z.string(), past: z.array(z.string()) });

export function createCanary(keys: Keys): Canary {
  const encryption = createEncryption(keys);
  const present = createEncryption({ key: keys.key, hashKey: keys.hashKey });
  const hash = encryption.name(CANARY, 'HASH_KEY');
  const names = keys.previous ? 'STATE_KEY, STATE_KEY_PREVIOUS' : 'STATE_KEY';
  const format = ([state, ...past]: readonly string[]): string => JSON.stringify({ hash, state, past });
  const sealAnew = (): string => encryption.seal(CANARY, Buffer.from(hash)).toString('base64');

  return (stored) => {
    if (stored.length === 0) return format([sealAnew()]);
    const seals = new Set<string>();
    for (const canary of stored.map(parseCanary)) {
      if (canary.hash !== hash) throw refuseKey('HASH_KEY', 'one that did not name what it holds');
      for (const seal of [canary.state, ...canary.past.filter(isSeal)]) seals.add(seal);
    }
    const ours = [...seals].find((seal) => opens(present, seal));
    // Of three seals one is too old.
    if (ours !== undefined) return format(seals.size > 2 ? [ours] : [...seals]);
    const other = [...seals].find((seal) => opens(encryption, seal));
    if (other === undefined) throw refuseKey(names, 'none that opens what it holds');
    return format([sealAnew(), other]);
  };
}

/** Bots of d013fc0 wrote short fingerprints of their former keys instead: these go. */
const isSeal = (text: string): boolean => Buffer.from(text, 'base64').length > HEADER_BYTES;

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
