import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
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

/*
 * Compose, Kubernetes and systemd without their engines: each file is checked by the schema of its program (dclint,
 * kubernetes-models), and what one file says of another is compared.
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
  STAFF_TOKEN: 'a'.repeat(64),
  SUPPORT_CONTACT: '1900 0000',
  ANTCRM_BASE_URL: 'http://sandbox:3001',
  ANTCRM_API_KEY: 'sandbox',
};

/** The bots' `environment`, with `${NAME:?…}` filled in; what nobody gives is the reason that Compose would show. */
function environment(known = given): Record<string, string> {
  const fill = (value: string) =>
    value.replace(/\$\{(\w+):\?([^}]*)\}/, (_, variable: string, why: string) => known[variable] ?? why);
  const entries = Object.entries(services.bot?.environment ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, fill(value)]));
}

/** How long a stop takes at most, s. */
const STOP_S = Number(/STOP_MS = ([\d_]+)/.exec(read('src/main.ts'))?.[1]?.replaceAll('_', '')) / 1000;

test('compose.yaml is what Compose takes: a production without faults, locked in, its proxy led to the bots', () => {
  // That a service is built here, and that platforms reach the proxy from everywhere, is meant.
  const rules = { 'no-build-and-image': 0, 'no-unbound-port-interfaces': 0 } as const;
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  const [linted] = linter.lintFiles([new URL('compose.yaml', root).pathname], false);
  expect(linted).toMatchObject({ errorCount: 0, messages: expect.any(Array) });
  expect(services.bot).toMatchObject({ image: `antcrm-chatbot:${manifest.version}` });
  expect(Number.parseInt(String(services.bot?.stop_grace_period), 10)).toBeGreaterThan(STOP_S);

  expect(readConfig(environment())).toMatchObject({ ok: true, config: { production: true, trustProxy: 1 } });
  for (const [name, value] of Object.entries(environment({})))
    if (name in given) expect([name, value]).toEqual([name, expect.stringMatching(/^set it in \.env to /)]);

  const security = { cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] };
  for (const service of Object.values(services))
    expect(service).toMatchObject({ ...security, mem_limit: expect.any(String) });
  expect(JSON.stringify(services.redis?.command)).toMatch(/"--appendfsync","always".*"noeviction"/);

  const { PORT, ADMIN_PORT } = environment();
  expect(read('ops/caddy/Caddyfile')).toContain(`import bots {$BOT_PORT:${PORT}}`);
  expect(read('ops/caddy/Caddyfile')).toContain(`import bots {$BOT_ADMIN_PORT:${ADMIN_PORT}}`);
  expect(read('ops/prometheus/prometheus.yml')).toContain(`names: [bot], type: A, port: ${ADMIN_PORT}`);
});

test('the manifest for Kubernetes is what Kubernetes takes, of this version, its ports the bots’', () => {
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
