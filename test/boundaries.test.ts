import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, it } from 'vitest';

/** What a channel may import beside its own folder. */
const CHANNEL = [
  'conversation/',
  'channels/[^/]+$',
  'http/',
  'engine/messages.ts',
  'records/secrets.ts',
  'runtime.ts',
  'operators/tickets.ts',
  'resilience/',
  'store/port.ts',
  'i18n.ts',
];

/**
 * Who may import whom (CONTRIBUTING.md, "The house"), type imports counted. The first row whose files match a
 * file is its rule: paths begin like this. `$1` is the folder that the files capture.
 */
const ROOMS: readonly (readonly [files: string, imports: readonly string[]])[] = [
  // A language knows nothing of dialogues; what runs and asks for flows knows none of them; a flow knows no
  // other one.
  [
    'conversation/language/',
    [
      'conversation/language/',
      'conversation/values/',
      'conversation/message.ts',
      'conversation/commands.ts',
      'closest-name.ts',
    ],
  ],
  ['conversation/values/', ['conversation/values/', 'conversation/language/tokens.ts']],
  ['conversation/prompts/', ['conversation/(?!dialogue/|flows/)']],
  ['conversation/flows/index.ts', ['conversation/flow']],
  ['conversation/', ['conversation/(?!flows/)']],
  ['store/', ['store/', 'resilience/retry.ts', 'runtime.ts']],
  ['records/', ['records/', 'store/port.ts', 'resilience/retry.ts', 'runtime.ts']],
  // The engine knows the store by its ports, never an implementation.
  ['engine/', ['conversation/', 'store/[^/]+$', 'records/', 'engine/', 'resilience/', 'runtime.ts']],
  ['photos/', ['conversation/message.ts', 'resilience/', 'runtime.ts', 'photos/']],
  ['sandbox/', ['conversation/', 'loyalty/wire.ts', 'sandbox/']],
  [
    'loyalty/',
    ['conversation/', 'engine/perform.ts', 'loyalty/', 'resilience/', 'runtime.ts', 'http/transport.ts'],
  ],
  [
    'proof/',
    [
      'conversation/',
      'engine/record.ts',
      'http/transport.ts',
      'i18n.ts',
      'proof/',
      'records/versioned-records.ts',
      'resilience/',
      'runtime.ts',
      'store/port.ts',
    ],
  ],
  [
    'card/',
    [
      'card/',
      'conversation/',
      'http/guard.ts',
      'http/problem.ts',
      'http/staff-routes.ts',
      'loyalty/loyalty.ts',
      'observability/log.ts',
      'operators/tickets.ts',
      'resilience/',
      'runtime.ts',
      'store/port.ts',
    ],
  ],
  [
    'counter/',
    [
      'conversation/',
      'counter/',
      'http/guard.ts',
      'http/problem.ts',
      'http/staff-routes.ts',
      'records/versioned-records.ts',
      'resilience/',
      'runtime.ts',
      'store/port.ts',
    ],
  ],
  ['resilience/', ['resilience/token-bucket.ts', 'runtime.ts']],
  // A channel knows no other one.
  ['channels/([^/]+)/cli.ts', ['channels/$1/', 'conversation/', 'config.ts', 'i18n.ts', '../package.json']],
  ['channels/([^/]+)/', ['channels/$1/', ...CHANNEL]],
  ['channels/', CHANNEL],
  // Programs around the bot start from the app; what they hand to it is held to the rules of its kind.
  ['../examples/[^/]+/main.ts', ['../examples/', 'app.ts', 'config.ts', 'conversation/flows/index.ts']],
  ['../examples/own-channel/', CHANNEL],
  ['../examples/own-flow/', ['conversation/', '../examples/own-flow/']],
  ['console/', ['console/', 'http/guard.ts', 'http/session.ts']],
  [
    'cli/(answers|folds|gold|player|ablate).ts',
    ['conversation/', 'cli/(folds|gold|player|ablate).ts', 'sandbox/catalog.ts', 'config.ts', 'i18n.ts'],
  ],
  // Programs that talk to a running bot as staff and operators do, from outside.
  [
    'cli/',
    [
      'channels/staff/client.ts',
      'channels/staff/schemas.ts',
      'conversation/message.ts',
      'http/problem.ts',
      'channels.ts',
      'config.ts',
      'closest-name.ts',
      'cli/',
    ],
  ],
  [
    'operators/',
    [
      'conversation/',
      'loyalty/wire.ts',
      'engine/messages.ts',
      'engine/operators.ts',
      'runtime.ts',
      'store/port.ts',
      'http/problem.ts',
      'operators/',
    ],
  ],
  ['(runtime|closest-name|fault-words).ts', []],
  ['http/', ['http/', 'fault-words.ts', 'store/port.ts', '../package.json']],
  ['observability/', ['../package.json']],
  ['i18n.ts', ['conversation/', '../locales/']],
  // How a Redis' address is written is the store's to know.
  [
    '(config|operator-files).ts',
    [
      'conversation/',
      'operator-files.ts',
      'closest-name.ts',
      'fault-words.ts',
      'http/people.ts',
      'store/redis/address.ts',
    ],
  ],
  // The process and its wiring.
  ['[^/]+$', ['']],
];

/** Packages that may be imported in some places only: each must be replaceable by rewriting one folder. */
const PLACES: Readonly<Record<string, RegExp>> = {
  'telegraf(/|$)': /^channels\/telegram\//,
  '(botbuilder|botframework)': /^channels\/teams\//,
  'jose(/|$)': /^channels\/teams\//,
  'ioredis(/|$)': /^store\/redis\//,
  // Whatever the bot asks of others leaves from here: exact hosts, no redirects, size and time capped
  // (SECURITY.md).
  'undici(/|$)': /^http\/transport\.ts$/,
  'i18next(/|$)': /^i18n\.ts$/,
  'zxing-wasm(/|$)': /^photos\//,
  '@opentelemetry/': /^observability\/tracing\.ts$/,
  'prom-client(/|$)': /^observability\/metrics\.ts$/,
  // `conversation/` is pure: no I/O, no clock, no framework.
  '(?!(zod|libphonenumber-js(/.*)?)$)': /^(?!conversation\/)/,
};

/** What a source must not do, and where. */
const DEEDS: readonly (readonly [says: string, files: RegExp, source: RegExp])[] = [
  [
    // Node's own ways out cap nothing: they are for those who talk to the bot from outside, the terminal and
    // the browser.
    'makes requests of its own',
    /^(?!console\/|cli\/operations\.ts$|channels\/staff\/client\.ts$|\.\.\/examples\/.*\.html$)/,
    /(?<![\w.#])fetch\(|\bhttps?\.(request|get)\(|\bnet\.connect\(/,
  ],
  [
    // Whoever reads the imports must see all that is loaded.
    'loads modules past its imports',
    /^(?!.*\.cjs$)/,
    /\bcreateRequire\b|\bgetBuiltinModule\b|(?<![\w.'-])require\(/,
  ],
  [
    // Whoever makes the permit for a call has stored its intent.
    'permits a call',
    /^(?!engine\/effects\.ts$)/,
    /\bnew CallPermit\b/,
  ],
  [
    // Only `interpret` sees what a customer wrote: `inputs.ts` hands texts over.
    "sees a customer's text",
    /^conversation\/(dialogue\/(?!inputs\.ts$)|flows\/|slots\.ts$|step\.ts$)/,
    /\blanguage\.\w+\(|(?<!'[\w.]*)\.(text|caption|payload)\b/,
  ],
  [
    // They come from `Runtime`, or the simulator could not run what uses them. What is pure has none.
    'has time or chance of its own',
    /^(engine\/|records\/|store\/|loyalty\/|resilience\/|operators\/(tickets|overload|backlog)\.ts$|conversation\/|channels\/rate-limiter\.ts$)/,
    /\b(performance\.now|hrtime|Date\.now|new Date\(\)|(?<!override )set(Timeout|Interval|Immediate)|Math\.random|random(UUID|Bytes|FillSync))\b/,
  ],
];

/** The breaches of a source; paths are relative to `src/`, also those of `examples/`. */
function breaches(file: string, source: string): string[] {
  const done = DEEDS.filter(([, files, deed]) => files.test(file) && deed.test(source));
  const imports = importsOf(source).filter((wanted) => !mayImport(file, wanted));
  return [
    ...done.map(([says]) => `${file} ${says}`),
    ...imports.map((wanted) => `${file} must not import ${wanted}`),
  ];
}

function mayImport(file: string, wanted: string): boolean {
  if (!wanted.startsWith('.')) {
    const places = Object.entries(PLACES).filter(([packages]) => new RegExp(`^${packages}`).test(wanted));
    return places.every(([, files]) => files.test(file));
  }
  const target = posix.join(posix.dirname(file), wanted).replace(/^\.\.\/src\//, '');
  // Everybody reports what it does, but for what is pure.
  if (target.startsWith('observability/') && !/^(conversation|console)\//.test(file)) return true;
  for (const [files, imports] of ROOMS) {
    const match = new RegExp(`^${files}`).exec(file);
    if (match)
      return imports.some((path) => new RegExp(`^${path.replace('$1', match[1] ?? '')}`).test(target));
  }
  return false;
}

/** What a source imports: `import`, `export … from`, `import()`, of values and types. */
function importsOf(source: string): string[] {
  const statement = /^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*(['"])([^'"\s]+)\1/gm;
  const expression = /\bimport\(\s*(['"`])([^'"`\s]+)\1/g;
  return [statement, expression].flatMap((pattern) =>
    [...source.matchAll(pattern)].flatMap(([, , wanted]) => wanted ?? []),
  );
}

const root = new URL('../src/', import.meta.url);
const files = globSync('{.,../examples}/**/*.{ts,mjs,cjs,js,lua,css,html}', { cwd: root });
const sourceOf = (file: string): string => readFileSync(new URL(file, root), 'utf8');

it('the examples are checked as sources are', () => {
  expect(files).toContain('../examples/own-channel/web-chat.ts');
});

it('the sources do and import only what their room allows (in no cycle: biome.json)', () => {
  expect(files.flatMap((file) => breaches(file, sourceOf(file)))).toEqual([]);
});

it('each pattern of a rule matches a file, or a package that is imported', () => {
  const others = globSync('../{package.json,locales/*}', { cwd: root });
  const isFound = (pattern: RegExp) => [...files, ...others].some((file) => pattern.test(file));
  const begins = (path: string) => new RegExp(`^${path.replace('$1', '[^/]+')}`);
  const ofRooms = ROOMS.flatMap(([room, imports]) => [room, ...imports].map(begins));
  const ofDeeds = DEEDS.map(([, where]) => where);
  const packages = new Set(
    files.flatMap((file) => importsOf(sourceOf(file)).filter((name) => !name.startsWith('.'))),
  );
  const unused = Object.keys(PLACES).filter(
    (name) => ![...packages].some((wanted) => begins(name).test(wanted)),
  );
  const idle = [...ofRooms, ...ofDeeds, ...Object.values(PLACES)].filter((pattern) => !isFound(pattern));
  expect([...idle.map(String), ...unused]).toEqual([]);
});

it('property tests take their cases from one place, which makes them the same in every run', () => {
  const users = globSync('test/**/*.ts').filter((file) =>
    / from 'fast-check'/.test(readFileSync(file, 'utf8')),
  );
  expect(users.filter((file) => !file.endsWith('boundaries.test.ts'))).toEqual([
    'test/support/properties.ts',
  ]);
});

it.each([
  ['conversation/dialogue/run.ts', 'const said = message.text;'],
  ['conversation/flows/redeem.ts', "import type { Log } from '../../observability/log.ts';"],
  ['conversation/slots.ts', "import { format } from 'date-fns';"],
  ['loyalty/redeem.ts', "import {\n  type RecordStore,\n  SHARDS,\n} from '../store/port.ts';"],
  ['channels/other/routes.ts', "import { send } from '../telegram/send.ts';"],
  ['channels/telegram/routes.ts', "const { step } = await import('../../app.ts');"],
  ['channels/telegram/routes.ts', "import 'botbuilder';"],
  ['engine/turns.ts', 'const answer = await fetch(url);'],
  ['engine/turns.ts', 'const id = randomUUID();'],
  ['conversation/slots.ts', 'const atMs = Date.now();'],
  ['loyalty/redeem.ts', 'const permit = new CallPermit(operation);'],
  ['http/transport.ts', "const Agent = createRequire(import.meta.url)('undici/lib/dispatcher/agent.js');"],
  ['loyalty/antcrm.ts', "import { request } from 'undici/lib/api.js';"],
])('a breach planted in %s is refused: %s', (file, source) => {
  expect(breaches(file, source)).toHaveLength(1);
});
