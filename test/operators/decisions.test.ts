import { expect, test } from 'vitest';
import { createDecisions } from '../../src/operators/operation.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

const decisionOf = (by: string) => ({
  reference: 'REF',
  kind: 'redeem' as const,
  conversation: 'c0ffee',
  settled: { at: '2026-11-25T08:47:00.000Z', result: 'done' as const, by },
});

test('who settled an operation is known for 48 hours; the first decision counts, and nobody reads it without the key', async () => {
  let nowMs = Date.UTC(2026, 10, 25);
  const records = createMemoryStore({ nowMs: () => nowMs });
  const keys = { key: Buffer.alloc(32, 1), hashKey: Buffer.alloc(32, 2) };
  const decisions = createDecisions(records, createEncryption(keys));
  await decisions.keep(decisionOf('lan'));
  await decisions.keep(decisionOf('minh'));
  expect(await decisions.find('REF')).toEqual(decisionOf('lan'));
  expect(await decisions.find('OTHER')).toBeNull();
  const { bytes } = await records.read('settled:REF');
  expect(Buffer.from(bytes ?? []).toString('latin1')).not.toContain('lan');
  nowMs += 48 * 60 * 60 * 1000 + 1;
  expect(await decisions.find('REF')).toBeNull();
});
