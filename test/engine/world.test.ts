import { expect, it } from 'vitest';
import { realWorld } from '../../src/engine/world.ts';

it('the real world hands out bytes that stay as they were, however many follow', () => {
  const first = realWorld.bytes(12);
  const copy = Buffer.from(first);
  const others = Array.from({ length: 1000 }, () => realWorld.bytes(12).toString('hex'));
  expect(first).toEqual(copy);
  expect(new Set(others).size).toBe(1000);
  expect(realWorld.bytes(10_000)).toHaveLength(10_000);
});
