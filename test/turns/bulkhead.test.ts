import { expect, test } from 'vitest';
import { createBulkhead, NO_ROOM } from '../../src/turns/bulkhead.ts';
import { gate } from './kit.ts';

test('so many calls run at once, the others in turn as places become free', async () => {
  const within = createBulkhead(2, 60_000);
  const gates = Array.from({ length: 6 }, gate);
  const begun: number[] = [];
  let running = 0;
  const calls = gates.map((one, n) =>
    within(async () => {
      begun.push(n);
      running += 1;
      expect(running).toBeLessThanOrEqual(2);
      await one.opened;
      running -= 1;
      return n;
    }),
  );
  for (const one of gates) {
    one.open();
    await new Promise(setImmediate);
  }
  expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
});

test('who waits behind calls that hang is turned away, and from then on at once, until one ends', async () => {
  const within = createBulkhead(1, 20);
  const hanging = gate();
  const first = within(() => hanging.opened);
  expect(await Promise.all([within(async () => 1), within(async () => 2)])).toEqual([NO_ROOM, NO_ROOM]);
  let isTurnedAway = false;
  void within(async () => 3).then(() => {
    isTurnedAway = true;
  });
  await new Promise(setImmediate);
  expect(isTurnedAway).toBe(true);
  hanging.open();
  await first;
  expect(await within(async () => 4)).toBe(4);
});

test('a call that fails frees its place', async () => {
  const within = createBulkhead(1, 60_000);
  const failing = within(() => Promise.reject(new Error('broken')));
  const next = within(async () => 'next');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('next');
});
