import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';

const root = new URL('../', import.meta.url);
const manifest = z
  .object({ engines: z.object({ node: z.string() }), scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')));

type Ran = { status: number | null; stdout: string; stderr: string };

const preload = (url: string) => ['--import', url];

/** Arguments for a Node that believes to be `version`. */
function pretending(version: string): string[] {
  const pretend = [
    `Object.defineProperty(process.versions, 'node', { value: '${version}' })`,
    `Object.defineProperty(process, 'version', { value: 'v${version}' })`,
  ];
  return preload(`data:text/javascript,${encodeURIComponent(pretend.join(';'))}`);
}

/** Runs the check, then a program, on a Node that believes to be `version`. */
function startedBy(version: string): Ran {
  const check = preload(new URL('src/node-version.mjs', root).href);
  const program = ['--eval', 'console.log("started")'];
  return spawnSync(process.execPath, [...pretending(version), ...check, ...program], {
    encoding: 'utf8',
    env: {},
  });
}

it.each(['18.20.4', '20.11.0', '23.11.1'])('Node %s is told in one line which Node is needed', (version) => {
  const { status, stdout, stderr } = startedBy(version);
  expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(`needs Node 24 .* this is Node ${version}`),
  ]);
});

it.each(['24.0.0', '24.21.0', '100.0.0'])('Node %s starts the program', (version) => {
  expect(startedBy(version)).toMatchObject({ status: 0, stdout: 'started\n', stderr: '' });
});

it('every script that runs the sources makes the check first, and package.json names the same Node', () => {
  expect(manifest.engines.node).toBe('>=24');
  const programs = Object.values(manifest.scripts).filter((script) => /\bsrc\/.*\.ts$/.test(script));
  expect(programs).toContain(
    'exec env MALLOC_ARENA_MAX=2 node --max-semi-space-size=16 --expose-gc --import ./src/node-version.mjs src/main.ts',
  );
  for (const script of programs)
    expect(script).toMatch(
      /^(exec (env MALLOC\S+ )?)?node (--(max|expose)-\S+ )*--import \.\/src\/node-version\.mjs (src|test|docs)\//,
    );
});
