import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSeal, SealBroken } from '../../src/store/seal.ts';

const hashKey = randomBytes(32);
const key = randomBytes(32);
const plain = 'Số điện thoại: +84867123456 🎁';

describe('names', () => {
  test('are the same for the same thing, and tell nothing about it', () => {
    const seal = createSeal({ hashKey });
    expect(seal.name('customer', '475')).toBe(seal.name('customer', '475'));
    expect(seal.name('customer', '475')).toMatch(/^[\w-]{22}$/);
  });

  test('differ by kind, value and key', () => {
    const seal = createSeal({ hashKey });
    const names = [
      seal.name('customer', '475'),
      seal.name('conversation', '475'),
      seal.name('customer', '476'),
      createSeal({ hashKey: randomBytes(32) }).name('customer', '475'),
    ];
    expect(new Set(names).size).toBe(4);
  });

  test('do not depend on the state key, so that it can be rotated', () => {
    expect(createSeal({ hashKey, key }).name('customer', '475')).toBe(
      createSeal({ hashKey }).name('customer', '475'),
    );
  });
});

describe('sealing', () => {
  const seal = createSeal({ hashKey, key });

  test('opens what it sealed', () => {
    for (const text of [plain, '', 'x'.repeat(100_000)])
      expect(seal.open('a', seal.seal('a', text))).toBe(text);
  });

  test('shows nothing of the text, and never makes the same blob twice', () => {
    const [one, two] = [seal.seal('a', plain), seal.seal('a', plain)];
    expect(one.includes(Buffer.from('867123456'))).toBe(false);
    expect(one.equals(two)).toBe(false);
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
    const rotated = createSeal({ hashKey, key: randomBytes(32), previous: key });
    expect(rotated.open('a', seal.seal('a', plain))).toBe(plain);
    expect(rotated.open('a', rotated.seal('a', plain))).toBe(plain);
    expect(() => seal.open('a', rotated.seal('a', plain))).toThrow(SealBroken);
  });

  test('a key is changed without a pause in two rounds: first all can read the new one, then write with it', () => {
    const next = randomBytes(32);
    const first = createSeal({ hashKey, key, previous: next });
    const second = createSeal({ hashKey, key: next, previous: key });
    for (const [one, other] of [
      [seal, first],
      [first, second],
    ] as const) {
      expect(one.open('a', other.seal('a', plain))).toBe(plain);
      expect(other.open('a', one.seal('a', plain))).toBe(plain);
    }
  });

  test('keys whose short ids collide are told apart', () => {
    for (let n = 0; n < 600; n++) {
      const previous = randomBytes(32);
      const blob = createSeal({ hashKey, key: previous }).seal('a', plain);
      const rotated = createSeal({ hashKey, key, previous });
      expect(rotated.open('a', blob)).toBe(plain);
    }
  });

  test('a blob of an unknown key is refused', () => {
    const other = createSeal({ hashKey, key: randomBytes(32) });
    expect(() => other.open('a', seal.seal('a', plain))).toThrow(SealBroken);
  });
});

describe('without a key', () => {
  const open = createSeal({ hashKey });

  test('blobs are plain, for development', () => {
    expect(open.open('a', open.seal('a', plain))).toBe(plain);
    expect(open.seal('a', plain).includes(Buffer.from(plain))).toBe(true);
  });

  test('plain blobs are refused as soon as there is a key', () => {
    const sealed = createSeal({ hashKey, key });
    expect(() => sealed.open('a', open.seal('a', plain))).toThrow(SealBroken);
  });

  test('sealed blobs are refused', () => {
    expect(() => open.open('a', createSeal({ hashKey, key }).seal('a', plain))).toThrow(SealBroken);
  });
});
