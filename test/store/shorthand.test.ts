import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ConversationState } from '../../src/conversation/state.ts';
import type { Stored } from '../../src/store/bodies.ts';
import { createSeal } from '../../src/store/seal.ts';
import { createSealing } from '../../src/store/sealing.ts';
import { lengthen, shorten } from '../../src/store/shorthand.ts';
import { newState, readState } from '../support/conversation.ts';
import { fc } from '../support/properties.ts';

const operations = Array.from({ length: 5 }, (_, n): ConversationState['operations'][number] => ({
  ...{ id: `5VH0M11JX${n}`, kind: 'accumulate', status: 'done', atMs: 1_795_626_761_956 + n, checks: 0 },
  receipt: { score: 100, what: 'Tivi "4K"\n\u0001' },
}));
const state = { ...newState(1_795_626_761_956), operations };
const stored: Stored = { state, origin: null, wakeAtMs: null, asks: 'menu' };

test('a state comes back from shorthand as it was, in half the space', () => {
  const json = JSON.stringify(stored);
  expect(lengthen(shorten(json))).toBe(json);
  expect(shorten(json).length).toBeLessThan(json.length / 2);
});

test('any JSON comes back as it was', () => {
  const phrases = fc.constantFrom('","kind":"redeem"', '{"state":{', '\u0001', '\u001f', '"what":"');
  const words = fc.oneof(fc.string({ unit: 'binary' }), phrases);
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(words, words), (value, texts) => {
      const json = JSON.stringify([value, texts]);
      expect(lengthen(shorten(json))).toBe(json);
    }),
  );
});

test('a state that was stored before there was shorthand, with all that was kept then, is still read', () => {
  const seal = createSeal({ key: randomBytes(32), hashKey: randomBytes(32) });
  const older = operations.map((one) => ({ ...one, receipt: { ...one.receipt, record: 'ce0959d9b5e2' } }));
  const sealed = seal.seal('state:c', JSON.stringify({ ...stored, state: { ...state, operations: older } }));
  expect(createSealing(seal, readState).state.open('c', sealed)).toEqual(stored);
});

test('only a state that is replaced soon is stored at length, and only while it is small', () => {
  const seal = createSeal({ key: randomBytes(32), hashKey: randomBytes(32) });
  const { state: states } = createSealing(seal, readState);
  const few: Stored = { ...stored, state: { ...state, operations: operations.slice(0, 2) } };
  const size = (one: Stored): number => states.seal('c', one).length;
  const soon = { wakeAtMs: 1_795_626_761_956 };
  expect(size({ ...few, ...soon })).toBeGreaterThan(1.5 * size(few));
  const many: Stored = { ...stored, state: { ...state, operations: [...operations, ...operations] } };
  expect(size({ ...many, ...soon })).toBeLessThan(1.1 * size(many));
  for (const one of [few, { ...few, ...soon }, many]) {
    expect(states.open('c', states.seal('c', one))).toEqual(one);
  }
});
