import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { USAGE } from '../src/cli/operations.ts';
import { ALARMS, STUCK } from '../src/observability/log.ts';
import { createMetrics } from '../src/observability/metrics.ts';

const root = new URL('../', import.meta.url);
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).map((name): [string, string] => [
  name,
  read(name),
]);

/** A document, its tables without the blanks that only make columns. */
function read(name: string): string {
  return readFileSync(new URL(name, root), 'utf8').replace(/ +(?=\|)/g, ' ');
}

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, found]) => found ?? []);
}

it.each(documents)('%s names and links only files and npm scripts that exist', (name, text) => {
  const isMissing = (path: string, base: URL) => !existsSync(new URL(path, base));
  const paths = all(text, /`((?:src|test|locales|docs|ops|\.ci|\.github)\/[\w./-]*)`/g);
  const scripts = all(text, /npm run ([\w:-]+)/g);
  const links = all(text, /\]\((?!https?:)([\w./-]+)\)/g);
  expect(paths.filter((path) => isMissing(path, root))).toEqual([]);
  expect(scripts.filter((script) => !Object.hasOwn(manifest.scripts, script))).toEqual([]);
  expect(links.filter((link) => isMissing(link, new URL(name, root)))).toEqual([]);
});

const others = documents.filter(([name]) => name !== 'docs/configuration.md');
it.each(others)('%s leaves the variables to docs/configuration.md', (_name, text) => {
  expect(text.split('\n').filter((line) => /^\| `[A-Z]\w{3,}` \|/.test(line))).toEqual([]);
});

describe('docs/operators.md', () => {
  const text = read('docs/operators.md');

  it('says of every alarm what it means and what to do', () => {
    const told = all(text, /^### `(\w+)`\n\n\*\*Means\*\*: .+\n\n\*\*Do\*\*: .+\n/gm);
    expect(told.toSorted()).toEqual([...ALARMS, STUCK].toSorted());
  });

  it('lists every metric of ours', async () => {
    const silent = () => {};
    const log = { debug: silent, info: silent, warn: silent, error: silent };
    const ours = all(await createMetrics({ log }).text(), /^# HELP ((?:bot|antcrm)_\w+)/gm);
    expect(all(text, /^\| `((?:bot|antcrm)_\w+)` \|/gm).toSorted()).toEqual(ours.toSorted());
  });

  it('explains every command for operators', () => {
    const commands = all(USAGE, /^ {2}(\w+)/gm);
    expect(commands.filter((command) => !new RegExp(`\\b${command} `).test(text))).toEqual([]);
  });
});
