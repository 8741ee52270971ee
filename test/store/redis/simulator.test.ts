import { expect, it } from 'vitest';
import { compareWithRedis } from '../../simulator/redis.ts';

/** `npm run simulate -- --redis` goes on from there. */
it('a simulated history is the same in memory and on Redis', async () => {
  expect(await compareWithRedis([1, 2, 76])).toEqual([]);
});
