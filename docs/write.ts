import { readFileSync, writeFileSync } from 'node:fs';
import { documentation } from '../src/config.ts';
import { isForShop } from '../src/conversation/language/table.ts';
import { WORDING } from '../src/i18n.ts';
import { partsOf } from './proof.ts';
import { readRuns } from './runs.ts';

/*
 * `npm run docs` writes the parts of the documents that come from the sources, or from the last recorded
 * runs: `.env.example` as a whole, of the documents what stands between `<!-- name -->` and `<!-- /name -->`.
 * With `--check` it writes nothing and fails where a file is out of date.
 */

const [option] = process.argv.slice(2);
if (option !== undefined && option !== '--check') {
  console.error('npm run docs has one option: --check');
  process.exit(2);
}

const variables = [...documentation].map(([name, about]) => {
  const { meaning = '', wants = '', default: fallback, absent, isSecret = false } = about ?? {};
  return { name, meaning, wants, fallback, absent, isSecret };
});

const rows = variables.map(({ name, meaning, fallback, absent }) => {
  const unset = absent === undefined ? '–' : `– (${absent})`;
  return `| \`${name}\` | ${fallback === undefined ? unset : `\`${fallback}\``} | ${meaning} |`;
});

const entries = variables.map(({ name, meaning, wants, fallback = '', absent }) => {
  const unset = absent === undefined ? '' : `; unset: ${absent}`;
  return `# ${meaning} (${wants}${unset})\n#${name}=${fallback}\n`;
});

const answers = Object.keys(WORDING.vi).flatMap((key) => /^answer\.([^_]+)$/.exec(key)?.[1] ?? []);
const unanswered = answers.filter(isForShop);
const list = (ids: readonly string[]) => ids.map((id) => `\`${id}\``).join(', ');

const SOURCES = {
  variables: ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n'),
  answers: list(answers.filter((id) => !isForShop(id))),
  unanswered: list(unanswered),
};

const { runs, events, planted, staff } = partsOf(readRuns());

/** The document with these parts filled in, each between its two marks. */
function fillIn(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const begin = `<!-- ${name} -->`;
    const end = `<!-- /${name} -->`;
    const [before, rest = ''] = text.split(begin);
    const [, after] = rest.split(end);
    if (after === undefined) throw new Error(`${document} has no part "${name}"`);
    return `${before}${begin}\n${part}\n${end}${after}`;
  }, read(document));
}

function read(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
}

const HEAD = '# Copy to .env and uncomment what you set; the environment wins over this file.\n';
const files = {
  '.env.example': [HEAD, ...entries].join('\n'),
  'docs/configuration.md': fillIn('docs/configuration.md', SOURCES),
  'docs/proof.md': fillIn('docs/proof.md', { runs, planted, events }),
  'docs/simulator.md': fillIn('docs/simulator.md', { staff }),
};

for (const [name, content] of Object.entries(files)) {
  if (read(name) === content) continue;
  if (option === undefined) writeFileSync(new URL(`../${name}`, import.meta.url), content);
  else {
    console.error(`${name} is out of date: npm run docs`);
    process.exitCode = 1;
  }
}
