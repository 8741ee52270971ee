import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** `imports` may depend on the folder that `files` captures. */
type Room = { files: RegExp; imports: readonly RegExp[] | ((folder: string) => readonly RegExp[]) };

/** What a channel may import beside its own folder. */
const CHANNEL: readonly RegExp[] = [
  /^conversation\//,
  /^channels\/[^/]+$/,
  /^http\//,
  /^engine\/messages\.ts$/,
  /^runtime\.ts$/,
  /^operators\/tickets\.ts$/,
  /^store\/port\.ts$/,
  /^i18n\.ts$/,
];

/**
 * Who may import whom (CONTRIBUTING.md, "The house"), type imports counted. The first rule whose `files` match a file is
 * its rule; `imports` match what it may import of ours.
 */
const ROOMS: readonly Room[] = [
  // A language knows nothing of dialogues; what runs and asks for flows knows none of them; a flow knows no other one.
  {
    files: /^conversation\/language\//,
    imports: [/^conversation\/((language|values)\/|(message|commands)\.ts$)/],
  },
  { files: /^conversation\/values\//, imports: [/^conversation\/(values\/|language\/tokenizer\.ts$)/] },
  { files: /^conversation\/prompts\.ts$/, imports: [/^conversation\/(?!dialogue\/|flows\/)/] },
  { files: /^conversation\/flows\/index\.ts$/, imports: [/^conversation\/flow/] },
  { files: /^conversation\//, imports: [/^conversation\/(?!flows\/)/] },
  { files: /^store\//, imports: [/^store\//, /^resilience\/retry\.ts$/, /^runtime\.ts$/] },
  // The engine knows the store by its ports, never an implementation.
  {
    files: /^engine\//,
    imports: [/^conversation\//, /^store\/[^/]+$/, /^engine\//, /^resilience\//, /^runtime\.ts$/],
  },
  { files: /^photos\//, imports: [/^conversation\/message\.ts$/, /^photos\//] },
  { files: /^sandbox\//, imports: [/^conversation\//, /^loyalty\/wire\.ts$/, /^sandbox\//] },
  {
    files: /^loyalty\//,
    imports: [/^conversation\//, /^loyalty\//, /^resilience\//, /^runtime\.ts$/, /^http\/transport\.ts$/],
  },
  // What holds up under failures, whatever fails. Of ours it knows the clock.
  { files: /^resilience\//, imports: [/^runtime\.ts$/] },
  {
    files: /^channels\/([^/]+)\/cli\.ts$/,
    imports: (name) => [
      ...[within(name), /^conversation\//],
      ...[/^(config|i18n)\.ts$/, /^\.\.\/package\.json$/],
    ],
  },
  // A channel knows no other one, and the way to another one's SDK is closed (`PLACES`).
  { files: /^channels\/([^/]+)\//, imports: (name) => [within(name), ...CHANNEL] },
  { files: /^channels\/[^/]+$/, imports: CHANNEL },
  // Programs around the bot start from the app; what they hand to it is held to the rules of its kind.
  {
    files: /^\.\.\/examples\/[^/]+\/main\.ts$/,
    imports: [/^\.\.\/examples\//, /^(app|config)\.ts$/, /^conversation\/flows\/index\.ts$/],
  },
  { files: /^\.\.\/examples\/own-channel\//, imports: CHANNEL },
  { files: /^\.\.\/examples\/own-flow\//, imports: [/^conversation\//, /^\.\.\/examples\/own-flow\//] },
  // The console's page, which runs in the browser, and how staff sign in to it.
  { files: /^console\//, imports: [/^console\//, /^http\/(guard|session)\.ts$/] },
  // What the bot understands, tried without a bot.
  { files: /^cli\/answers\.ts$/, imports: [/^conversation\//, /^(i18n|operator-files)\.ts$/] },
  // Programs that talk to a running bot as staff and operators do, from outside.
  {
    files: /^cli\//,
    imports: [
      ...[/^channels\/staff\/(client|schemas)\.ts$/, /^http\/problem\.ts$/],
      ...[/^(channels|config)\.ts$/, /^cli\//],
    ],
  },
  // What operators are told: it brings together what the store keeps and what the loyalty part wrote there.
  {
    files: /^operators\//,
    imports: [
      ...[/^conversation\//, /^loyalty\/wire\.ts$/, /^engine\/(listing|operators)\.ts$/, /^runtime\.ts$/],
      ...[/^store\/(port|encryption)\.ts$/],
      ...[/^http\/problem\.ts$/, /^operators\//],
    ],
  },
  { files: /^runtime\.ts$/, imports: [] },
  { files: /^http\//, imports: [/^http\//, /^store\/port\.ts$/] },
  { files: /^observability\//, imports: [/^\.\.\/package\.json$/] },
  { files: /^i18n\.ts$/, imports: [/^conversation\//, /^\.\.\/locales\//] },
  // How a Redis' address is written is the store's to know.
  {
    files: /^(config|operator-files)\.ts$/,
    imports: [/^conversation\//, /^operator-files\.ts$/, /^store\/redis\/address\.ts$/],
  },
  // Pieces of the wiring; only the app knows all parts.
  {
    files: /^backend\.ts$/,
    imports: [/^(config|runtime|http\/transport|loyalty\/loyalty|sandbox\/(catalog|sandbox))\.ts$/],
  },
  {
    files: /^routes\.ts$/,
    imports: [
      ...[/^(conversation|console|http|operators)\//, /^(config|i18n|channels\/channel)\.ts$/],
      ...[/^engine\/operators\.ts$/, /^store\/(port|encryption)\.ts$/],
    ],
  },
  {
    files: /^(open-conversation|notices)\.ts$/,
    imports: [/^conversation\//, /^(config|i18n)\.ts$/, /^runtime\.ts$/, /^http\/transport\.ts$/],
  },
  // The process and its wiring.
  { files: /^[^/]+$/, imports: [/./] },
];

function within(folder: string): RegExp {
  return new RegExp(`^channels/${folder}/`);
}

/** Packages that may be imported in some places only: each must be replaceable by rewriting one folder. */
const PLACES: readonly { packages: RegExp; files: RegExp }[] = [
  { packages: /^telegraf(\/|$)/, files: /^channels\/telegram\// },
  { packages: /^(botbuilder|botframework)/, files: /^channels\/teams\// },
  { packages: /^ioredis(\/|$)/, files: /^store\/redis\// },
  // Whatever the bot asks of others leaves from here: exact hosts, no redirects, size and time capped (SECURITY.md).
  { packages: /^undici$/, files: /^http\/transport\.ts$/ },
  { packages: /^i18next$/, files: /^i18n\.ts$/ },
  { packages: /^zxing-wasm(\/|$)/, files: /^photos\// },
  { packages: /^@opentelemetry\//, files: /^observability\/tracing\.ts$/ },
  { packages: /^prom-client$/, files: /^observability\/metrics\.ts$/ },
];

/** Node's own ways out, which cap nothing: for those who talk to the bot from outside, the terminal and the browser. */
const WAYS_OUT = /(?<![\w.#])fetch\(|\bhttps?\.(request|get)\(|\bnet\.connect\(/;
const OUTSIDERS = /^(console\/|cli\/operations\.ts$|channels\/staff\/client\.ts$|\.\.\/examples\/.*\.html$)/;

/**
 * Only `interpret` sees what a customer wrote: `inputs.ts` hands texts over, no other module of the dialogue, no flow and
 * no kind of slot gets one.
 */
const TEXTS = /\blanguage\.\w+\(|(?<!'[\w.]*)\.(text|caption|payload)\b/;
const BLIND = /^conversation\/(dialogue\/(?!inputs\.ts$)|flows\/|kinds\.ts$|step\.ts$)/;
/** Time and chance come from `Runtime`, or the simulator could not run what uses them. */
const OUTSIDE =
  /\b(performance\.now|Date\.now|new Date\(\)|setTimeout|setInterval|setImmediate|Math\.random|randomUUID|randomBytes|randomFillSync)\b/;
const BY_RUNTIME = /^(engine\/|store\/|loyalty\/|resilience\/|channels\/rate-limiter\.ts$)/;

/** `conversation/` is pure: no I/O, no clock, no framework. */
const PURE = /^(zod|libphonenumber-js(\/.*)?)$/;

/** Every breach of the rules above in the given sources; paths are relative to `src/`, also those of `examples/`. */
function breaches(sources: Readonly<Record<string, string>>): string[] {
  return Object.entries(sources).flatMap(([file, source]) => {
    const out = WAYS_OUT.test(source) && !OUTSIDERS.test(file) ? [`${file} makes requests of its own`] : [];
    const seen = BLIND.test(file) && TEXTS.test(source) ? [`${file} sees a customer's text`] : [];
    const timed =
      BY_RUNTIME.test(file) && OUTSIDE.test(source) ? [`${file} has time or chance of its own`] : [];
    return [...out, ...seen, ...timed, ...importsOf(source).flatMap((wanted) => breach(file, wanted))];
  });
}

function breach(file: string, wanted: string): string[] {
  const said = [`${file} must not import ${wanted}`];
  if (wanted.startsWith('.')) {
    const target = resolve(file, wanted);
    // Everybody reports what it does, but for what is pure.
    if (target.startsWith('observability/') && !/^(conversation|console)\//.test(file)) return [];
    return importsAllowed(file).some((allowed) => allowed.test(target)) ? [] : said;
  }
  if (file.startsWith('conversation/')) return PURE.test(wanted) ? [] : said;
  const place = PLACES.find(({ packages }) => packages.test(wanted));
  return place === undefined || place.files.test(file) ? [] : said;
}

function importsAllowed(file: string): readonly RegExp[] {
  for (const { files, imports } of ROOMS) {
    const match = files.exec(file);
    if (match) return typeof imports === 'function' ? imports(match[1] ?? '') : imports;
  }
  return [];
}

function resolve(file: string, wanted: string): string {
  return posix.join(posix.dirname(file), wanted).replace(/^\.\.\/src\//, '');
}

/** What a source imports: `import`, `export … from`, `import()`, of values and types. */
function importsOf(source: string): string[] {
  const statement = /^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*(['"])([^'"\s]+)\1/gm;
  const expression = /\bimport\(\s*(['"`])([^'"`\s]+)\1/g;
  return [statement, expression].flatMap((pattern) =>
    [...source.matchAll(pattern)].flatMap(([, , wanted]) => wanted ?? []),
  );
}

function read(): Record<string, string> {
  const root = new URL('../src/', import.meta.url);
  const files = globSync('{.,../examples}/**/*.{ts,mjs,js,lua,css,html}', { cwd: root });
  return Object.fromEntries(files.map((file) => [file, readFileSync(new URL(file, root), 'utf8')]));
}

it('the sources import only what their room allows (in no cycle: biome.json)', () => {
  const sources = read();
  expect(Object.keys(sources)).toContain('../examples/own-channel/web-chat.ts');
  expect(breaches(sources)).toEqual([]);
});

it('property tests take their cases from one place, which makes them the same in every run', () => {
  const files = globSync('test/**/*.ts').filter((file) =>
    /^import .* from 'fast-check'/m.test(readFileSync(file, 'utf8')),
  );
  expect(files).toEqual(['test/support/properties.ts']);
});

describe('the rules', () => {
  const planted: readonly [file: string, source: string][] = [
    ['conversation/step.ts', "import type { RecordStore } from '../store/port.ts';"],
    ['conversation/dialogue/run.ts', 'const said = message.text;'],
    ['conversation/flows/redeem.ts', "import type { Log } from '../../observability/log.ts';"],
    ['conversation/slots.ts', "import { format } from 'date-fns';"],
    ['engine/turns.ts', "import type { Loyalty } from '../loyalty/loyalty.ts';"],
    ['loyalty/redeem.ts', "import {\n  type RecordStore,\n  SHARDS,\n} from '../store/port.ts';"],
    ['channels/other/routes.ts', "import { send } from '../telegram/send.ts';"],
    ['../examples/own-channel/web-chat.ts', "import { createApp } from '../../src/app.ts';"],
    ['channels/telegram/routes.ts', "const { step } = await import('../../app.ts');"],
    ['channels/telegram/routes.ts', "import 'botbuilder';"],
    ['observability/log.ts', "import type { Locale } from '../conversation/message.ts';"],
    ['engine/turns.ts', 'const answer = await fetch(url);'],
    ['engine/turns.ts', 'const id = randomUUID();'],
  ];

  it.each(planted)('refuse a breach planted in %s: %s', (file, source) => {
    expect(breaches({ [file]: source })).toHaveLength(1);
  });
});
