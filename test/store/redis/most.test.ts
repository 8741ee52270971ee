import { expect, test } from 'vitest';
import { mostOf } from '../../../src/store/redis/most.ts';

const never = new Promise<never>(() => {});

test('all are waited for where all end', async () => {
  const answers = await mostOf([Promise.resolve(1), Promise.reject(new Error('no'))], 10_000);
  expect(answers).toMatchObject([{ status: 'fulfilled', value: 1 }, { status: 'rejected' }]);
  expect(await mostOf([], 10_000)).toEqual([]);
});

test('what hangs is waited for no longer than the grace after the first success', async () => {
  const answers = await mostOf([never, Promise.resolve(1)], 1);
  expect(answers).toMatchObject([null, { status: 'fulfilled', value: 1 }]);
});

test('a failure begins no grace: where all are slow, all are waited for', async () => {
  let answer: (value: number) => void = () => {};
  const slow = new Promise<number>((resolve) => {
    answer = resolve;
  });
  const most = mostOf([Promise.reject(new Error('no')), slow], 0);
  const early = await Promise.race([most, new Promise((resolve) => setTimeout(resolve, 20, 'waits'))]);
  expect(early).toBe('waits');
  answer(2);
  expect(await most).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: 2 }]);
});
