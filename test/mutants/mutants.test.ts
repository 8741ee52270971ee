import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MUTANTS } from './list.ts';

it.each(MUTANTS)('can still be planted in $file: $name', ({ file, from }) => {
  const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
  expect(source.split(from)).toHaveLength(2);
});
