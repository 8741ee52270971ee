import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/**
 * A mirror: how many lines each room of the house holds, as `wc` counts them (CONTRIBUTING.md, "The house").
 * Sizes are no target: no line is joined and no test is cut for one. A room that grows past its figure asks
 * its author a question, no more.
 */
const ROOMS: Readonly<Record<string, { files: RegExp; lines: number }>> = {
  root: { files: /^([^/]+$|(http|observability|resilience)\/)/, lines: 3830 },
  conversation: { files: /^conversation\//, lines: 13_300 },
  engine: { files: /^(engine|records|store)\//, lines: 6070 },
  loyalty: { files: /^loyalty\//, lines: 1872 },
  proof: { files: /^proof\//, lines: 538 },
  card: { files: /^card\//, lines: 385 },
  counter: { files: /^counter\//, lines: 420 },
  sandbox: { files: /^sandbox\//, lines: 422 },
  channels: { files: /^channels\//, lines: 4290 },
  programs: { files: /^(photos|operators|cli)\//, lines: 2480 },
  console: { files: /^console\//, lines: 2830 },
};

const QUESTION =
  'This room has grown. Does the change belong here, does it repeat what another file has, and would a customer or an operator ' +
  'miss it? If the answers are good, raise the figure in test/budget.test.ts in the same commit: 5 % above what the room holds.';

const sources = globSync('src/**/*.{ts,mjs,cjs,js,lua,css,html}').map((path) => ({
  file: path.slice('src/'.length),
  lines: readFileSync(path, 'utf8').replace(/\n$/, '').split('\n').length,
}));

describe('The size of the house', () => {
  it.each(Object.entries(ROOMS))('asks a question when %s grows', (_, { files, lines }) => {
    const room = sources.filter(({ file }) => files.test(file));
    const held = room.reduce((sum, source) => sum + source.lines, 0);
    expect(held, QUESTION).toBeGreaterThan(0);
    expect(held, QUESTION).toBeLessThanOrEqual(lines);
  });

  it('counts each file in exactly one room', () => {
    const homeless = sources.filter(
      ({ file }) => Object.values(ROOMS).filter(({ files }) => files.test(file)).length !== 1,
    );
    expect(homeless.map(({ file }) => file)).toEqual([]);
  });
});
