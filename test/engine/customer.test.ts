import { expect, test } from 'vitest';
import { type CustomerRecord, LOCK_MS, lock, SETTLED_MS, unlock } from '../../src/engine/customer.ts';
import { NOW } from './kit.ts';

const locked = (settled: string[] = [], awaited: string[] = []) => ({ locked: true, settled, awaited });

test('a customer is locked by one operation at a time, again and again, for two hours, and freed by it alone', () => {
  const { record, answer } = lock('op1')(null, NOW);
  expect(answer).toEqual(locked());
  expect(lock('op2')(record, NOW + 1)).toEqual({ record, answer: { locked: false } });
  expect(unlock({ operation: 'op2' })(record, NOW).record).toBe(record);
  const again = lock('op1')(record, NOW + 1000);
  expect(again.answer).toEqual(locked());
  expect(lock('op2')(again.record, NOW + LOCK_MS).answer).toEqual({ locked: false });
  expect(lock('op2')(again.record, NOW + LOCK_MS + 1000).answer).toEqual(locked());
  const free = unlock({ operation: 'op1' })(record, NOW).record;
  expect(lock('op2')(free, NOW).answer).toEqual(locked());
});

test('the next holder hears for a day what earlier ones left, but for its own: its outcome may not be saved', () => {
  let record: CustomerRecord | null = null;
  for (const left of [
    { operation: 'op1', record: 'record 1' },
    { operation: 'op2', awaited: '{"one":"🎁"}' },
    { operation: 'op2', awaited: '{"one":"🎁"}' },
  ])
    record = unlock(left)(record, NOW).record;
  expect(lock('op3')(record, NOW).answer).toEqual(locked(['record 1'], ['{"one":"🎁"}']));
  expect(lock('op1')(record, NOW).answer).toEqual(locked([], ['{"one":"🎁"}']));
  expect(lock('op2')(record, NOW).answer).toEqual(locked(['record 1']));
  expect(lock('op3')(record, NOW + SETTLED_MS).answer).toEqual(locked());
});
