import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/**
 * How large each room of the house may be (CONTRIBUTING.md, "The house"): its files and their lines, as `wc` counts them. A
 * feature pays by deleting. Whoever makes a room smaller lowers its figures here.
 */
const ROOMS: Readonly<Record<string, { files: RegExp; lines: number; count: number }>> = {
  root: { files: /^([^/]+$|(http|observability|resilience)\/)/, lines: 2735, count: 29 },
  conversation: { files: /^conversation\//, lines: 8102, count: 41 },
  engine: { files: /^(engine|store)\//, lines: 4888, count: 30 },
  loyalty: { files: /^loyalty\//, lines: 1400, count: 11 },
  sandbox: { files: /^sandbox\//, lines: 400, count: 4 },
  channels: { files: /^channels\//, lines: 3100, count: 26 },
  programs: { files: /^(photos|operators|cli)\//, lines: 903, count: 10 },
  console: { files: /^console\//, lines: 1600, count: 10 },
};

/** A change may exceed the figures by this much. If it needs more, delete something, or raise the figure and say why. */
const SLACK = 1.03;

/** All of `src`, which the rooms must not exceed together. */
const HOUSE = { lines: 23_135, count: 161 };

/** All of `test`, fixtures too. */
const TESTS = 19_905;

/** Shorter is not denser: characters a line on average, and the share of the lines that are comments. */
const LINE_LENGTH = 43;
const COMMENTS = 0.12;

const SOURCE = /\.(ts|mjs|cjs|js|lua|css|html)$/;

const sources = globSync('src/**/*')
  .filter((path) => SOURCE.test(path))
  .map((path) => ({ file: path.slice('src/'.length), lines: linesOf(readFileSync(path, 'utf8')) }));

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function isComment(line: string): boolean {
  return /^\s*(\/\/|\/\*|\*|--)/.test(line);
}

describe('The size of the house', () => {
  it.each(Object.entries(ROOMS))('keeps %s within its budget', (_, { files, lines, count }) => {
    const room = sources.filter(({ file }) => files.test(file));
    const measured = { lines: room.flatMap((source) => source.lines).length, files: room.length };
    expect(measured.lines).toBeLessThanOrEqual(lines * SLACK);
    expect(measured.files).toBeLessThanOrEqual(count + 1);
  });

  it('keeps the whole within its budget', () => {
    expect(sources.flatMap(({ lines }) => lines).length).toBeLessThanOrEqual(HOUSE.lines * SLACK);
    expect(sources.length).toBeLessThanOrEqual(HOUSE.count + 3);
  });

  it('keeps the tests within theirs', () => {
    const files = globSync('test/**/*.*');
    const lines = files.map((path) => linesOf(readFileSync(path, 'utf8')).length);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(TESTS * SLACK);
  });

  it('counts each file in one room', () => {
    const homeless = sources.filter(
      ({ file }) => Object.values(ROOMS).filter(({ files }) => files.test(file)).length !== 1,
    );
    expect(homeless.map(({ file }) => file)).toEqual([]);
  });

  it('is not met by longer lines or fewer comments', () => {
    const all = sources.flatMap(({ lines }) => lines);
    const characters = all.reduce((sum, line) => sum + line.length, 0);
    expect(characters / all.length).toBeLessThanOrEqual(LINE_LENGTH);
    expect(all.filter(isComment).length / all.length).toBeGreaterThanOrEqual(COMMENTS);
  });
});
