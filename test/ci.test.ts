import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

/*
 * How `.ci/run` decides: what fails in the whole suite gets another try by itself, and is named either way.
 */

type Tests = Readonly<Record<string, 'passed' | 'failed' | 'skipped'>>;

/** A report of vitest's, as far as it is read; a file without tests could not be loaded. */
function report(files: Readonly<Record<string, Tests>>) {
  const all = Object.values(files).flatMap((tests) => Object.values(tests));
  return {
    numTotalTests: all.length,
    numPendingTests: all.filter((status) => status === 'skipped').length,
    testResults: Object.entries(files).map(([name, tests]) => {
      const states = Object.values(tests);
      return {
        name: resolve(name),
        status: states.length === 0 || states.includes('failed') ? 'failed' : 'passed',
        assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
      };
    }),
  };
}

function verdict(want: 'failed' | 'sum', ...reports: readonly ReturnType<typeof report>[]) {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const paths = reports.map((one, at) => {
    const path = join(folder, `${at}.json`);
    writeFileSync(path, JSON.stringify(one));
    return path;
  });
  const { stdout, status } = spawnSync(process.execPath, ['.ci/verdict.mjs', want, ...paths], {
    encoding: 'utf8',
  });
  return { lines: stdout.trimEnd().split('\n'), status };
}

const GOOD = { 'test/a.test.ts': { one: 'passed', two: 'passed' } } as const;
const MIXED = { ...GOOD, 'test/b.test.ts': { three: 'failed', four: 'passed' } } as const;

describe('the verdict of CI', () => {
  test('is good where all passed', () => {
    expect(verdict('sum', report(GOOD))).toEqual({ lines: ['2 passed, 0 failed'], status: 0 });
  });

  test('names what failed', () => {
    expect(verdict('failed', report(MIXED)).lines).toEqual(['test/b.test.ts']);
    expect(verdict('sum', report(MIXED))).toEqual({
      lines: ['failed: test/b.test.ts: three', '3 passed, 1 failed'],
      status: 1,
    });
  });

  test('is good, and names it, where what failed beside the others passes by itself', () => {
    const again = report({ 'test/b.test.ts': { three: 'passed', four: 'passed' } });
    expect(verdict('sum', report(MIXED), again)).toEqual({
      lines: ['failed beside the others: test/b.test.ts: three', '4 passed, 0 failed'],
      status: 0,
    });
  });

  test('is bad where it fails by itself, too, or something else in its file does', () => {
    const again = report({ 'test/b.test.ts': { three: 'passed', four: 'failed' } });
    expect(verdict('sum', report(MIXED), again)).toMatchObject({ status: 1 });
    expect(verdict('sum', report(MIXED), report(MIXED)).lines.at(-1)).toBe('3 passed, 1 failed');
  });

  test('counts a file that could not be loaded, and a suite without a test', () => {
    expect(verdict('sum', report({ ...GOOD, 'test/c.test.ts': {} }))).toEqual({
      lines: ['failed: test/c.test.ts: outside its tests', '2 passed, 1 failed'],
      status: 1,
    });
    expect(verdict('sum', report({}))).toMatchObject({ status: 1 });
  });
});
