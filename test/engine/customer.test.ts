import { expect, test } from 'vitest';
import { type CustomerRecord, lock, SETTLED_MS, unlock } from '../../src/engine/customer.ts';
import { NOW } from './bot.ts';

const locked = (settled: string[] = [], awaited: string[] = []) => ({ locked: true, settled, awaited });

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
