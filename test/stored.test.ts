import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../src/conversation/upgrades.ts';
import { shapes } from './support/shapes.ts';

/*
 * What lies in stores outlives the code that wrote it: its shapes, and what every version so far has written.
 */

const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));

describe(`the shapes of version ${VERSION}`, () => {
  const frozen = read(`bodies/${VERSION}/shapes.json`);

  // A new flow adds its own, and changes none.
  test.each(Object.entries(shapes()))('%s', (name, hash) => {
    expect(
      frozen,
      `The stored shape "${name}" is not the one of version ${VERSION}, which is in stores and at work: they could not ` +
        'read each other. Raise VERSION in src/conversation/upgrades.ts, add the upgrade, freeze files of the new ' +
        'version: CONTRIBUTING.md, "To change what is stored". (A new flow changes no version: add its line to shapes.json.)',
    ).toMatchObject({ [name]: hash });
  });
});
