import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import manifest from '../package.json' with { type: 'json' };
import { serve } from './support/server.ts';

/* What can be held of the image without a Docker engine. */

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

describe('the image', () => {
  test('runs the Node that everything else runs, and the start script as it is, in production and not as root', () => {
    const [major] = manifest.devDependencies.node.match(/\d+/) ?? [];
    for (const base of all('FROM')) expect(base).toMatch(new RegExp(`^node:${major}-slim\\b`));
    expect(`exec ${words.parse(JSON.parse(last('CMD'))).join(' ')}`).toBe(manifest.scripts.start);
    expect([last('USER'), last('ENV')]).toEqual(['node', expect.stringContaining('NODE_ENV=production')]);
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
    expect(new Set(rest)).toEqual(new Set(taken.map((path) => `!${path}`)));
  });

  test('has every file that the bot loads, and no package of developers', { timeout: 120_000 }, async () => {
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
  });

  test('is healthy while the bot answers, and is not when it is not there or says so', async () => {
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
});
