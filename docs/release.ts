import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/*
 * `npm run release -- 1.2.3` gives everything the version: package.json, its lock file, the image's tag, and
 * in CHANGELOG.md a section of its own for what was unreleased. `npm run release -- --check` writes nothing,
 * and fails where they differ, where operators are not told what to do between this version and the others,
 * or where a generated document is out of date.
 */

const USAGE = 'npm run release -- VERSION | --check';
const VERSION = /^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/;
const UNRELEASED = '## [Unreleased]';
/** The kinds of changes of Keep a Changelog. */
const CHANGES = new Set(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']);
const MANUAL = 'docs/operators.md';

const read = (name: string): string => readFileSync(name, 'utf8');
const manifest: { readonly version: string } = JSON.parse(read('package.json'));

/** Where the version stands, and how it is written there. */
const PLACES: readonly { readonly file: string; readonly pattern: RegExp }[] = [
  { file: 'package.json', pattern: /(?<="version": ")[^"]+/ },
  // Of the lock file only the two lines of this package, which come first.
  { file: 'package-lock.json', pattern: /(?<=^\{\n {2}"name": "antcrm-chatbot",\n {2}"version": ")[^"]+/ },
  { file: 'package-lock.json', pattern: /(?<="": \{\n {6}"name": "antcrm-chatbot",\n {6}"version": ")[^"]+/ },
  { file: 'compose.yaml', pattern: /(?<=antcrm-chatbot:)[\w.-]+/g },
  { file: 'ops/kubernetes.yaml', pattern: /(?<=antcrm-chatbot:)[\w.-]+/g },
];

function findFaults(): string[] {
  const faults = PLACES.flatMap(({ file, pattern }) => {
    const versions = read(file).match(pattern) ?? [];
    if (versions.length === 0) return [`${file} names no version`];
    const others = versions.filter((version) => version !== manifest.version);
    return others.map((version) => `${file} has ${version}, package.json ${manifest.version}`);
  });
  const changelog = read('CHANGELOG.md');
  if (!changelog.includes(UNRELEASED)) faults.push(`CHANGELOG.md has no section "${UNRELEASED}"`);
  const [, newest] = /^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$/m.exec(changelog) ?? [];
  if (newest !== manifest.version) faults.push(`CHANGELOG.md has ${newest ?? 'no version'} as the newest`);
  for (const [, title = ''] of changelog.matchAll(/^### (.*)$/gm)) {
    if (!CHANGES.has(title)) faults.push(`CHANGELOG.md has "${title}", which is no kind of change`);
  }
  const [, table = ''] = read(MANUAL).split('### Between versions\n');
  if (!table.split('\n## ')[0]?.includes(`| ${manifest.version} `))
    faults.push(`${MANUAL}, "Between versions", has no row for ${manifest.version}`);
  return faults;
}

function release(version: string): void {
  for (const { file, pattern } of PLACES) writeFileSync(file, read(file).replace(pattern, version));
  const today = new Date().toISOString().slice(0, 10);
  const section = `${UNRELEASED}\n\n## [${version}] - ${today}`;
  writeFileSync('CHANGELOG.md', read('CHANGELOG.md').replace(UNRELEASED, section));
  console.log(`${version}: see git diff, then npm run release -- --check, commit, git tag ${version}`);
}

const [argument = ''] = process.argv.slice(2);
if (argument === '--check') {
  const faults = findFaults();
  for (const fault of faults) console.error(fault);
  // It says itself what is out of date.
  const { status } = spawnSync('npm', ['run', '--silent', 'docs', '--', '--check'], { stdio: 'inherit' });
  if (faults.length > 0 || status !== 0) process.exitCode = 1;
  else console.log(`${manifest.version}: version, changelog, image and documents agree`);
} else if (VERSION.test(argument)) release(argument);
else {
  console.error(USAGE);
  process.exitCode = 2;
}
