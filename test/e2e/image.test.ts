import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/channels/staff/client.ts';
import { startCollector } from '../support/otlp.ts';
import { type Environment, startBot, startProcess } from '../support/processes.ts';
import { startRedis, until } from '../support/redis.ts';
import { TENANT } from '../support/teams-activities.ts';
import { createTeamsCustomer } from '../support/teams-customer.ts';
import { startTeamsDouble } from '../support/teams-double.ts';
import { startTelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

/*
 * What of its packages the image needs: everything that the bot and the programs beside it load, over every channel.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RECORDER = join(ROOT, 'test/support/record-modules.mjs');
const APP_ID = '00000000-0000-4000-8000-000000004245';
const STAFF_TOKEN = 'staff-token-of-the-image';
const SECRET = 'webhook-secret';

/** Loaded in a thread of its own, which is not recorded. */
const IN_A_THREAD = ['node_modules/zxing-wasm'];
/** What is never loaded and stays all the same: so little that a list of it is not worth keeping. */
const REST_BYTES = 1_000_000;

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      devOptional: z.boolean().optional(),
    }),
  ),
});

/** Files that were loaded, and those that the image leaves out; paths from `node_modules` on. */
let loaded: ReadonlySet<string>;
let pruned: ReadonlySet<string>;

const linesOf = (text: string): Set<string> => new Set(text.trim().split('\n'));

async function loadEverything(record: string): Promise<void> {
  const [redis, telegram] = await Promise.all([startRedis(), startTelegramDouble()]);
  const [teams, collector] = await Promise.all([startTeamsDouble(), startCollector()]);
  const env = {
    NODE_OPTIONS: `--import ${RECORDER}`,
    RECORD: record,
    REDIS_URL: redis.url,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    MICROSOFT_APP_ID: APP_ID,
    MICROSOFT_APP_TENANT_ID: TENANT,
    TEAMS_SERVICE_HOSTS: teams.host,
    ...teams.endpoints,
    STAFF_TOKEN,
    OPERATOR_TOKEN: 'operator-token-of-the-image',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  };
  const managed = { ...env, MICROSOFT_APP_TYPE: 'UserAssignedMSI', ...teams.identity };
  const secret = { ...env, MICROSOFT_APP_TYPE: 'SingleTenant', MICROSOFT_APP_PASSWORD: 'secret' };
  try {
    await talks(managed, async (url) => {
      const person = createPerson(6001, { language_code: 'en' });
      await telegram.post(person.writes('help'), { url: `${url}/webhooks/telegram`, secret: SECRET });
      await telegram.called('sendMessage', ({ chat_id }) => chat_id === person.id);
      const customer = createTeamsCustomer(teams, { url, appId: APP_ID });
      await customer.writes('earn');
      await until(async () => customer.said().length > 0);
    });
    // By its secret, too: other parts of the SDK ask for the token, which the double's login cannot give without TLS.
    await talks(secret, async (url) => {
      await createTeamsCustomer(teams, { url, appId: APP_ID }).writes('earn');
      await until(async () => (await (await fetch(`${url}/health/ready`)).text()).includes('login service'));
    });
    for (const [program, ...args] of [
      ['src/cli/operations.ts', '--help'],
      ['src/channels/telegram/cli.ts', 'info'],
    ] as const) {
      expect(await (await startProcess(program, managed, args)).ended).toMatchObject({ code: 0 });
    }
  } finally {
    await Promise.all([redis.stop(), telegram.close(), teams.close(), collector.stop()]);
  }
}

/** A bot that is asked for every kind of page, and has an accumulation carried out. */
async function talks(env: Environment, more: (url: string) => Promise<void>): Promise<void> {
  const bot = await startBot(env);
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  const pages = [
    '/console',
    '/console/page.js',
    '/docs',
    '/docs/json',
    '/docs/yaml',
    '/docs/static/swagger-ui.css',
  ];
  for (const path of [...pages, '/metrics', '/health/ready']) {
    expect([path, (await fetch(bot.url + path, { headers })).status]).toEqual([path, 200]);
  }
  const client = createClient(bot.url, STAFF_TOKEN);
  const said = await client.send({ conversation: 'qa-1', text: 'xem điểm 0867123456' });
  expect(said).toMatchObject({ status: 'done' });
  await more(bot.url);
  await bot.stop();
}

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'modules-'));
  try {
    const record = join(folder, 'loaded');
    await loadEverything(record);
    loaded = linesOf((await readFile(record, 'utf8')).replaceAll(/\?.*$/gm, ''));
    const dryRun = ['ops/prune-packages.sh', '-print'];
    const { stdout } = await promisify(execFile)('sh', dryRun, { cwd: ROOT, maxBuffer: 100_000_000 });
    pruned = linesOf(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

describe('the image', () => {
  test('leaves nothing out that any program of the bot loads', () => {
    expect(loaded.size).toBeGreaterThan(1000);
    expect(pruned.size).toBeGreaterThan(1000);
    expect([...loaded].filter((file) => pruned.has(file))).toEqual([]);
  });

  test('carries no package that none of them loads', () => {
    const names = new Set(
      [...loaded].map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]),
    );
    const { packages } = lockSchema.parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
    const ballast = Object.entries(packages)
      .filter(([name, { dev, optional, devOptional }]) => name !== '' && !dev && !optional && !devOptional)
      .map(([name]) => name)
      .filter((name) => !names.has(name) && !pruned.has(name) && !IN_A_THREAD.includes(name))
      .map((name): [string, number] => [name, sizeOf(name)])
      .toSorted(([, a], [, b]) => b - a);
    const bytes = ballast.reduce((sum, [, size]) => sum + size, 0);
    expect(bytes, JSON.stringify(ballast.slice(0, 10))).toBeLessThan(REST_BYTES);
  });
});

/** Of what the image keeps of a package, without the packages inside it. */
function sizeOf(name: string): number {
  const folder = join(ROOT, name);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const kept = files
    .map(({ parentPath, name: file }) => join(parentPath, file))
    .filter(
      (path) => !path.slice(folder.length).includes('/node_modules/') && !pruned.has(relative(ROOT, path)),
    );
  return kept.reduce((sum, path) => sum + statSync(path).size, 0);
}
