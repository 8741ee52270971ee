import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import manifest from '../package.json' with { type: 'json' };
import { documentation } from '../src/config/variables.ts';
import { EXIT_CONFIG, readConfig } from '../src/config.ts';
import { createSandbox } from '../src/sandbox/sandbox.ts';

/*
 * What can be held of compose.yaml, what it mounts and the CI's workflow where there is no Docker engine: each is read as
 * YAML by a strict schema, and what one file says of another is compared.
 */

const root = new URL('../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
const readYaml = (name: string): unknown => parse(read(name), { strict: true, merge: true });

const text = z.string().min(1);
const condition = z.strictObject({
  condition: z.enum(['service_healthy', 'service_completed_successfully']),
  required: z.boolean().default(true),
});

/** Of Compose's schema what is used here; another key is a typing mistake. */
const serviceSchema = z.strictObject({
  image: text.regex(/^[\w./-]+(:[\w.-]+)?$/),
  build: text.optional(),
  command: z.array(text.or(z.literal(''))).optional(),
  profiles: z.array(text).optional(),
  deploy: z.strictObject({ replicas: z.int() }).optional(),
  ports: z.array(text.regex(/^(127\.0\.0\.1:)?\d+:\d+$/)).default([]),
  env_file: z.array(z.strictObject({ path: text, required: z.boolean() })).optional(),
  environment: z.record(text.regex(/^[A-Z][A-Z_]+$/), z.union([text, z.number()])).default({}),
  volumes: z.array(text).default([]),
  depends_on: z.union([z.record(text, condition), z.array(text)]).optional(),
  healthcheck: z.strictObject({ test: z.array(text), interval: text }).optional(),
  restart: z.enum(['unless-stopped', 'no']),
  stop_grace_period: text.regex(/^\d+s$/).optional(),
});
const composeSchema = z.strictObject({
  'x-bot': z.looseObject({}),
  services: z.record(text, serviceSchema),
  volumes: z.record(text, z.null()),
});

const { services, volumes } = composeSchema.parse(readYaml('compose.yaml'));

function service(name: string): z.infer<typeof serviceSchema> {
  const found = services[name];
  if (found === undefined) throw new Error(`compose.yaml has no service ${name}`);
  return found;
}

/** Its `environment`, with `${NAME:-default}` and `${NAME:?…}` filled in as Compose does. */
function environmentOf(name: string, given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const filled = ([key, value]: [string, string | number]): [string, string] => [
    key,
    String(value).replaceAll(
      /\$\{(\w+):([-?])([^}]*)\}/g,
      (_, variable: string, kind: string, rest: string) => {
        const set = given[variable] ?? (kind === '-' ? rest : undefined);
        if (set === undefined) throw new Error(`${variable}: ${rest}`);
        return set;
      },
    ),
  ];
  return Object.fromEntries(Object.entries(service(name).environment).map(filled));
}

const given = {
  STATE_KEY: randomBytes(32).toString('base64'),
  HASH_KEY: randomBytes(32).toString('base64'),
  STAFF_TOKEN: 'a'.repeat(64),
  SUPPORT_CONTACT: '1900 0000',
};

describe('every service', () => {
  test.each(Object.entries(services))('%s has what it names', (_name, { image, build, ...about }) => {
    // What comes from elsewhere is of a version; what is built here is ours.
    if (build === undefined) expect(image).toMatch(/:\d|:v\d/);
    else expect([build, image]).toEqual(['.', 'antcrm-chatbot']);
    const { depends_on: needs = [] } = about;
    for (const one of Array.isArray(needs) ? needs : Object.keys(needs)) service(one);
    for (const volume of about.volumes) {
      const [from = '', to = ''] = volume.split(':');
      if (from.startsWith('./')) expect([from, existsSync(new URL(from, root))]).toEqual([from, true]);
      else expect(Object.keys(volumes)).toContain(from);
      expect(to).toMatch(/^\//);
    }
    for (const [one, needed] of Array.isArray(needs) ? [] : Object.entries(needs)) {
      if (needed.condition !== 'service_healthy') continue;
      // The image of the bot has a health check of its own.
      expect([one, service(one).healthcheck !== undefined || one === 'bot']).toEqual([one, true]);
    }
  });

  test('is reached from this machine alone, but for what platforms call', () => {
    const open = Object.entries(services).flatMap(([name, { ports }]) =>
      ports.filter((port) => !port.startsWith('127.0.0.1:')).map((port) => `${name} ${port}`),
    );
    expect(open).toEqual(['proxy 8080:8080']);
    const hostPorts = Object.values(services).flatMap(({ ports }) =>
      ports.map((port) => port.split(':').at(-2)),
    );
    expect(new Set(hostPorts).size).toBe(hostPorts.length);
  });
});

describe('the bots', () => {
  test('get a configuration without faults, production included, and no variable that there is not', () => {
    const environment = environmentOf('bot', given);
    expect(readConfig(environment)).toMatchObject({
      ok: true,
      config: { production: true, listen: { host: '0.0.0.0', port: 3000 }, adminPort: 3100, trustProxy: 1 },
      warnings: [
        expect.stringMatching(/^ANTCRM_BASE_URL is http/),
        expect.stringMatching(/^STAFF_TOKEN with a real AntCRM/),
      ],
    });
    const known = new Set(documentation.map(({ name }) => name));
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
  });

  test.each(Object.keys(given))('ask for %s, saying how to make it', (name) => {
    const { [name]: _, ...others }: Record<string, string> = given;
    expect(() => environmentOf('bot', others)).toThrow(
      /set it in \.env to the (?:output of openssl rand|hotline)/,
    );
  });

  test('are two, or as many as --scale says: none has a port or a name of its own', () => {
    expect(service('bot')).toMatchObject({ deploy: { replicas: 2 }, ports: [], volumes: [] });
  });

  test('begin only where their configuration was looked at once and is right, since a restart mends none', () => {
    expect(service('check')).toMatchObject({
      command: ['node', 'src/main.ts', '--check'],
      environment: service('bot').environment,
      env_file: service('bot').env_file,
      restart: 'no',
    });
    expect(service('bot').depends_on).toMatchObject({
      check: { condition: 'service_completed_successfully', required: true },
    });
  });

  test('need no sandbox where the real AntCRM is', () => {
    expect(service('sandbox').profiles).toEqual(['sandbox']);
    expect(service('bot').depends_on).toMatchObject({ sandbox: { required: false } });
    const real = { ...given, ANTCRM_BASE_URL: 'https://crm.example', ANTCRM_API_KEY: 'key' };
    expect(environmentOf('bot', real)).toMatchObject({ ANTCRM_BASE_URL: 'https://crm.example' });
  });

  test('may each finish what they began', () => {
    const graceS = Number.parseInt(service('bot').stop_grace_period ?? '', 10);
    expect(graceS).toBeGreaterThan(stopSeconds());
  });

  test('are asked by the proxy on the ports that they have', () => {
    const proxy = read('ops/caddy/Caddyfile');
    const { PORT, ADMIN_PORT } = environmentOf('bot', given);
    expect(proxy).toContain(`import bots {$BOT_PORT:${PORT}}`);
    expect(proxy).toContain(`import bots {$BOT_ADMIN_PORT:${ADMIN_PORT}}`);
    expect(proxy).toContain('dynamic a {$BOT_HOST:bot} ');
    const sites = [...proxy.matchAll(/^(?:\{\$SITE_ADDRESS:)?:(\d+)\}? \{$/gm)].map(([, port]) => port);
    expect(sites).toEqual(service('proxy').ports.map((port) => port.split(':').at(-1)));
    expect(environmentOf('proxy')).toEqual({ SITE_ADDRESS: `:${sites[0]}` });
  });
});

test('the sandbox is the program that npm run sandbox starts, where the bots look for it, and healthy by a route that it has', async () => {
  const { command = [], healthcheck } = service('sandbox');
  expect(manifest.scripts.sandbox).toContain(command.at(-1));
  const { PORT } = environmentOf('sandbox');
  expect(environmentOf('bot', given).ANTCRM_BASE_URL).toBe(`http://sandbox:${PORT}`);
  const [, port, path = ''] =
    /fetch\('http:\/\/127\.0\.0\.1:(\d+)(\/[^']*)'\)/.exec(healthcheck?.test.at(-1) ?? '') ?? [];
  expect(port).toBe(PORT);
  const app = Fastify();
  await app.register(createSandbox());
  expect((await app.inject({ url: path })).statusCode).toBe(200);
  expect(healthcheck?.test.at(-1)).toContain('ok ? 0 : 1');
});

test('Redis keeps what it acknowledged and throws nothing away', () => {
  const { command = [], volumes: kept } = service('redis');
  expect(command.join(' ')).toMatch(
    /--appendonly yes --appendfsync always --maxmemory-policy noeviction --maxmemory \w+ --save $/,
  );
  expect(kept).toEqual(['redis:/data']);
});

describe('the monitoring', () => {
  test('asks each bot on the port that wants no token, and has the rules', () => {
    const config = z
      .object({
        rule_files: z.array(text),
        scrape_configs: z.tuple([
          z.object({
            dns_sd_configs: z.tuple([
              z.object({ names: z.array(text), type: z.literal('A'), port: z.int() }),
            ]),
          }),
        ]),
      })
      .parse(readYaml('ops/prometheus/prometheus.yml'));
    const [{ names, port }] = config.scrape_configs[0].dns_sd_configs;
    expect([names, `${port}`]).toEqual([['bot'], environmentOf('bot', given).ADMIN_PORT]);
    expect(service('prometheus').volumes).toContain('./ops/prometheus:/etc/prometheus:ro');
    expect(config.rule_files.filter((file) => !existsSync(new URL(`ops/prometheus/${file}`, root)))).toEqual(
      [],
    );
  });
});

/** Of the schema of Kubernetes what matters here. */
const labels = z.record(text, text);
const probe = z.object({ httpGet: z.object({ path: text, port: text }) });
const container = z.object({
  image: text,
  envFrom: z.unknown(),
  env: z.array(z.strictObject({ name: text, value: text })),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
});
const deploymentSchema = z.object({
  kind: z.literal('Deployment'),
  selector: z.object({ matchLabels: labels }),
  template: z.object({
    metadata: z.object({ labels }),
    spec: z.object({
      automountServiceAccountToken: z.literal(false),
      terminationGracePeriodSeconds: z.int(),
      securityContext: z.object({
        runAsNonRoot: z.literal(true),
        seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
      }),
      initContainers: z.tuple([container.extend({ command: z.array(text) })]),
      containers: z.tuple([
        container.extend({
          ports: z.array(z.strictObject({ name: text, containerPort: z.int() })),
          startupProbe: probe,
          livenessProbe: probe,
          readinessProbe: probe,
          resources: z.object({ requests: labels, limits: labels }),
        }),
      ]),
    }),
  }),
});
/** What leads to the bots by their labels. */
const otherSchema = z.object({
  kind: z.enum(['Service', 'PodDisruptionBudget']),
  selector: z.union([z.object({ matchLabels: labels }), labels]),
  ports: z.array(z.object({ targetPort: text })).default([]),
});

/** How long a stop takes at most. */
function stopSeconds(): number {
  const [, stopMs = ''] = /STOP_MS = ([\d_]+)/.exec(read('src/main.ts')) ?? [];
  return Number(stopMs.replaceAll('_', '')) / 1000;
}

describe('the manifest for Kubernetes', () => {
  const [deployment, ...others] = z
    .tuple([deploymentSchema], otherSchema)
    .parse(parseAllDocuments(read('ops/kubernetes.yaml')).map(objectOf));
  const { spec: pod, metadata } = deployment.template;
  const [bot] = pod.containers;
  const [check] = pod.initContainers;

  test('looks at the configuration before a bot begins, with what the bot gets', () => {
    expect(check.command).toEqual(service('check').command);
    expect([check.image, check.envFrom, check.env]).toEqual([bot.image, bot.envFrom, bot.env]);
    const known = new Set(documentation.map(({ name }) => name));
    expect(bot.env.filter(({ name }) => !known.has(name))).toEqual([]);
  });

  test('asks for health where it is, and lets a bot finish', () => {
    const { livenessProbe, readinessProbe, startupProbe } = bot;
    expect([startupProbe, livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
      '/health/live',
      '/health/live',
    ]);
    expect(readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'public' });
    expect(bot.ports.map(({ containerPort }) => `${containerPort}`)).toEqual(
      bot.env.map(({ value }) => value),
    );
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(stopSeconds());
  });

  test('leads each service to a port of the bots, by their labels', () => {
    const names = bot.ports.map(({ name }) => name);
    for (const { selector, ports } of [deployment, ...others].map((one) => ({ ports: [], ...one }))) {
      expect('matchLabels' in selector ? selector.matchLabels : selector).toEqual(metadata.labels);
      expect(names).toEqual(expect.arrayContaining(ports.map(({ targetPort }) => targetPort)));
    }
  });
});

/** A document of Kubernetes: its kind, and what its `spec` says. */
function objectOf(document: { toJS(): unknown }): unknown {
  const { kind, spec } = z.object({ kind: text, spec: z.looseObject({}) }).parse(document.toJS());
  return { kind, ...spec };
}

test('the unit for systemd starts what npm start starts, not again after a configuration fault, and lets it finish', () => {
  const settings = new Map(
    [...read('ops/antcrm-chatbot.service').matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  expect(`exec ${settings.get('ExecStart')?.replace('/usr/bin/', '')}`).toBe(manifest.scripts.start);
  expect(settings.get('RestartPreventExitStatus')).toBe(`${EXIT_CONFIG}`);
  expect(Number(settings.get('TimeoutStopSec'))).toBeGreaterThan(stopSeconds());
});
