import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { USAGE } from '../src/cli/operations.ts';
import { documentation } from '../src/config/variables.ts';
import { WORDING } from '../src/i18n.ts';
import { ALARMS, STUCK } from '../src/observability/log.ts';
import { createMetrics } from '../src/observability/metrics.ts';

const root = new URL('../', import.meta.url);
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).map((name): [string, string] => [
  name,
  read(name),
]);

/** The ids of the built-in answers. */
const ANSWERS = Object.keys(WORDING.vi).flatMap((key) => /^answer\.([^_]+)$/.exec(key)?.[1] ?? []);

/** A document, its tables without the blanks that only make columns. */
function read(name: string): string {
  return readFileSync(new URL(name, root), 'utf8').replace(/ +(?=\|)/g, ' ');
}

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, found]) => found ?? []);
}

/** The one document that lists the variables, made below: a second list would only drift from it. */
const LISTS_VARIABLES = 'docs/configuration.md';

const HEAD = `# Configuration

Everything is set by environment variables, or in a file \`.env\` (see \`.env.example\`). A wrong or missing value stops the start with one list of all faults and exit code 78. A name that begins like one of these (\`ANTCRM_\`, \`TELEGRAM_\`, \`REDIS_\`, …) and is none is pointed out, under that list or in the log.

This page is made from \`src/config/variables.ts\`.
`;

const TAIL = `
## The gift list

A gift list for \`GIFTS_FILE\` lets customers pick a gift, see its price and what it is, and, once redeemed, hear where to get it. \`description\`, \`image\` and \`pickUp\` may be left out:

\`\`\`json
[
  {
    "code": "DAUMAY01",
    "name": { "vi": "Đầu máy", "en": "Player" },
    "score": 10,
    "description": { "vi": "Đầu phát 4K, kèm điều khiển.", "en": "Plays 4K, remote included." },
    "image": "https://shop.example/player.jpg",
    "pickUp": { "vi": "Cửa hàng 12 Lê Lợi, 8:00–20:00.", "en": "The shop at 12 Le Loi, 8:00–20:00." }
  }
]
\`\`\`

The image is fetched by Telegram, Teams and the browser of whoever sees the console, never by the bot. Telegram takes JPEG, PNG and WebP up to 5 MB; where it cannot show a picture, customers get the text alone.

## Answers

The bot answers usual questions by itself, then asks its own again. A file for \`ANSWERS_FILE\` has your answers: one with the id of a built-in answer replaces it, any other comes on top. Of what explains the bot's own questions (\`code.where\`, \`phone.why\`, \`email.why\`, …) it is what "what?" is answered by, too. The built-in ones: ${ANSWERS.map((id) => `\`${id}\``).join(', ')}.

What only you can know (when points expire, where the shop is) gets \`SUPPORT_CONTACT\` and is counted as unanswered until you write it here:

\`\`\`json
[
  {
    "id": "hours",
    "asks": { "vi": ["mấy giờ mở cửa", "mở cửa đến mấy giờ"], "en": ["when do you open", "opening hours"] },
    "answer": { "vi": "Cửa hàng mở cửa 8:00–21:00 mỗi ngày.", "en": "The shop is open from 8:00 to 21:00 every day." }
  }
]
\`\`\`

\`asks\` are questions as customers write them. Capitals, marks, punctuation, polite words, their order and small typing errors do not matter; a text must have most of the words of one of them, and be a question. \`bot_questions_total\` counts what was answered, and as \`none\` what was not (docs/operators.md).
`;

describe.each(documents)('%s', (_name, text) => {
  it('names only files that exist', () => {
    const paths = all(text, /`((?:src|test|locales|docs|ops|\.ci|\.github)\/[\w./-]*)`/g);
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const scripts = all(text, /npm run ([\w:-]+)/g);
    expect(scripts.filter((script) => !Object.hasOwn(manifest.scripts, script))).toEqual([]);
  });
});

const others = documents.filter(([name]) => name !== LISTS_VARIABLES);
it.each(others)('%s leaves the variables to docs/configuration.md', (_name, text) => {
  expect(text.split('\n').filter((line) => /^\| `[A-Z]\w{3,}` \|/.test(line))).toEqual([]);
});

it('docs/configuration.md lists every variable (written anew by npm test -- test/documents.test.ts -u)', async () => {
  const rows = documentation.map((about) => {
    const absent = about.absent === undefined ? '–' : `– (${about.absent})`;
    const fallback = about.default === undefined ? absent : `\`${about.default}\``;
    return `| \`${about.name}\` | ${fallback} | ${about.meaning} |`;
  });
  const table = ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
  await expect(`${HEAD}\n${table}\n${TAIL}`).toMatchFileSnapshot('../docs/configuration.md');
});

it('.env.example lists every variable (written anew by the same)', async () => {
  const entries = documentation.map(({ name, meaning, wants, absent, ...about }) => {
    const unset = absent === undefined ? '' : `; unset: ${absent}`;
    return `# ${meaning} (${wants}${unset})\n#${name}=${about.default ?? ''}\n`;
  });
  const head = '# Copy to .env and uncomment what you set; the environment wins over this file.\n';
  await expect([head, ...entries].join('\n')).toMatchFileSnapshot('../.env.example');
});

it('the documents have 13,000 words at most, what is generated aside', () => {
  const examples = globSync('examples/*/README.md', { cwd: root }).map((name) => [name, read(name)]);
  const words = [...others, ...examples].flatMap(([, text = '']) =>
    text.split(/\s+/).filter((word) => word !== ''),
  );
  expect(words.length).toBeLessThanOrEqual(13_000);
});

it.each(documents)('%s links only to files that exist', (name, text) => {
  const links = all(text, /\]\((?!https?:)([\w./-]+)\)/g);
  expect(links.filter((link) => !existsSync(new URL(link, new URL(name, root))))).toEqual([]);
});

it('README.md is short: under 12 KB', () => {
  expect(Buffer.byteLength(readFileSync(new URL('README.md', root)))).toBeLessThan(12_000);
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
    const commands = all(USAGE, /npm run operations -- (\w+)/g);
    expect(commands.filter((command) => !new RegExp(`\\b${command} `).test(text))).toEqual([]);
  });
});

describe('the ports', () => {
  const sources = globSync('src/**/*.ts', { cwd: root }).map(read).join('\n');
  const docs = new Map(
    [...sources.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\nexport (?:interface|type|class) (\w+)/gs)].map(
      ([, doc = '', name = '']): [string, string] => [name, doc],
    ),
  );
  const ports = all(sources, /^export interface (\w+)/gm);

  it.each([...ports, 'Limit', 'RateLimiter'])('%s has an example of its use', (name) => {
    expect(docs.get(name)).toMatch(/ \* @example\n \* \S/);
  });
});
