import { expect, test } from 'vitest';
import type { Delivery } from '../../src/engine/messages.ts';
import { Outage } from '../../src/engine/outage.ts';
import { recordingObserve } from '../support/observe.ts';

function createKit() {
  const { observe, said } = recordingObserve();
  const outage = new Outage('one', observe, { monotonicMs: () => 0 });
  /** Whether it was sent. */
  const send = (kind: Delivery['kind'], nowMs = 0): boolean => {
    const permit = outage.admit(nowMs);
    if (permit !== null) outage.note(permit, { kind }, nowMs);
    return permit !== null;
  };
  const isFailing = () => said.findLast((line) => line.startsWith('["failing","one"'))?.includes('true');
  return { outage, send, said, isFailing };
}

test('a channel fails, with an alarm, while most of its last sends do; then probes go out, until one succeeds', () => {
  const { outage, send, said, isFailing } = createKit();
  for (const kind of ['delivered', 'delivered', 'uncertain', 'undelivered'] as const) send(kind);
  expect(isFailing()).toBe(false);
  for (let n = 0; n < 3; n++) send('uncertain');
  expect(isFailing()).toBe(true);
  const alarms = said.filter((line) => line.includes('delivery_failing'));
  expect(alarms).toEqual(['["alarm","delivery_failing",{"channel":"one"}]']);
  // One in five seconds, one at a time.
  expect(send('uncertain', 5000)).toBe(true);
  expect(send('uncertain', 9999)).toBe(false);
  const probe = outage.admit(10_000);
  expect(send('delivered', 60_000)).toBe(false);
  if (probe !== null) outage.note(probe, { kind: 'delivered' }, 60_000);
  expect(isFailing()).toBe(false);
  expect(send('delivered', 10_000)).toBe(true);
});

test('a platform that throttles, or refuses our token or the customer, does not fail', () => {
  const { send, isFailing } = createKit();
  for (const kind of ['throttled', 'unauthorized', 'unreachable', 'rejected'] as const)
    for (let n = 0; n < 5; n++) send(kind);
  expect(isFailing()).toBe(false);
});
