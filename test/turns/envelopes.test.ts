import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newState, readState } from '../../src/conversation/state.ts';
import { createEnvelopes, type Stored } from '../../src/turns/envelopes.ts';
import { createSeal, SealBroken } from '../../src/turns/sealed.ts';

const hashKey = randomBytes(32);
const key = randomBytes(32);
const storedAt = (ms: number): Stored => ({ state: newState(ms), origin: null, wakeAtMs: null });

describe.each([
  ['sealed', key],
  ['plain', undefined],
] as const)('%s states', (_, stateKey) => {
  const open = () => createEnvelopes(createSeal({ key: stateKey, hashKey }), readState);

  test('are the same, whether this process or another one stored them', () => {
    const here = open();
    const sealed = here.state.seal('c', storedAt(1));
    expect(here.state.open('c', sealed)).toEqual(storedAt(1));
    expect(open().state.open('c', sealed)).toEqual(storedAt(1));
  });

  test('are what was stored, not what was stored last', () => {
    const here = open();
    const before = here.state.seal('c', storedAt(1));
    const after = here.state.seal('c', storedAt(2));
    expect(here.state.open('c', before)).toEqual(storedAt(1));
    expect(here.state.open('c', after)).toEqual(storedAt(2));
    expect(here.state.open('c', open().state.seal('c', storedAt(3)))).toEqual(storedAt(3));
  });
});

test('a state that was just sealed is not taken for another conversation, nor after it was changed', () => {
  const here = createEnvelopes(createSeal({ key, hashKey }), readState);
  const sealed = here.state.seal('one', storedAt(1));
  here.state.seal('two', storedAt(2));
  expect(() => here.state.open('two', sealed)).toThrow(SealBroken);
  const changed = Buffer.from(sealed);
  changed.writeUInt8(changed.readUInt8(20) ^ 1, 20);
  expect(() => here.state.open('one', changed)).toThrow(SealBroken);
});
