import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import manifest from '../package.json' with { type: 'json' };
import { readConfig } from '../src/config.ts';
import { createSandbox } from '../src/loyalty/sandbox/sandbox.ts';

/*
 * What can be held of the image and the composition without a Docker engine. `test/image-steps.sh` carries the image's
 * steps out, by hand or in CI: that takes the registry.
 */

const root = new URL('../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
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
const imageEnv = Object.fromEntries(new URLSearchParams(last('ENV').replaceAll(' ', '&')));

describe('the image', () => {
  test('runs the Node that everything else runs, and the start script as it is', () => {
    const [major] = manifest.devDependencies.node.match(/\d+/) ?? [];
    for (const base of all('FROM')) expect(base).toMatch(new RegExp(`^node:${major}-slim\\b`));
    expect(words.parse(JSON.parse(last('CMD'))).join(' ')).toBe(manifest.scripts.start);
  });

  test('takes only files that exist, are let through, and are needed', () => {
    const taken = all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(taken.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
    const ignored = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const [first, ...rest] = ignored;
    expect(first).toBe('*');
    // The last line that matches a path decides.
    expect(rest.pop()).toBe('src/**/README.md');
    expect(new Set(rest)).toEqual(new Set(taken.map((path) => `!${path}`)));
  });

  test('has production packages only, runs no scripts of theirs, and is not root', () => {
    expect(last('RUN')).toContain('npm ci --omit=dev --omit=optional --ignore-scripts');
    expect(last('USER')).toBe('node');
    expect(instructions.findLastIndex(({ name }) => name === 'USER')).toBeGreaterThan(
      instructions.findLastIndex(({ name }) => name === 'COPY' || name === 'RUN'),
    );
    expect(imageEnv).toMatchObject({ NODE_ENV: 'production', HOST: '0.0.0.0' });
    expect(last('EXPOSE')).toBe(imageEnv.PORT);
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
  });

  test('is healthy while the bot answers, and is not when it is not there or says so', async () => {
    const [, , ...args] = words.parse(JSON.parse(`["",${last('HEALTHCHECK').replace(/^.* CMD \[/, '')}`));
    let status = 200;
    const asked: (string | undefined)[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(url);
      response.writeHead(status, { connection: 'close' }).end();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = z.object({ port: z.number() }).parse(server.address());
    const health = () =>
      new Promise((resolve) => {
        const child = execFile(process.execPath, args, { env: { PORT: `${port}` } });
        child.once('exit', resolve);
      });
    expect(await health()).toBe(0);
    expect(asked).toEqual(['/health/live']);
    status = 503;
    expect(await health()).toBe(1);
    server.close();
    expect(await health()).toBe(1);
  });
});

/** The lines of a service in compose.yaml, up to the next one. */
function service(name: string): string {
  const [, found = ''] =
    new RegExp(`^  ${name}:\\n((?: {4}.*\\n|\\n)*)`, 'm').exec(read('compose.yaml')) ?? [];
  return found;
}

/** Its `environment`, with `${NAME:-default}` and `${NAME:?…}` filled in as Compose does. */
function environmentOf(name: string, given: Readonly<Record<string, string>>): Record<string, string> {
  const [, block = ''] = /^ {4}environment:\n((?: {6}.*\n)+)/m.exec(service(name)) ?? [];
  const lines = [...block.matchAll(/^ {6}(\w+): (.*)$/gm)];
  return Object.fromEntries(
    lines.map(([, key = '', value = '']) => [
      key,
      value.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_, variable: string, kind: string, text: string) => {
        const filled = given[variable] ?? (kind === '-' ? text : undefined);
        if (filled === undefined) throw new Error(`${variable}: ${text}`);
        return filled;
      }),
    ]),
  );
}

describe('the composition', () => {
  const secrets = {
    STATE_KEY: randomBytes(32).toString('base64'),
    HASH_KEY: randomBytes(32).toString('base64'),
    STAFF_TOKEN: 'a'.repeat(64),
    SUPPORT_CONTACT: '1900 0000',
  };

  test('gives the bots a configuration without faults, production included', () => {
    const configured = readConfig({ ...imageEnv, ...environmentOf('bot', secrets) });
    expect(configured).toMatchObject({ ok: true, config: { production: true, listen: { host: '0.0.0.0' } } });
  });

  test.each(Object.keys(secrets))('asks for %s, saying how to make it', (name) => {
    const { [name]: _, ...others }: Record<string, string> = secrets;
    expect(() => environmentOf('bot', others)).toThrow(
      /set it in \.env to the (?:output of openssl rand|hotline)/,
    );
  });

  test('starts two bots, and lets each finish what it began', () => {
    expect(service('bot')).toMatch(/replicas: 2\n/);
    const [, graceS = 0] = /stop_grace_period: (\d+)s/.exec(service('bot')) ?? [];
    const [, stopMs = 0] =
      /STOP_MS = ([\d_]+)/.exec(read('src/main.ts'))?.map((n) => n.replace('_', '')) ?? [];
    expect(Number(graceS) * 1000).toBeGreaterThan(Number(stopMs));
  });

  test('the sandbox is the program that npm run sandbox starts, where the bots look for it', () => {
    const [, command = ''] = /command: \[node, (.*)\]/.exec(service('sandbox')) ?? [];
    expect(manifest.scripts.sandbox).toContain(command);
    const { ANTCRM_BASE_URL } = environmentOf('bot', secrets);
    expect(ANTCRM_BASE_URL).toBe(`http://sandbox:${environmentOf('sandbox', {}).PORT}`);
  });

  test('the sandbox is healthy by a route that it has', async () => {
    const [, path = '', wants] =
      /fetch\('http:\/\/127\.0\.0\.1:3001(\/[^']*)'\)(.*)"/.exec(service('sandbox')) ?? [];
    const app = Fastify();
    await app.register(createSandbox());
    expect((await app.inject({ url: path })).statusCode).toBe(200);
    expect(wants).toContain('ok ? 0 : 1');
  });

  test('Redis keeps what it acknowledged and throws nothing away', () => {
    expect(service('redis')).toMatch(/image: redis:8\n/);
    expect(service('redis')).toContain('--appendonly, "yes"');
    expect(service('redis')).toContain('--maxmemory-policy, noeviction');
    expect(service('redis')).toContain('redis:/data');
  });
});
