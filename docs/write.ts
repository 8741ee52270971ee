import { readFileSync, writeFileSync } from 'node:fs';
import { documentation } from '../src/config.ts';
import { Vocabulary } from '../src/conversation/language/vocabulary.ts';
import { LANGUAGE_TEXTS, WORDING } from '../src/i18n.ts';

/*
 * `npm run docs` writes the parts of the documents that come from the sources: `.env.example` as a whole, of
 * docs/configuration.md what stands between `<!-- name -->` and `<!-- /name -->`. With `--check` it writes nothing and
 * fails where a file is out of date.
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

const { examples } = new Vocabulary(LANGUAGE_TEXTS);
const asked = new Set(
  examples.flatMap(({ act }) => (act.startsWith('ask ') ? act.slice('ask '.length) : [])),
);
// How an operation stands, the bot knows.
const others = new Set([...answers, 'unknown', 'what', 'who', 'operation.when']);
const unanswered = [...asked].filter((id) => !others.has(id));
const list = (ids: readonly string[]) => ids.map((id) => `\`${id}\``).join(', ');

const PARTS = {
  variables: ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n'),
  answers: list(answers),
  unanswered: list(unanswered),
};

function fillIn(text: string): string {
  return Object.entries(PARTS).reduce((filled, [name, part]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [before, rest = ''] = filled.split(begin);
    const [, after] = rest.split(end);
    if (after === undefined) throw new Error(`docs/configuration.md has no part "${name}"`);
    return `${before}${begin}\n${part}\n${end}${after}`;
  }, text);
}

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

const HEAD = '# Copy to .env and uncomment what you set; the environment wins over this file.\n';
const files = {
  '.env.example': [HEAD, ...entries].join('\n'),
  'docs/configuration.md': fillIn(read('docs/configuration.md')),
};

for (const [name, content] of Object.entries(files)) {
  if (read(name) === content) continue;
  if (option === undefined) writeFileSync(new URL(`../${name}`, import.meta.url), content);
  else {
    console.error(`${name} is out of date: npm run docs`);
    process.exitCode = 1;
  }
}
