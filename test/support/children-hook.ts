import { beforeAll, test } from 'vitest';
import { startRedis } from './redis.ts';

/** Not of the suite: a file whose hook fails when a helper runs already, so that nobody comes to stop it. */
beforeAll(async () => {
  const { pid } = await startRedis();
  throw new Error(`the hook fails beside ${pid}`);
});

test('is not reached', () => {});
