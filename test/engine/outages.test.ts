import { expect, test } from 'vitest';
import type { Delivery } from '../../src/engine/messages.ts';
import { createOutages, HELD_BACK } from '../../src/engine/outbox.ts';
import { recordingObserve } from '../support/observe.ts';
import { gate } from './bot.ts';

function createKit() {
  const { observe, said } = recordingObserve();
  const outages = createOutages(observe, { monotonicMs: () => 0 });
  const send = (kind: Delivery['kind'], nowMs = 0, channel = 'one') =>
    outages.send(channel, nowMs, async () => ({ kind }));
  const failing = () =>
    said.filter((line) => line.startsWith('["failing","one"')).map((line) => line.includes('true'));
  return { outages, send, said, failing };
}

test('a channel fails while most of its last sends do, not before there were three', async () => {
  const { send, failing, said } = createKit();
  for (const kind of ['delivered', 'delivered', 'uncertain', 'undelivered'] as const) await send(kind);
  expect(failing()).toEqual([false]);
  for (let n = 0; n < 3; n++) await send('uncertain');
  expect(failing()).toEqual([false, true]);
  expect(said.filter((line) => line.includes('delivery_failing'))).toEqual([
    '["alarm","delivery_failing",{"channel":"one"}]',
  ]);
  expect(await send('delivered', 0, 'two')).toEqual({ kind: 'delivered' });
});

test('a platform that throttles, or refuses our token or the customer, does not fail', async () => {
  const { send, failing } = createKit();
  for (const kind of ['throttled', 'unauthorized', 'unreachable', 'rejected'] as const)
    for (let n = 0; n < 5; n++) await send(kind);
  expect(failing()).toEqual([false]);
});

test('while it fails, one probe in five seconds goes out, one at a time; one that succeeds lets all through', async () => {
  const { outages, send, failing } = createKit();
  for (let n = 0; n < 3; n++) await send('uncertain');
  expect(await send('uncertain', 1000)).toEqual({ kind: 'uncertain' });
  expect(await send('uncertain', 5999)).toBe(HELD_BACK);
  const probe = gate();
  const probing = outages.send('one', 6000, async () => {
    await probe.opened;
    return { kind: 'delivered' };
  });
  expect(await send('delivered', 60_000)).toBe(HELD_BACK);
  probe.open();
  expect(await probing).toEqual({ kind: 'delivered' });
  expect(failing()).toEqual([false, true, false]);
  expect(await send('delivered', 6000)).toEqual({ kind: 'delivered' });
});

test('it is known since when something was delivered', async () => {
  const { outages, send } = createKit();
  expect(outages.worksSince('one', 0)).toBe(false);
  await send('uncertain', 10);
  await send('rejected', 15);
  expect(outages.worksSince('one', 0)).toBe(false);
  await send('delivered', 20);
  expect([outages.worksSince('one', 20), outages.worksSince('one', 21)]).toEqual([true, false]);
});
