import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { startCollector } from '../support/otlp.ts';
import { asJpeg, asPng, drawCode } from '../support/pictures.ts';
import { startRedis } from '../support/redis.ts';
import { TENANT, textActivity } from '../support/teams-activities.ts';
import { startTeamsDouble } from '../support/teams-double.ts';
import { startTelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';
import { answers, docker, runOnce, startContainer } from './docker.ts';

/*
 * The image that the Dockerfile builds, run as compose.yaml runs it, with doubles of the platforms on the
 * same network.
 */

const PUBLIC = 'http://127.0.0.1:3000';
const ADMIN = 'http://127.0.0.1:3100';
const SANDBOX = 'http://127.0.0.1:3001';
const SECRET = randomBytes(16).toString('hex');
const STAFF_TOKEN = randomBytes(32).toString('hex');
const OPERATOR_TOKEN = randomBytes(32).toString('hex');
const APP_ID = randomUUID();
const bearer = { authorization: `Bearer ${STAFF_TOKEN}` };

const [redis, telegram, teams, collector] = await Promise.all([
  startRedis(),
  startTelegramDouble(),
  startTeamsDouble(),
  startCollector(),
]);
afterAll(() => Promise.all([redis.stop(), telegram.close(), teams.close()]));

/** The least that a production needs. */
const production = {
  ADMIN_PORT: '3100',
  TRUST_PROXY: '1',
  REDIS_URL: redis.url,
  ANTCRM_BASE_URL: SANDBOX,
  ANTCRM_API_KEY: 'sandbox',
  STATE_KEY: randomBytes(32).toString('base64'),
  HASH_KEY: randomBytes(32).toString('base64'),
  STAFF_TOKEN,
  SUPPORT_CONTACT: '1900 0000',
};
const everything = {
  ...production,
  OPERATOR_TOKEN,
  TELEGRAM_BOT_TOKEN: telegram.token,
  TELEGRAM_API_ROOT: telegram.url,
  TELEGRAM_WEBHOOK_SECRET: SECRET,
  MICROSOFT_APP_ID: APP_ID,
  MICROSOFT_APP_TYPE: 'UserAssignedMSI',
  MICROSOFT_APP_TENANT_ID: TENANT,
  TEAMS_SERVICE_HOSTS: teams.host,
  ...teams.endpoints,
  ...teams.identity,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_BSP_SCHEDULE_DELAY: '100',
};

const replySchema = z.object({
  key: z.string(),
  choices: z.array(z.object({ id: z.string() })).default([]),
});
const answerSchema = z.object({ replies: z.array(replySchema).default([]) });

/** What the staff webhook answers: the keys of the replies, and the button that confirms. */
async function say(content: object) {
  const response = await fetch(`${ADMIN}/webhooks/staff`, {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: JSON.stringify({ conversation: 'qa', locale: 'en', ...content }),
  });
  const { replies } = answerSchema.parse(await response.json());
  const choices = replies.flatMap((reply) => reply.choices);
  return {
    keys: replies.map(({ key }) => key),
    confirm: choices.find(({ id }) => id.startsWith('confirm:'))?.id,
  };
}

const isReady = () => answers(`${PUBLIC}/health/ready`);

describe('the files of the image', () => {
  test('belong to root; the bot runs as user 1000 without capabilities, and can write nothing', async () => {
    const { output } = await runOnce([
      'sh',
      '-c',
      'id -u; (touch /app/x && echo WROTE) 2>&1; (touch /tmp/x && echo WROTE) 2>&1; ' +
        'grep -E "CapEff|NoNewPrivs" /proc/self/status; find /app ! -user root | wc -l',
    ]);
    expect(output).toMatch(/^1000\n/);
    expect(output).not.toContain('WROTE\n');
    expect(output).toMatch(/CapEff:\s*0+\n/);
    expect(output).toMatch(/NoNewPrivs:\s*1\n/);
    expect(output.trim().split('\n').at(-1)?.trim()).toBe('0');
  });

  test('are none of developers: no settings, tests, maps, types, history', async () => {
    const patterns = [
      '.env*',
      '*.test.*',
      '*.map',
      '*.d.ts',
      '.github',
      '.git',
      'package-lock.json',
      '.package-lock.json',
    ];
    const names = patterns.map((pattern) => `-name '${pattern}'`).join(' -o ');
    const { output } = await runOnce(['sh', '-c', `find /app ${names}`]);
    expect(output.trim()).toBe('');
  });

  test('have every dependency and every module of src, also after pruning', async () => {
    const program = `
      import { globSync, readFileSync } from 'node:fs';
      const { dependencies } = JSON.parse(readFileSync('package.json'));
      const programs = /(^src\\/main|sandbox\\/main|photos\\/decoder|teams\\/cli|cli\\/folds)\\.ts$/;
      const modules = globSync('src/**/*.ts').filter((file) => !programs.test(file)).map((file) => process.cwd() + '/' + file);
      const missing = [];
      for (const name of [...Object.keys(dependencies), ...modules])
        await import(name).catch((error) => missing.push(name + ': ' + error.message.split('\\n')[0]));
      console.log(JSON.stringify({ count: modules.length, missing }));
      process.exit(0);`;
    const { output } = await runOnce(['node', '--input-type=module', '--eval', program]);
    const { count, missing } = JSON.parse(output.trim().split('\n').at(-1) ?? '{}');
    expect(missing).toEqual([]);
    expect(count).toBeGreaterThan(100);
  });

  test('have a compile cache that Node uses', async () => {
    const debug = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE', LOG_LEVEL: 'silent' };
    const flags = ['--max-semi-space-size=16', '--heap-growing-percent=130', '--expose-gc'];
    const { output } = await runOnce(['node', ...flags, 'src/main.ts', '--check'], {
      ...everything,
      ...debug,
    });
    const accepted = output.match(/was accepted/g)?.length ?? 0;
    expect(accepted).toBeGreaterThan(500);
  });
});

describe('a bot in the image', () => {
  const started: AsyncDisposable[] = [];
  afterAll(async () => {
    for (const container of started.reverse()) await container[Symbol.asyncDispose]();
  });

  async function start(...args: Parameters<typeof startContainer>) {
    const container = await startContainer(...args);
    started.push(container);
    return container;
  }

  beforeAll(async () => {
    await start('sandbox', { PORT: '3001' }, { command: ['node', 'src/sandbox/main.ts'] });
    await vi.waitFor(async () => expect(await answers(`${SANDBOX}/state`)).toBe(true), 60_000);
  });

  test('ends with 78 without a configuration, and with 0 after the check of a right one', async () => {
    expect((await runOnce([])).code).toBe(78);
    expect((await runOnce(['node', 'src/main.ts', '--check'], everything)).code).toBe(0);
  });

  test('becomes healthy, answers on three channels, reads photos, serves its pages, and stops by itself', async () => {
    const bot = await start('bot', everything);
    await expect.poll(isReady).toBe(true);
    await expect.poll(() => bot.inspect('{{.State.Health.Status}}')).toBe('healthy');
    const command =
      "console.log(require('fs').readFileSync('/proc/1/cmdline', 'utf8').replaceAll('\\0', ' '))";
    expect(await docker('exec', 'bot', 'node', '-e', command)).toMatch(/^node .*src\/main\.ts/);

    const summary = await say({ text: 'earn TIVI000000101 0867123456 garnacho@gmail.com' });
    expect((await say({ choice: summary.confirm })).keys).toContain('accumulate.done');
    const code = await drawCode('TIVI000001000');
    for (const [format, picture] of Object.entries({ png: asPng(code), jpeg: asJpeg(code, 80) })) {
      const answer = await say({ conversation: `photo-${format}`, photo: picture.toString('base64') });
      expect([format, ...answer.keys]).toEqual([format, 'accumulate.askPhone']);
    }

    const person = createPerson(7001, { language_code: 'en' });
    await telegram.post(person.writes('help'), { url: `${PUBLIC}/webhooks/telegram`, secret: SECRET });
    await expect.poll(() => telegram.textsTo(7001).length).toBeGreaterThan(0);
    const webhook = { url: `${PUBLIC}/webhooks/teams`, appId: APP_ID };
    await teams.post(textActivity('help'), webhook);
    await expect.poll(() => teams.shown('a:personal').length).toBeGreaterThan(0);
    const forged = `Bearer ${teams.mint(APP_ID, { sign: 'other' })}`;
    expect((await teams.post(textActivity('help'), { ...webhook, authorization: forged })).status).not.toBe(
      200,
    );

    const pages = [
      'console',
      'console/page.js',
      'docs',
      'docs/json',
      'docs/static/swagger-ui.css',
      'metrics',
    ];
    for (const page of pages) {
      const response = await fetch(`${ADMIN}/${page}`, { headers: bearer });
      expect([page, response.status, (await response.text()).length > 200]).toEqual([page, 200, true]);
      expect([page, (await fetch(`${PUBLIC}/${page}`, { headers: bearer })).status]).toEqual([page, 404]);
    }
    await expect.poll(() => collector.spans.length).toBeGreaterThan(0);

    const programs = {
      operations: ['src/cli/operations.ts', 'list'],
      keys: ['src/cli/keys.ts'],
      answers: ['src/cli/answers.ts', 'try', 'is there a fee?'],
      telegram: ['src/channels/telegram/cli.ts', 'info'],
    };
    for (const [name, program] of Object.entries(programs))
      expect([name, await docker('exec', 'bot', 'node', ...program)]).toEqual([name, expect.any(String)]);

    const stoppedAt = Date.now();
    await docker('stop', '-t', '15', 'bot');
    expect(Date.now() - stoppedAt).toBeLessThan(11_000);
    expect(await bot.inspect('{{.State.ExitCode}}')).toBe('0');
    const log = await bot.logs();
    expect(log).toContain('"msg":"stopped"');
    for (const secret of [STAFF_TOKEN, OPERATOR_TOKEN, SECRET, telegram.token, production.STATE_KEY])
      expect(log).not.toContain(secret);
  });

  test('stops within 10 s while a call to AntCRM is under way and a stream is open', async () => {
    const bot = await start('stopping', production);
    await expect.poll(isReady).toBe(true);
    const stream = await fetch(`${ADMIN}/webhooks/staff/qa/events`, { headers: bearer });
    await fetch(`${SANDBOX}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ call: 'history', fault: 'slow', ms: 7000 }),
    });
    const slow = say({ conversation: 'slow', text: 'history of 0867123456' }).catch(() => undefined);
    const underWay = async () =>
      /^bot_turns_busy\S* 1$/m.test(await (await fetch(`${ADMIN}/metrics`)).text());
    await expect.poll(underWay).toBe(true);
    const stoppedAt = Date.now();
    await docker('stop', '-t', '15', 'stopping');
    expect(Date.now() - stoppedAt).toBeLessThan(11_000);
    expect(await bot.inspect('{{.State.ExitCode}}')).toBe('0');
    await Promise.all([stream.body?.cancel().catch(() => {}), slow]);
  });

  test('is ended by its watchdog when it hangs, although it is process 1', async () => {
    const hang = 'data:text/javascript,setTimeout(()=>{for(;;);},5000)';
    const node = ['node', '--import', './src/node-version.mjs', '--import', hang, 'src/main.ts'];
    const bot = await start('hanging', production, { command: node });
    await expect.poll(() => bot.inspect('{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 70');
  });
});
