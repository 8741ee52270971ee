import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { USAGE } from '../src/cli/operations.ts';
import { ALARMS, STUCK } from '../src/observability/log.ts';
import { createMetrics } from '../src/observability/metrics.ts';
import { showBacklog } from '../src/operators/backlog.ts';
import { systemRuntime } from '../src/runtime.ts';
import { createMemoryStore } from '../src/store/memory.ts';

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

it('docs/README.md lists every document, and CONTRIBUTING.md every recipe', () => {
  const isListed = (index: string, path: string) => read(index).includes(`](${path}`);
  const names = documents.map(([name]) => name);
  const missing = names.filter((name) => {
    if (name === 'docs/README.md') return false;
    if (name.startsWith('docs/recipes/')) return !isListed('CONTRIBUTING.md', name);
    return !isListed('docs/README.md', name.startsWith('docs/') ? name.slice('docs/'.length) : `../${name}`);
  });
  expect(missing).toEqual([]);
});

it('each step of "The way of a message" in CONTRIBUTING.md names a function that its file has', () => {
  const rows = [...read('CONTRIBUTING.md').matchAll(/^\| \d+ \|.*\| `(\w+)` \| `([\w/.-]+)` \|$/gm)];
  const isThere = ([, name = '', file = '']: readonly string[]) =>
    new RegExp(`^(?:export |  )?(?:async )?(?:function )?${name}\\(`, 'm').test(read(file));
  expect(rows.length).toBeGreaterThan(9);
  expect(rows.filter((row) => !isThere(row)).map(([row]) => row)).toEqual([]);
});

it('every picture of the documents is shown in one, and `npm run screenshot` takes it', () => {
  const pictures = globSync('docs/*.png', { cwd: root }).map((path) => path.slice('docs/'.length, -4));
  const program = read('docs/screenshot.ts');
  const taken = all(program, /take\(\w+, '([\w-]+)'\)/g);
  const shown = documents.flatMap(([, text]) => all(text, /!\[[^\]]*\]\((?:docs\/)?([\w-]+)\.png\)/g));
  expect(taken.toSorted()).toEqual(pictures.toSorted());
  expect(pictures.filter((name) => !shown.includes(name))).toEqual([]);
});

const manual = read('docs/operators.md');

it('docs/operators.md says of every alarm what it means and what to do', () => {
  const alarms = all(manual, /^### `(\w+)`\n\n\*\*Means\*\*: .+\n\n\*\*Do\*\*: .+\n/gm);
  expect(alarms.toSorted()).toEqual([...ALARMS, STUCK].toSorted());
});

it('docs/operators.md lists every metric of ours', async () => {
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const store = createMemoryStore(systemRuntime);
  const { text } = createMetrics({ log });
  const metrics = await text({ health: store.health, showBacklog: (declare) => showBacklog(store, declare) });
  const ours = all(metrics, /^# HELP ((?:bot|antcrm)_\w+)/gm);
  expect(all(manual, /^\| `((?:bot|antcrm)_\w+)` \|/gm).toSorted()).toEqual(ours.toSorted());
});

it('docs/operators.md explains every command for operators', () => {
  const commands = all(USAGE, /^ {2}(\w+)/gm);
  expect(commands.filter((command) => !new RegExp(`\\b${command} `).test(manual))).toEqual([]);
});

/*
 * TypeScript checks each `@example` of `src`, as the body of a function. An example may use, without
 * declaring them: the exports of its file, `thing` for an exported type `Thing` or `SomeThing`, and the names
 * of `NAMES`. Other names are placeholders.
 */

const NAMES = `
  import type { FastifyInstance } from 'fastify';
  import type { Runtime } from '../../../src/runtime.ts';
  import type { RecordStore } from '../../../src/store/port.ts';
  declare global { const runtime: Runtime, store: RecordStore, app: FastifyInstance; }`;
const FOLDER = 'node_modules/.cache/examples';

/** The names of a type in examples: those of a class also without their first words. */
function namesOf(type: string, isClass: boolean): string[] {
  const words = type.split(/(?=[A-Z])/).slice(0, isClass ? undefined : 1);
  return words
    .map((word) => type.slice(type.indexOf(word)))
    .map((name) => `${name[0]?.toLowerCase()}${name.slice(1)}`);
}

/** The modules that TypeScript checks, one for each example of a source. */
function modulesOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const exported = [
    ...source.matchAll(/^export (?:async )?(const|function|class|interface|type) (\w+)(?!<|\w)/gm),
  ];
  const head = new Map<string, string>();
  for (const [, kind = '', type = ''] of exported) {
    const isValue = /const|function|class/.test(kind);
    if (!/const|function/.test(kind))
      for (const name of namesOf(type, kind === 'class')) head.set(name, `declare const ${name}: ${type};`);
    head.set(type, `import ${isValue ? '' : 'type '}{ ${type} } from '../../../${file}';`);
  }
  const examples = [...source.matchAll(/ \* @example\n(.*?)(?: \* @| *\*\/)/gs)];
  return examples.map(([, code = '']) => {
    const body = code.replace(/^ *\* ?/gm, '');
    return [...head.values(), 'export async function check() {', body, '}'].join('\n');
  });
}

it('every example in a doc comment of src is right by its types', { timeout: 300_000 }, async () => {
  const modules = globSync('src/**/*.ts').flatMap(modulesOf);
  expect(modules.length).toBeGreaterThanOrEqual(40);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const [n, content] of modules.entries()) writeFileSync(join(FOLDER, `${n}.ts`), content);
  writeFileSync(join(FOLDER, 'names.ts'), NAMES);
  const compilerOptions = {
    noUnusedLocals: false,
    noImplicitAny: false,
    noImplicitReturns: false,
    tsBuildInfoFile: '../examples.json',
  };
  const settings = { extends: '../../../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] };
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(settings));
  const output = await promisify(execFile)('node_modules/.bin/tsc', ['-p', FOLDER]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
  // Placeholders are not declared (TS2304, TS2552, TS18004), and what they return may be unknown (TS18046).
  const faults = output.split('\n').filter((line) => /error/.test(line));
  expect(faults.filter((line) => !/TS(2304|2552|18004|18046)/.test(line))).toEqual([]);
});
