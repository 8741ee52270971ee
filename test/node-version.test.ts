import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

const CHECK = new URL('../src/node-version.mjs', import.meta.url).href;

/** Runs the check, then a program, on a Node that believes to be `version`. */
function startedBy(version: string) {
  const pretend = [
    `Object.defineProperty(process.versions, 'node', { value: '${version}' })`,
    `Object.defineProperty(process, 'version', { value: 'v${version}' })`,
  ];
  const before = `data:text/javascript,${encodeURIComponent(pretend.join(';'))}`;
  const args = ['--import', before, '--import', CHECK, '--eval', 'console.log("started")'];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: {} });
}

it.each(['18.20.4', '23.11.1', '24.0.0', '100.0.0'])(
  'Node %s starts, or is told which Node is needed',
  (version) => {
    const { status, stdout, stderr } = startedBy(version);
    if (Number.parseInt(version, 10) >= 24) expect([status, stdout, stderr]).toEqual([0, 'started\n', '']);
    else {
      expect([status, stdout]).toEqual([78, '']);
      expect(stderr).toMatch(new RegExp(`^.*needs Node 24 .* this is Node ${version}.*\n$`));
    }
  },
);

it('every script that runs the sources makes the check first, and package.json names the same Node', () => {
  expect(manifest.engines.node).toBe('>=24');
  const programs = Object.values(manifest.scripts).filter((script) => /\bsrc\/.*\.ts$/.test(script));
  expect(programs.length).toBeGreaterThan(5);
  for (const script of programs)
    expect(script).toMatch(/ --import \.\/src\/node-version\.mjs (src|test|docs)\/\S+$/);
});
