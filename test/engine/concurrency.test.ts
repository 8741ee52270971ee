import { expect, test } from 'vitest';
import { createConcurrency } from '../../src/engine/limits.ts';

/** Claims that wait until the test answers them. */
function openClaims() {
  const asked: { readonly room: number; answer(took: number): void }[] = [];
  const claim = (room: number): Promise<number> =>
    new Promise((resolve) => asked.push({ room, answer: resolve }));
  return { asked, claim };
}

test('a claim that waits leaves half of the free slots to accepted messages', async () => {
  const { asked, claim } = openClaims();
  const slots = createConcurrency(8, claim);
  const filling = slots.fill();
  expect(asked).toMatchObject([{ room: 4 }]);
  expect(Array.from({ length: 5 }, () => slots.reserve())).toEqual([true, true, true, true, false]);
  asked[0]?.answer(0);
  await filling;
  expect(slots.reserve()).toBe(true);
});

test('who found no slot during a claim is claimed right after it', async () => {
  const { asked, claim } = openClaims();
  const slots = createConcurrency(2, claim);
  const filling = slots.fill();
  expect([slots.reserve(), slots.reserve()]).toEqual([true, false]);
  slots.want();
  asked[0]?.answer(0);
  await Promise.resolve();
  expect(asked).toMatchObject([{ room: 1 }, { room: 1 }]);
  asked[1]?.answer(0);
  await filling;
});

test('full catches go on until every slot is taken', async () => {
  const rooms: number[] = [];
  const slots = createConcurrency(8, async (room) => {
    rooms.push(room);
    return room;
  });
  await slots.fill();
  expect(rooms).toEqual([4, 2, 1, 1]);
  expect(slots.reserve()).toBe(false);
});
