import { describe, expect, it } from 'vitest';
import type { GiftNote, GiftStatus } from '../../src/conversation/gift-note.ts';
import { codeOf, parseGiftCode } from '../../src/counter/code.ts';
import { type GiftRecord, handOver, takeNote } from '../../src/counter/record.ts';
import type { Transition } from '../../src/records/versioned-records.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { NOW } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

const noteOf = (status: GiftStatus, more: { whose?: string; score?: number } = {}): GiftNote => {
  const { whose, score } = more;
  const redemption = {
    status,
    reference: 'K7M2Q9X001',
    atMs: NOW,
    gift: 'DAUMAY01',
    ...(score && { score }),
  };
  return { kind: 'redeemed', redemption, ...(whose && { whose }) };
};
const FORGET: GiftNote = { kind: 'forget', reference: 'K7M2Q9X001' };
const CHECKING = noteOf('checking', { whose: '0867 *** 456' });
const CONFIRMED = noteOf('confirmed', { score: 10 });

/** The record after these changes, and their answers. */
function apply(...changes: readonly Transition<GiftRecord, unknown>[]) {
  let record: GiftRecord | null = null;
  const answers = changes.map((change) => {
    const changed = change(record, NOW);
    record = changed.record;
    return changed.answer;
  });
  return { answers, record: record as GiftRecord | null };
}

describe('The record of a redeemed gift', () => {
  it('is handed over once: the second one reads who was first', () => {
    const { answers, record } = apply(takeNote(CONFIRMED), handOver('Lan'), handOver('Minh'));
    expect(answers).toEqual([undefined, 'handedOver', 'before']);
    expect(record?.handedOver).toEqual({ by: 'Lan', atMs: NOW });
  });

  it.each(['checking', 'notApplied'] as const)('is not handed over while it is %s', (status) => {
    expect(apply(takeNote(noteOf(status)), handOver('Lan')).answers.at(-1)).toBe('notConfirmed');
  });

  it('is unknown before it was noted, also if only its owner was forgotten', () => {
    expect(apply(handOver('Lan')).answers).toEqual(['unknown']);
    expect(apply(takeNote(FORGET), handOver('Lan')).answers.at(-1)).toBe('unknown');
  });

  it('forgets whose it was, and never that it was handed over', () => {
    const { record } = apply(takeNote(CHECKING), takeNote(CONFIRMED), handOver('Lan'), takeNote(FORGET));
    expect(record?.whose).toBeNull();
    expect(record?.handedOver?.by).toBe('Lan');
    expect(JSON.stringify(record)).not.toContain('456');
  });

  it('is the same whatever the order of the notes, and however often they come', () => {
    const notes = [CHECKING, noteOf('notApplied'), CONFIRMED, FORGET];
    const all = apply(...notes.map(takeNote)).record;
    const order = fc.shuffledSubarray(notes, { minLength: notes.length });
    fc.assert(
      fc.property(order, fc.array(fc.constantFrom(...notes)), (each, again) => {
        const { record } = apply(...[...each, ...again].map(takeNote));
        expect(record).toEqual(all);
      }),
    );
  });
});

describe('The code of a gift', () => {
  const encryption = createEncryption({ hashKey: Buffer.alloc(32, 7) });

  it('is the same for the same operation, another one for others, and of another key', () => {
    const code = codeOf(encryption, 'K7M2Q9X001');
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
    expect(codeOf(encryption, 'K7M2Q9X001')).toBe(code);
    expect(codeOf(encryption, 'K7M2Q9X002')).not.toBe(code);
    expect(codeOf(createEncryption({ hashKey: Buffer.alloc(32, 8) }), 'K7M2Q9X001')).not.toBe(code);
  });

  it('uses all letters at each place: 60 bits', () => {
    const seen = Array.from({ length: 12 }, () => new Set<string>());
    for (let count = 0; count < 1000; count++) {
      const letters = codeOf(encryption, `operation ${count}`).replaceAll('-', '');
      for (const [at, letter] of [...letters].entries()) seen[at]?.add(letter);
    }
    expect(seen.map(({ size }) => size)).toEqual(Array(12).fill(32));
  });

  it.each([
    ['7KQ2-M8XR-W4TD', '7KQ2-M8XR-W4TD'],
    [' 7kq2 m8xr w4td\n', '7KQ2-M8XR-W4TD'],
    ['oIl2-M8XR-W4TD', '0112-M8XR-W4TD'],
    ['7KQ2-M8XR-W4T', undefined],
    ['7KQ2-M8XR-W4TU', undefined],
    ['', undefined],
  ])('is read as people type it: %j', (typed, code) => {
    expect(parseGiftCode(typed)).toBe(code);
  });
});
