import { expect, it } from 'vitest';
import { fits } from './fits.ts';
import { MUTANTS } from './list.ts';

it.each(MUTANTS)('can still be planted in $room: $name', (mutant) => {
  expect(fits(mutant)).toBe(true);
});
