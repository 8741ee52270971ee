import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { DCLinter } from 'dclint';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import manifest from '../package.json' with { type: 'json' };
import { documentation, EXIT_CONFIG, readConfig } from '../src/config.ts';
import { serve } from './support/server.ts';

/*
 * The image, Compose, Kubernetes and systemd without their engines: each file is checked by the schema of its
 * program (dclint, kubernetes-models), and what one file says of another is compared.
 */

const root = new URL('../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');

const text = z.string();
const { services } = z
  .object({
    services: z.record(text, z.looseObject({ environment: z.record(text, z.coerce.string()).default({}) })),
  })
  .parse(parse(read('compose.yaml'), { strict: true, merge: true }));

const given: Readonly<Record<string, string>> = {
  STATE_KEY: randomBytes(32).toString('base64'),
  HASH_KEY: randomBytes(32).toString('base64'),
  STAFF_TOKEN: randomBytes(32).toString('hex'),
  SUPPORT_CONTACT: '1900 0000',
  ANTCRM_BASE_URL: 'http://sandbox:3001',
  ANTCRM_API_KEY: 'sandbox',
};

/**
 * The bots' `environment`, with `${NAME:?…}` filled in; what nobody gives is the reason that Compose would
 * show.
 */
function environment(known = given): Record<string, string> {
  const fill = (value: string) =>
    value.replace(/\$\{(\w+):\?([^}]*)\}/, (_, variable: string, why: string) => known[variable] ?? why);
  const entries = Object.entries(services.bot?.environment ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, fill(value)]));
}

/** How long a stop takes at most, s. */
const STOP_S = Number(/STOP_MS = ([\d_]+)/.exec(read('src/main.ts'))?.[1]?.replaceAll('_', '')) / 1000;

test('compose.yaml is valid: a production without faults, locked in, with a proxy to the bots', () => {
  // That a service is built here, and that platforms reach the proxy from everywhere, is meant.
  const rules = { 'no-build-and-image': 0, 'no-unbound-port-interfaces': 0 } as const;
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  const [linted] = linter.lintFiles([new URL('compose.yaml', root).pathname], false);
  expect(linted).toMatchObject({ errorCount: 0, messages: expect.any(Array) });
  expect(services.bot).toMatchObject({ image: `antcrm-chatbot:${manifest.version}` });
  expect(Number.parseInt(String(services.bot?.stop_grace_period), 10)).toBeGreaterThan(STOP_S);

  expect(readConfig(environment())).toMatchObject({ ok: true, config: { trustProxy: 1 } });
  for (const [name, value] of Object.entries(environment({})))
    if (name in given) expect([name, value]).toEqual([name, expect.stringMatching(/^set it in \.env to /)]);

  const security = { cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] };
  for (const service of Object.values(services))
    expect(service).toMatchObject({ ...security, mem_limit: expect.any(String) });
  expect(JSON.stringify(services.redis?.command)).toMatch(/"--appendfsync","always".*"noeviction"/);

  const { PORT, ADMIN_PORT } = environment();
  expect(read('ops/caddy/Caddyfile')).toContain(`dynamic a {$BOT_HOST:bot} {$BOT_PORT:${PORT}}`);
  expect(read('ops/caddy/Caddyfile')).toContain(`dynamic a {$BOT_HOST:bot} {$BOT_ADMIN_PORT:${ADMIN_PORT}}`);
  expect(read('ops/prometheus/prometheus.yml')).toContain(`names: [bot], type: A, port: ${ADMIN_PORT}`);
});

test('the bot takes the example files of gifts and answers, at their path in its containers', () => {
  const gifts = 'ops/shop/gifts.example.json';
  const answers = 'ops/shop/answers.example.json';
  const settings = { ...environment(), GIFTS_FILE: `${root.pathname}${gifts}` };
  expect(readConfig({ ...settings, ANSWERS_FILE: `${root.pathname}${answers}` })).toMatchObject({
    ok: true,
    config: { gifts: [{ code: 'DAUMAY01' }], answers: [{ id: 'hours' }] },
  });
  expect(services.bot).toMatchObject({ volumes: ['./ops/shop:/shop:ro'] });
});

test('the manifest for Kubernetes is valid, of this version, with the ports of the bots', () => {
  const KINDS = { Deployment, Service, PodDisruptionBudget, NetworkPolicy };
  const kindSchema = z.looseObject({
    kind: z.enum(['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy']),
  });
  const objects = parseAllDocuments(read('ops/kubernetes.yaml')).map((document) => {
    const { kind, ...object } = kindSchema.parse(document.toJS({ maxAliasCount: 20 }));
    return Object.assign(new KINDS[kind](), object);
  });
  for (const object of objects) object.validate();
  const [deployment] = objects.filter((object) => object instanceof Deployment);
  const pod = deployment?.spec?.template.spec;
  const [bot] = pod?.containers ?? [];
  const [check] = pod?.initContainers ?? [];
  const named = JSON.stringify(objects).matchAll(/"(?:targetPort|port)":"(\w+)"/g);
  expect(new Set([...named].map(([, name]) => name))).toEqual(new Set(bot?.ports?.map(({ name }) => name)));
  const env = Object.fromEntries(bot?.env?.map(({ name, value }) => [name, value]) ?? []);
  expect(bot?.ports?.map(({ containerPort }) => `${containerPort}`)).toEqual([env.PORT, env.ADMIN_PORT]);
  expect(Object.keys(env).filter((name) => !documentation.has(name))).toEqual([]);
  expect([check?.image, check?.env]).toEqual([bot?.image, bot?.env]);
  expect(bot?.image).toBe(`antcrm-chatbot:${manifest.version}`);
  const pauseS = bot?.lifecycle?.preStop?.sleep?.seconds ?? Number.NaN;
  expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(STOP_S + pauseS);
});

test('the unit for systemd starts what npm start starts, not again after a configuration fault', () => {
  const unit = read('ops/antcrm-chatbot.service');
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];
  expect(`exec ${setting('ExecStart')?.replace('/usr/bin/', '')}`).toBe(manifest.scripts.start);
  expect(setting('RestartPreventExitStatus')).toBe(`${EXIT_CONFIG}`);
  expect(Number(setting('TimeoutStopSec'))).toBeGreaterThan(STOP_S);
});

const words = z.array(z.string());

/** The Dockerfile's instructions, continued lines joined. */
const instructions = read('Dockerfile')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const all = (wanted: string): string[] =>
  instructions.flatMap(({ name, rest }) => (name === wanted ? [rest] : []));
const last = (wanted: string): string => all(wanted).at(-1) ?? '';

test('the image runs the Node that everything else runs, and the start script as it is, in production and not as root', () => {
  const [major] = manifest.devDependencies.node.match(/\d+/) ?? [];
  for (const base of all('FROM')) expect(base).toMatch(new RegExp(`^node:${major}-slim\\b`));
  expect(`exec ${words.parse(JSON.parse(last('CMD'))).join(' ')}`).toBe(manifest.scripts.start);
  expect([last('USER'), last('ENV')]).toEqual(['node', expect.stringContaining('NODE_ENV=production')]);
});

test('the image takes only files that exist, are let through, and are needed', () => {
  const taken = all('COPY')
    .filter((rest) => !rest.startsWith('--from='))
    .flatMap((rest) => rest.split(' ').slice(0, -1));
  expect(taken.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  const ignored = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [first, ...rest] = ignored;
  expect(first).toBe('*');
  expect(new Set(rest)).toEqual(new Set(taken.map((path) => `!${path}`)));
});

test('the image has every file that the bot loads, and no package of developers', {
  timeout: 120_000,
}, async () => {
  const program = `
    import { registerHooks } from 'node:module';
    const files = [];
    registerHooks({
      load(url, context, next) {
        files.push(url.replace(/^.*?\\/node_modules\\//, 'node_modules/'));
        return next(url, context);
      },
    });
    process.once('exit', () => console.log(files.join('\\n')));
    for (const name of ${JSON.stringify(Object.keys(manifest.dependencies))}) await import(name);
    process.argv[2] = '--check';
    await import('./src/main.ts');`;
  const run = async (file: string, ...args: string[]) => {
    const env = { PATH: process.env.PATH, LOG_LEVEL: 'silent', TEAMS_AUTH: 'off' };
    const options = { cwd: root, maxBuffer: 64 * 1024 * 1024, env };
    return (await promisify(execFile)(file, args, options)).stdout.split('\n').filter(Boolean);
  };
  const loaded = await run(process.execPath, '--input-type=module', '--eval', program, '-');
  const pruned = new Set(await run('sh', 'ops/prune-packages.sh', '-print'));
  expect(Math.min(loaded.length, pruned.size)).toBeGreaterThan(1000);
  const lock = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });
  const { packages } = lock.parse(JSON.parse(read('package-lock.json')));
  const packageOf = (file: string) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? '';
  expect(loaded.filter((file) => pruned.has(file) || packages[packageOf(file)]?.dev)).toEqual([]);
  const opened = ['reader', 'writer'].map(
    (kind) => `node_modules/zxing-wasm/dist/${kind}/zxing_${kind}.wasm`,
  );
  expect(opened.filter((file) => pruned.has(file) || !existsSync(new URL(file, root)))).toEqual([]);
});

test('the image is healthy while the bot answers, and is not when it is not there or says so', async () => {
  const [, , ...args] = words.parse(JSON.parse(`["",${last('HEALTHCHECK').replace(/^.* CMD \[/, '')}`));
  let status = 200;
  const asked: (string | undefined)[] = [];
  const server = await serve(({ url }, response) => {
    asked.push(url);
    response.writeHead(status, { connection: 'close' }).end();
  });
  const health = () =>
    new Promise((resolve) => {
      const env = { PORT: new URL(server.url).port };
      execFile(process.execPath, args, { env }).once('exit', resolve);
    });
  expect([await health(), asked]).toEqual([0, ['/health/live']]);
  status = 503;
  expect(await health()).toBe(1);
  await server[Symbol.asyncDispose]();
  expect(await health()).toBe(1);
});
