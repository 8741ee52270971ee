import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createEncryption, createKeyChecks, type Keys, SealBroken } from '../../src/store/encryption.ts';
import { versionOf } from '../../src/store/port.ts';

const hashKey = randomBytes(32);
const key = randomBytes(32);
const plain = Buffer.from('Số điện thoại: +84867123456 🎁');

describe('names', () => {
  test('are the same for the same thing, and tell nothing about it', () => {
    const seal = createEncryption({ hashKey });
    expect(seal.name('customer', '475')).toBe(seal.name('customer', '475'));
    expect(seal.name('customer', '475')).toMatch(/^[\w-]{22}$/);
  });

  test('differ by kind, value and key', () => {
    const seal = createEncryption({ hashKey });
    const names = [
      seal.name('customer', '475'),
      seal.name('conversation', '475'),
      seal.name('customer', '476'),
      createEncryption({ hashKey: randomBytes(32) }).name('customer', '475'),
    ];
    expect(new Set(names).size).toBe(4);
  });

  test('do not depend on the state key, so that it can be rotated', () => {
    expect(createEncryption({ hashKey, key }).name('customer', '475')).toBe(
      createEncryption({ hashKey }).name('customer', '475'),
    );
  });
});

describe('sealing', () => {
  const seal = createEncryption({ hashKey, key });

  test('opens what it sealed', () => {
    for (const bytes of [plain, Buffer.alloc(0), randomBytes(100_000)]) {
      expect(seal.open('a', seal.seal('a', bytes))).toEqual(bytes);
    }
  });

  test('shows nothing of the text, and never makes the same blob twice', () => {
    const [one, two] = [seal.seal('a', plain), seal.seal('a', plain)];
    expect(one.includes(Buffer.from('867123456'))).toBe(false);
    expect(one.equals(two)).toBe(false);
  });

  test('begins with what tells it from every other one: the schema and a nonce', () => {
    const sealed = [
      seal.seal('a', plain),
      seal.seal('a', plain),
      createEncryption({ hashKey }).seal('a', plain),
    ];
    expect(sealed.map((blob) => blob[0])).toEqual([1, 1, 0]);
    expect(new Set(sealed.map((blob) => Buffer.from(versionOf(blob)).toString('hex'))).size).toBe(3);
    const world = { bytes: (count: number) => Buffer.alloc(count, 7) };
    const first = createEncryption({ hashKey, key }, world).seal('a', plain);
    expect(first.subarray(1, 13)).toEqual(Buffer.alloc(12, 7));
  });

  test('seals each name with a key of its own', () => {
    const world = { bytes: (count: number) => Buffer.alloc(count) };
    const fixed = createEncryption({ hashKey, key }, world);
    const [one, other] = ['a', 'b'].map((name) => fixed.seal(name, plain).subarray(13, -16));
    expect(one).not.toEqual(other);
  });

  test('a blob moved to another conversation or kind is refused', () => {
    const blob = seal.seal('state:one', plain);
    expect(() => seal.open('state:two', blob)).toThrow(SealBroken);
    expect(() => seal.open('message:one', blob)).toThrow(SealBroken);
  });

  test('a blob that was changed anywhere is refused', () => {
    const blob = seal.seal('a', plain);
    for (let at = 0; at < blob.length; at++) {
      const changed = Buffer.from(blob);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => seal.open('a', changed)).toThrow(SealBroken);
    }
  });

  test('a blob that was cut is refused', () => {
    const blob = seal.seal('a', plain);
    for (let length = 0; length < blob.length; length++) {
      expect(() => seal.open('a', blob.subarray(0, length))).toThrow(SealBroken);
    }
  });

  test('after a rotation, old blobs open with the previous key and new ones are sealed with the new', () => {
    const rotated = createEncryption({ hashKey, key: randomBytes(32), previous: key });
    expect(rotated.open('a', seal.seal('a', plain))).toEqual(plain);
    expect(rotated.open('a', rotated.seal('a', plain))).toEqual(plain);
    expect(() => seal.open('a', rotated.seal('a', plain))).toThrow(SealBroken);
  });

  test('a key is changed without a pause in two rounds: first all can read the new one, then write with it', () => {
    const next = randomBytes(32);
    const first = createEncryption({ hashKey, key, previous: next });
    const second = createEncryption({ hashKey, key: next, previous: key });
    for (const [one, other] of [
      [seal, first],
      [first, second],
    ] as const) {
      expect(one.open('a', other.seal('a', plain))).toEqual(plain);
      expect(other.open('a', one.seal('a', plain))).toEqual(plain);
    }
  });

  test('a blob of an unknown key is refused', () => {
    const other = createEncryption({ hashKey, key: randomBytes(32) });
    expect(() => other.open('a', seal.seal('a', plain))).toThrow(SealBroken);
  });
});

describe('without a key', () => {
  const open = createEncryption({ hashKey });

  test('blobs are plain, for development', () => {
    expect(open.open('a', open.seal('a', plain))).toEqual(plain);
    expect(open.seal('a', plain).includes(plain)).toBe(true);
  });

  test('plain blobs are refused as soon as there is a key', () => {
    const sealed = createEncryption({ hashKey, key });
    expect(() => sealed.open('a', open.seal('a', plain))).toThrow(SealBroken);
  });

  test('sealed blobs are refused', () => {
    expect(() => open.open('a', createEncryption({ hashKey, key }).seal('a', plain))).toThrow(SealBroken);
  });
});

describe('what a store says of its keys', () => {
  const verify = (keys: Keys, stored = createKeyChecks({ hashKey, key }).make()) =>
    createKeyChecks(keys).verify(stored);
  const other = randomBytes(32);

  test('fits them, and no others', () => {
    expect(verify({ hashKey, key })).toBeNull();
    expect(() => verify({ hashKey: other, key })).toThrow(/^HASH_KEY: /);
    expect(() => verify({ hashKey, key: other })).toThrow(/^STATE_KEY: /);
    const previous = randomBytes(32);
    expect(() => verify({ hashKey, key: other, previous })).toThrow(/^STATE_KEY, STATE_KEY_PREVIOUS: /);
  });

  test('is said anew where the state key was changed, and is not taken back by who is late', () => {
    const changed = verify({ hashKey, key: other, previous: key }) ?? '';
    expect(verify({ hashKey, key: other }, changed)).toBeNull();
    expect(verify({ hashKey, key, previous: other }, changed)).toBeNull();
    expect(() => verify({ hashKey, key }, changed)).toThrow(/^STATE_KEY: /);
  });
});
