import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createCanary, createEncryption, type Keys } from '../../src/store/encryption.ts';
import { SealBroken, StoreRefused, versionOf } from '../../src/store/port.ts';

const hashKey = randomBytes(32);
const key = randomBytes(32);
const otherKey = randomBytes(32);
const plain = Buffer.from('Số điện thoại: +84867123456 🎁');
const sealing = createEncryption({ hashKey, key });
const open = createEncryption({ hashKey });

test('names differ by kind, value and hash key, not by the state key, which is rotated', () => {
  const names = [
    ...[sealing, open, createEncryption({ hashKey: otherKey })].map((encryption) =>
      encryption.name('customer', '475'),
    ),
    ...[sealing.name('conversation', '475'), sealing.name('customer', '476')],
  ];
  expect(new Set(names).size).toBe(4);
});

test('a seal opens what it sealed', () => {
  for (const bytes of [plain, Buffer.alloc(0), randomBytes(100_000)]) {
    expect(sealing.open('a', sealing.seal('a', bytes))).toEqual(bytes);
  }
});

test('a seal shows nothing of the text, and begins with a version that never comes again', () => {
  const blobs = [sealing.seal('a', plain), sealing.seal('a', plain), open.seal('a', plain)];
  expect(blobs[0]?.includes(Buffer.from('867123456'))).toBe(false);
  expect(blobs.map((blob) => blob[0])).toEqual([1, 1, 0]);
  expect(new Set(blobs.map((blob) => Buffer.from(versionOf(blob)).toString('hex'))).size).toBe(3);
});

test('each name is sealed with a key of its own, by the nonce that is given', () => {
  const runtime = { bytes: (count: number) => Buffer.alloc(count, 7) };
  const fixed = createEncryption({ hashKey, key }, runtime);
  const [one, other] = ['a', 'b'].map((name) => fixed.seal(name, plain));
  expect(one?.subarray(1, 13)).toEqual(Buffer.alloc(12, 7));
  expect(one?.subarray(13, -16)).not.toEqual(other?.subarray(13, -16));
});

test('a blob that was moved to another conversation or kind, changed or cut anywhere is refused', () => {
  const blob = sealing.seal('state:one', plain);
  for (const name of ['state:two', 'message:one']) {
    expect(() => sealing.open(name, blob)).toThrow(SealBroken);
  }
  for (let at = 0; at < blob.length; at++) {
    const changed = Buffer.from(blob);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(() => sealing.open('state:one', changed)).toThrow(SealBroken);
    expect(() => sealing.open('state:one', blob.subarray(0, at))).toThrow(SealBroken);
  }
});

test('a key is changed without a pause in two rounds: first all can read the new one, then write with it', () => {
  const first = createEncryption({ hashKey, key, previous: otherKey });
  const opens: string[] = [];
  const onPrevious = () => void opens.push('previous');
  const second = createEncryption({ hashKey, key: otherKey, previous: key, onPrevious });
  for (const [one, other] of [
    [sealing, first],
    [first, second],
  ] as const) {
    expect(one.open('a', other.seal('a', plain))).toEqual(plain);
    expect(other.open('a', one.seal('a', plain))).toEqual(plain);
  }
  expect(() => sealing.open('a', second.seal('a', plain))).toThrow(SealBroken);
  expect(second.open('a', second.seal('a', plain))).toEqual(plain);
  expect(opens, 'of the first, with the key before').toEqual(['previous']);
});

test('without a key blobs are plain, for development; a process with a key refuses them, and the reverse', () => {
  expect(open.open('a', open.seal('a', plain))).toEqual(plain);
  expect(open.seal('a', plain).includes(plain)).toBe(true);
  expect(() => sealing.open('a', open.seal('a', plain))).toThrow(SealBroken);
  expect(() => open.open('a', sealing.seal('a', plain))).toThrow(SealBroken);
});

describe('the canary', () => {
  const a = randomBytes(32);
  const b = randomBytes(32);
  const c = randomBytes(32);

  /** Starts processes one after another on one store; answers the value that it has then. */
  const start = (processes: readonly Partial<Keys>[], stored: string | null = null): string | null =>
    processes.reduce((value, keys) => createCanary({ hashKey, ...keys })(value), stored);

  test('lets the keys of its store start, and changes nothing for them', () => {
    const value = start([{ key: a }]);
    expect(start([{ key: a }, { key: a, previous: b }], value)).toBe(value);
  });

  test.for<[what: string, keys: Partial<Keys>, names: RegExp]>([
    ['another HASH_KEY', { hashKey: otherKey, key: a }, /^HASH_KEY: /],
    ['another STATE_KEY', { key: b }, /^STATE_KEY: /],
    ['two keys that open nothing', { key: b, previous: c }, /^STATE_KEY, STATE_KEY_PREVIOUS: /],
    ['no STATE_KEY', {}, /^STATE_KEY: /],
  ])('refuses %s', ([, keys, names]) => {
    const value = start([{ key: a }]);
    expect(() => start([keys], value)).toThrow(StoreRefused);
    expect(() => start([keys], value)).toThrow(names);
  });

  test('refuses a key where the store is of none, and a value that it cannot read', () => {
    expect(() => start([{}, {}, { key: a }])).toThrow(/^STATE_KEY: /);
    for (const value of ['2', '{}', 'x']) expect(() => start([{ key: a }], value)).toThrow(StoreRefused);
  });

  test('lets processes start in any order while a key is changed', () => {
    const first = { key: a, previous: b };
    const second = { key: b, previous: a };
    const value = start([{ key: a }, first, { key: a }, first, second]);
    // From now on nobody changes it, or processes would overwrite each other's value for ever.
    expect(start([first, second, first, { key: b }], value)).toBe(value);
  });

  const back = [{ key: a }, { key: b, previous: a }, { key: a, previous: b }, { key: a }];
  const changes = [{ key: a }, { key: b, previous: a }, { key: c, previous: b }];
  test.each<[string, Partial<Keys>[], refuses?: RegExp]>([
    ['the third takes the place of the oldest', [...changes, { key: b }, { key: c }]],
    ['the oldest is not known any more', [...changes, { key: a }], /^STATE_KEY: /],
    ['the newer one goes after a change was taken back', back],
    ['and after another', [...back, { key: c, previous: a }, { key: a, previous: c }, { key: a }]],
  ])('knows two keys: %s', (_, processes, refuses) => {
    if (refuses) expect(() => start(processes)).toThrow(refuses);
    else expect(start(processes)).not.toBeNull();
  });

  test('lets two processes with different new keys start, and neither replaces the seal of the other', () => {
    const both = [
      { key: b, previous: a },
      { key: c, previous: a },
    ];
    const value = start([{ key: a }, ...both]);
    expect(start([...both, { key: b }, { key: c }, { key: a }], value)).toBe(value);
    // They read the same value, and the second overwrote what the first wrote: the next look mends it.
    const [written] = both.toReversed().map((keys) => start([{ key: a }, keys]));
    const mended = start(both, written ?? null);
    expect(start([...both, { key: b }, { key: c }], mended)).toBe(mended);
  });

  test('opens a check value that an earlier version wrote', () => {
    const keys = (byte: number) => ({ hashKey: Buffer.alloc(32, 1), key: Buffer.alloc(32, byte) });
    const hash = 'OTg-cTXkoYfF5ZVuP5LTMQ';
    const state = 'AdTgsizaOLd+xMZgY/Cn5MnC7xa83dnW37YO7Vi4NlL4jxgcSYw3ksN4zukR';
    const written = JSON.stringify({ hash, state, past: ['57266fb4c548de44'] });
    expect(start([keys(3)], written)).toBe(written);
    // Back to the former key, then the newer one goes.
    const back = { ...keys(2), previous: Buffer.alloc(32, 3) };
    expect(() => start([back, keys(2)], written)).not.toThrow();
    expect(() => start([keys(2)], written)).toThrow(/^STATE_KEY: /);
  });
});
