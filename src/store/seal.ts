import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import { createRecent } from './recent.ts';

/**
 * Names and seals what is stored, so that stores see keyed hashes and opaque bytes only.
 *
 * A sealed blob is `format (1 byte) | key id (1) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM with a random
 * nonce: good for 2^32 blobs a key. Without a key (development) it is `format | plain text`.
 */
export type Seal = {
  /** A keyed hash, 128 bits as base64url: what conversations and customers are called in stores and logs. */
  name(kind: 'conversation' | 'customer' | 'quota' | 'check', value: string): string;
  /** Seals `plain`. `associated` says what it is and whose; it is not stored, and must be the same to open it. */
  seal(associated: string, plain: string): Buffer;
  /** Opens what `seal` made with the present key or the previous one; throws `SealBroken`. */
  open(associated: string, sealed: Buffer): string;
};

/** Something stored was not sealed with our keys, or belongs elsewhere, or was changed. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

export type SealKeys = {
  /** 32 bytes, each. Without `key`, blobs are plain; with it, plain blobs are refused. */
  readonly key?: Buffer | undefined;
  /** Opens what was sealed before the key was rotated. */
  readonly previous?: Buffer | undefined;
  /** Never rotates: everything stored is found by it. */
  readonly hashKey: Buffer;
};

const PLAIN = 0;
const AES_256_GCM = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 2 + NONCE_BYTES;
const NAME_BYTES = 16;

/** Most writers wrote a moment ago: looking a name up takes a tenth of the time that hashing takes. */
const RECENT_NAMES = 4000;
const RECENT_MS = 60_000;

export function createSeal({ key, previous, hashKey }: SealKeys): Seal {
  // Key objects, made once: a key given as bytes is turned into one at every call, which costs more than the cipher.
  const names = createSecretKey(hashKey);
  const current = key && keyOf(key);
  const recent = createRecent<string>(RECENT_NAMES, RECENT_MS);
  const known = [current, previous && keyOf(previous)].filter((one) => one !== undefined);

  return {
    name(kind, value) {
      const plain = `${kind}\0${value}`;
      let name = recent.get(plain);
      if (name === undefined) {
        const digest = createHmac('sha256', names).update(plain).digest();
        name = digest.toString('base64url', 0, NAME_BYTES);
        recent.set(plain, name);
      }
      return name;
    },

    seal(associated, plain) {
      if (current === undefined) return Buffer.concat([Buffer.of(PLAIN), Buffer.from(plain)]);
      const nonce = nextNonce();
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce).setAAD(Buffer.from(associated));
      const body = cipher.update(plain, 'utf8');
      // Yields nothing in a stream mode, but makes the tag.
      cipher.final();
      return Buffer.concat([current.header, nonce, body, cipher.getAuthTag()]);
    },

    open(associated, sealed) {
      if (sealed[0] === PLAIN && current === undefined) return sealed.toString('utf8', 1);
      if (sealed[0] === AES_256_GCM && sealed.length >= HEADER_BYTES + TAG_BYTES) {
        for (const one of known) {
          // Two keys can share an id of one byte, so a failure is no proof yet.
          const plain = one.id === sealed[1] ? decipher(one.key, associated, sealed) : null;
          if (plain !== null) return plain;
        }
      }
      throw new SealBroken('a stored blob cannot be opened');
    },
  };
}

/** Null where key, associated data or bytes do not fit together. */
function decipher(key: KeyObject, associated: string, sealed: Buffer): string | null {
  const nonce = sealed.subarray(2, HEADER_BYTES);
  const end = sealed.length - TAG_BYTES;
  const opening = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(associated))
    .setAuthTag(sealed.subarray(end));
  try {
    const plain = opening.update(sealed.subarray(HEADER_BYTES, end));
    // Yields nothing in a stream mode, but checks the tag.
    opening.final();
    return plain.toString();
  } catch {
    return null;
  }
}

/** `header`: how a blob sealed with it begins. */
type Key = { readonly id: number; readonly header: Buffer; readonly key: KeyObject };

function keyOf(bytes: Buffer): Key {
  const id = createHmac('sha256', bytes).update('key id').digest().readUInt8();
  return { id, header: Buffer.of(AES_256_GCM, id), key: createSecretKey(bytes) };
}

/** Random bytes are drawn in bulk: a call for twelve costs as much as one for thousands. */
const nonces = Buffer.alloc(256 * NONCE_BYTES);
let used = nonces.length;

/** To be used at once: the memory is used again. */
function nextNonce(): Buffer {
  if (used === nonces.length) {
    randomFillSync(nonces);
    used = 0;
  }
  used += NONCE_BYTES;
  return nonces.subarray(used - NONCE_BYTES, used);
}
