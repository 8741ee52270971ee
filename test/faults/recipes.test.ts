import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/*
 * The pages of docs/recipes/, carried out together, as printed, in a clean copy and in the order of
 * CONTRIBUTING.md's table: diffs are applied, commands are run. `FAULTS=long` runs the whole gate and the
 * tests of the rooms that they touch; else the compiler alone says whether the result is right.
 */

const pages = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/\]\((docs\/recipes\/\w+\.md)\)/g)];
const recipes = pages.map(([, page = '']) => readFileSync(page, 'utf8')).join('\n');
const blocks = [...recipes.matchAll(/^```(diff|sh)\n(.*?)^```/gms)];
const STEPS =
  process.env.FAULTS === 'long'
    ? [
        'npm run --silent check',
        // No recipe changes the image, and the packages of the copy are links.
        'npx --no vitest run test/conversation test/channels test/loyalty test/store/bodies.test.ts test/*.test.ts --exclude test/deployment.test.ts',
      ]
    : ['npx --no tsc'];

/**
 * A repository of its own with the tracked files as they are here, and with the packages that are installed
 * here.
 */
const COPY = `
  git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$0"
  mkdir "$0/node_modules"
  ln -s "$PWD"/node_modules/{*,.bin} "$0/node_modules"
  cd "$0"
  git init --quiet
  git add --all
`;

test('the recipes, followed as printed one after the other, pass the gate', { timeout: 1_800_000 }, () => {
  const cwd = mkdtempSync(join(tmpdir(), 'recipes-'));
  const bash = ['-euo', 'pipefail', '-c'];
  execFileSync('bash', [...bash, COPY, cwd]);
  expect(blocks.length).toBeGreaterThan(5);
  for (const [, kind, text = ''] of blocks) {
    if (kind === 'diff') execFileSync('git', ['apply', '--unidiff-zero', '-'], { cwd, input: text });
    else execFileSync('bash', [...bash, text], { cwd });
  }
  for (const step of STEPS)
    execFileSync('bash', ['-c', step], { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
});
