import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

/* `npm run release` in a copy of the files that have the version, without the generated documents. */

const RELEASE = resolve('docs/release.ts');
const FILES = [
  ...['package.json', 'package-lock.json', 'compose.yaml', 'ops/kubernetes.yaml'],
  ...['CHANGELOG.md', 'docs/operators.md'],
];

function createCopy() {
  const root = mkdtempSync(join(tmpdir(), 'release-'));
  for (const file of FILES) cpSync(file, join(root, file));
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  return {
    read,
    change: (file: string, from: string | RegExp, to: string) =>
      writeFileSync(join(root, file), read(file).replace(from, to)),
    release: (argument: string) =>
      spawnSync(process.execPath, [RELEASE, argument], { cwd: root, encoding: 'utf8' }),
  };
}

test('the check of a release names each place that is out of step', () => {
  const { change, release } = createCopy();
  change('compose.yaml', /antcrm-chatbot:[\w.-]+/, 'antcrm-chatbot:0.0.9');
  change('CHANGELOG.md', '### Added', '### Improved');
  change('CHANGELOG.md', /^## \[\d.*$/m, '## [0.0.8] - 2026-01-01');
  change('docs/operators.md', '### Between versions', '### Between them');
  const { status, stderr } = release('--check');
  expect(status).toBe(1);
  for (const fault of [
    /^compose\.yaml has 0\.0\.9, package\.json \d/m,
    /^CHANGELOG\.md has 0\.0\.8 as the newest$/m,
    /^CHANGELOG\.md has "Improved", which is no kind of change$/m,
    /^docs\/operators\.md, "Between versions", has no row for \d/m,
  ])
    expect(stderr).toMatch(fault);
});

test('a release gives its version to every file that has one, and its changes a section', () => {
  const { change, read, release } = createCopy();
  change('CHANGELOG.md', '## [Unreleased]\n', '## [Unreleased]\n\n### Fixed\n\n- A fault.\n');
  expect(release('9.8.7').status).toBe(0);
  for (const file of FILES.slice(0, 4)) expect(read(file)).toContain('9.8.7');
  expect(read('CHANGELOG.md')).toMatch(
    /## \[Unreleased\]\n\n## \[9\.8\.7\] - \d{4}-\d\d-\d\d\n\n### Fixed\n\n- A fault\.\n/,
  );
  // What operators must do is written by hand.
  expect(release('--check').stderr.split('\n')[0]).toBe(
    'docs/operators.md, "Between versions", has no row for 9.8.7',
  );
  expect(release('latest').status).toBe(2);
});
