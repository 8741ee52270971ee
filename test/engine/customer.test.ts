import { describe, expect, it } from 'vitest';
import { type CustomerRecord, LOCK_MS, lock, SETTLED_MS, unlock } from '../../src/engine/customer.ts';
import { NOW } from './kit.ts';

const locked = (settled: string[] = [], awaited: string[] = []) => ({ locked: true, settled, awaited });

/** What the transitions leave, one after the other. */
function chain(...transitions: ReturnType<typeof unlock>[]): CustomerRecord | null {
  let record: CustomerRecord | null = null;
  for (const transition of transitions) record = transition(record, NOW).record;
  return record;
}

describe("A customer's record", () => {
  it('lets one operation at a time, again and again, and ends after two hours', () => {
    const { record, answer } = lock('op1')(null, NOW);
    expect(answer).toEqual(locked());
    expect(lock('op2')(record, NOW + 1)).toEqual({ record, answer: { locked: false } });
    const again = lock('op1')(record, NOW + 1000);
    expect(again.answer).toEqual(locked());
    expect(lock('op2')(again.record, NOW + LOCK_MS).answer).toEqual({ locked: false });
    expect(lock('op2')(again.record, NOW + LOCK_MS + 1000).answer).toEqual(locked());
  });

  it('is given back by its holder alone', () => {
    const { record } = lock('op1')(null, NOW);
    expect(unlock({ operation: 'op2' })(record, NOW).record).toBe(record);
    const free = unlock({ operation: 'op1' })(record, NOW).record;
    expect(unlock({ operation: 'op1' })(free, NOW).record).toBe(free);
    expect(lock('op2')(free, NOW).answer).toEqual(locked());
  });

  it('tells the next holder what settled earlier operations, and what is still to come, for a day', () => {
    const record = chain(
      unlock({ operation: 'op1', record: 'record 1' }),
      unlock({ operation: 'op2', awaited: '{"one":"🎁"}' }),
      unlock({ operation: 'op2', awaited: '{"one":"🎁"}' }),
    );
    expect(lock('op3')(record, NOW).answer).toEqual(locked(['record 1'], ['{"one":"🎁"}']));
    expect(lock('op3')(record, NOW + SETTLED_MS).answer).toEqual(locked());
  });

  it('hides from no operation what it left itself: it may have been cut off before its outcome was saved', () => {
    const record = chain(
      unlock({ operation: 'op1', record: 'record 1' }),
      unlock({ operation: 'op2', record: 'record 2' }),
      unlock({ operation: 'op1', awaited: '{}' }),
    );
    expect(lock('op1')(record, NOW).answer).toEqual(locked(['record 2']));
    expect(lock('op2')(record, NOW).answer).toEqual(locked(['record 1'], ['{}']));
  });
});
