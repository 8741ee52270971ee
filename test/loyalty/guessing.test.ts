import { beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/conversation/effect.ts';
import { createKit, type Fate, PHONE, START_MS } from './operations.doubles.ts';

const CODE = 'TIVI000000017';

let { clock, antcrm, store, seen, perform } = createKit();
let operations = 0;

beforeEach(() => {
  ({ clock, antcrm, store, seen, perform } = createKit());
  const record = { id: 'r', type: 'point', code: CODE, failed: false, atMs: START_MS } as const;
  antcrm.history = async () => ({ ok: true, value: { records: [record], full: false } });
});

function guess(lease = store.lease()): Promise<Outcome> {
  operations += 1;
  const phone = { value: PHONE.value, proved: false };
  return perform({ kind: 'accumulate', operation: `op-${operations}`, code: CODE, phone }, 'on', lease);
}

async function tries(count: number, fate: Fate): Promise<void> {
  antcrm.fate = fate;
  for (let n = 0; n < count; n++) await guess();
}

const alarms = () => seen.filter((said) => Array.isArray(said) && said[0] === 'code_guessing');

describe('codes guessed by many', () => {
  it('get no further than sixty in one go and one a second, with an alarm', async () => {
    await tries(200, 'refused');
    expect(antcrm.accumulated).toHaveLength(60);
    expect(alarms()).toHaveLength(1);
    clock.pass(10_000);
    await tries(200, 'refused');
    expect(antcrm.accumulated).toHaveLength(70);
  });

  it('do not all pass because they are sent at once', async () => {
    antcrm.fate = 'refused';
    const lease = store.lease();
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => guess(lease)));
    expect(antcrm.accumulated).toHaveLength(60);
    expect(outcomes.filter(({ kind }) => kind === 'unavailable')).toHaveLength(140);
  });

  it('are told from a busy day, on which every other code is mistyped', async () => {
    for (let n = 0; n < 200; n++) {
      await tries(1, 'refused');
      await tries(1, 'applied');
    }
    expect(antcrm.accumulated).toHaveLength(400);
    expect(alarms()).toEqual([]);
  });

  it('are not what an outage is', async () => {
    await tries(100, 'vanished');
    await tries(100, 'unavailable');
    expect(antcrm.accumulated).toHaveLength(200);
  });
});
