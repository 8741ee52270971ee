import { expect, it } from 'vitest';
import { systemRuntime } from '../src/runtime.ts';

it('the runtime hands out bytes that stay as they were, however many follow', () => {
  const first = systemRuntime.bytes(12);
  const copy = Buffer.from(first);
  const others = Array.from({ length: 1000 }, () => systemRuntime.bytes(12).toString('hex'));
  expect(first).toEqual(copy);
  expect(new Set(others).size).toBe(1000);
});
