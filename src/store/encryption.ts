import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { realWorld, type World } from '../engine/world.ts';
import { createRecent } from './recent.ts';

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
  name(kind: 'conversation' | 'customer' | 'quota' | 'check', value: string): string;
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

/** Whoever writes wrote a moment ago, mostly. */
const RECENT = 4000;
const RECENT_MS = 60_000;

export function createEncryption(
  { key, previous, hashKey }: Keys,
  world: Pick<World, 'bytes'> = realWorld,
): Encryption {
  // Key objects, made once: a key given as bytes is turned into one at every call, which costs more than the cipher.
  const nameKey = createSecretKey(hashKey);
  const names = createRecent<string>(RECENT, RECENT_MS);
  const current = key && subkeysOf(key);
  const known = [current, previous && subkeysOf(previous)].filter((one) => one !== undefined);

  return {
    name(kind, value) {
      const plain = `${kind}\0${value}`;
      let name = names.get(plain);
      if (name === undefined) {
        const digest = createHmac('sha256', nameKey).update(plain).digest();
        name = digest.toString('base64url', 0, NAME_BYTES);
        names.set(plain, name);
      }
      return name;
    },

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
  const recent = createRecent<KeyObject>(RECENT, RECENT_MS);
  return (name) => {
    let subkey = recent.get(name);
    if (subkey === undefined) {
      subkey = createSecretKey(Buffer.from(hkdfSync('sha256', whole, '', name, KEY_BYTES)));
      recent.set(name, subkey);
    }
    return subkey;
  };
}
