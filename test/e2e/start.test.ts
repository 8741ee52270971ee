import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type Bot, type Environment, startBot, startProcess } from '../support/processes.ts';
import { dump, startRedis } from '../support/redis.ts';

const EXIT_CONFIG = 78;
const PROGRAMS = [
  ...['src/main.ts', 'src/cli/keys.ts', 'src/cli/chat.ts', 'src/cli/operations.ts', 'src/cli/answers.ts'],
  ...['src/channels/telegram/cli.ts', 'src/channels/teams/cli.ts', 'test/simulator/main.ts', 'docs/write.ts'],
];

async function ownBot(env: Environment = {}): Promise<Bot> {
  const bot = await startBot(env);
  onTestFinished(() => void bot.kill());
  return bot;
}

test('the bot starts with no configuration at all, its greeting works when pasted, and its port is taken', async () => {
  const bot = await ownBot();
  const [, line = ''] = await bot.line(/(curl .*)$/);
  const { stdout } = await promisify(execFile)('sh', ['-c', line]);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'done', replies: [{ key: 'accumulate.askPhone' }] });
  expect(stdout.length).toBeLessThan(1000);
  expect(stdout).toMatch(/\n$/);
  for (const embedded of [/REDIS_URL is unset/, /ANTCRM_BASE_URL is unset/, /TELEGRAM_BOT_TOKEN is unset/]) {
    await bot.line(embedded);
  }
  const greeting = bot.lines.filter((line) => line.startsWith('  ')).join('\n');
  const links = (greeting.match(/http:[^\s']+/g) ?? []).filter((link) => !link.endsWith('/webhooks/staff'));
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) expect([link, (await fetch(link)).status]).toEqual([link, 200]);

  // No configuration fault: it may be free soon.
  const { port } = new URL(bot.url);
  const second = await startProcess('src/main.ts', { PORT: port });
  expect(await second.ended).toEqual({ code: 1, signal: null });
  const problems = second.lines.filter((line) => !second.output.includes(line));
  expect(problems).toEqual([`PORT: ${port} is in use. Another one: PORT=${Number(port) + 1} npm start`]);

  expect(await bot.stop()).toEqual({ code: 0, signal: null });
  await bot.line(/"msg":"stopped"/);
  // Standard output is the log alone, an object a line.
  expect(bot.output.map((line) => typeof JSON.parse(line).msg)).toEqual(bot.output.map(() => 'string'));
});

// From a supervisor to npm alone; from a terminal to all that it started, and again from npm to what npm
// started.
test.for<[how: string, signal: NodeJS.Signals, toAll: boolean]>([
  ['SIGTERM', 'SIGTERM', false],
  ['Ctrl-C', 'SIGINT', true],
])('%s to npm start stops the bot, gracefully', async ([, signal, toAll]) => {
  const npm = spawn('npm', ['start'], {
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'info' },
    detached: true,
  });
  const { pid = 0 } = npm;
  onTestFinished(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {}
  });
  const output: string[] = [];
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (data) => output.push(String(data)));
  await expect.poll(() => output.join('')).toContain('channel started');
  process.kill(toAll ? -pid : pid, signal);
  await once(npm, 'close');
  expect(output.join('')).toContain('"msg":"stopped"');
});

test('a start without its Redis says so in plain words, with the host and nothing more', async () => {
  const bot = await ownBot({ REDIS_URL: 'redis://user:do-not-show-me@127.0.0.1:1' });
  await bot.line(/Redis cannot be reached at 127\.0\.0\.1:1\b/);
  await bot.line(/Store: Redis at 127\.0\.0\.1:1$/);
  expect(await bot.stop()).toEqual({ code: 0, signal: null });
  expect(bot.lines.join('\n')).not.toContain('do-not-show-me');
});

test('faults of the configuration come as one list, secrets masked, and so does an unknown address', async () => {
  const secret = 'not-a-token-but-secret';
  const env = { PORT: 'many', TIME_ZONE: 'Middle/Earth', TELEGRAM_BOT_TOKEN: secret };
  const [bot, other] = await Promise.all([
    startProcess('src/main.ts', env),
    startProcess('src/main.ts', { LOG_LEVEL: 'fatal', HOST: '192.0.2.1' }),
  ]);
  expect(await bot.ended).toEqual({ code: EXIT_CONFIG, signal: null });
  const output = bot.lines.join('\n');
  for (const name of [...Object.keys(env), 'TELEGRAM_WEBHOOK_SECRET'])
    expect(output).toContain(`${name}: got`);
  expect(output).not.toContain(secret);
  expect(await other.ended).toEqual({ code: EXIT_CONFIG, signal: null });
  expect(other.lines).toEqual([expect.stringMatching(/^ *HOST: got "192.0.2.1", wants /)]);
});

test('--check fails where Redis refuses a start, and where no message can be stored', async () => {
  const redis = await startRedis('--requirepass', 'right');
  onTestFinished(() => redis.stop());
  const check = (login: string) => {
    const env = { REDIS_URL: `redis://${login}@127.0.0.1:${redis.port}/3`, LOG_LEVEL: 'fatal' };
    return startProcess('src/main.ts', env, ['--check']);
  };
  const [wrong, right] = await Promise.all([check(':wrong'), check(':right')]);
  expect(await wrong.ended).toEqual({ code: EXIT_CONFIG, signal: null });
  expect(wrong.lines).toEqual([expect.stringMatching(/^REDIS_URL: got a user, .*WRONGPASS/)]);
  expect(await right.ended).toEqual({ code: 0, signal: null });
  expect(right.output).toContainEqual(expect.stringMatching(/^All is well/));
  await redis.kill();
  const missing = await check(':right');
  expect(await missing.ended).toEqual({ code: 1, signal: null });
  await missing.line(/^REDIS_URL: .*ECONNREFUSED/);
});

test('a start with other keys than those of the store ends with one line, and changes nothing', async () => {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
  });
  const contents = async () => (await dump(admin)).map((part) => part.toString('latin1')).sort();
  const newKey = () => randomBytes(32).toString('base64');
  const env = { REDIS_URL: redis.url, STATE_KEY: newKey(), HASH_KEY: newKey() };
  await (await startBot(env)).stop();
  const before = await contents();
  expect(before.length).toBeGreaterThan(0);
  const bot = await startProcess('src/main.ts', { ...env, HASH_KEY: newKey() });
  expect(await bot.ended).toEqual({ code: EXIT_CONFIG, signal: null });
  expect(bot.lines).toEqual([expect.stringMatching(/^HASH_KEY: /)]);
  expect(await contents()).toEqual(before);
});

test('the sandbox alone prints its URL, answers with and without the prefix, and stops when told', async () => {
  const sandbox = await startProcess('src/sandbox/main.ts');
  const [url] = await sandbox.line(/http:\/\/127\.0\.0\.1:\d+/);
  for (const prefix of ['', '/sandbox']) {
    const path = `${prefix}/history-point?phone=0867123456`;
    expect((await fetch(url + path, { headers: { apikey: 'any' } })).status).toBe(200);
  }
  expect(await sandbox.stop()).toEqual({ code: 0, signal: null });
});

test('npm run operations shows what a bot answers, says in one line what it lacks, and why a bot refuses', async () => {
  const OPERATOR_TOKEN = 'an-operator-token-of-some-length';
  const { url } = await ownBot({ OPERATOR_TOKEN });
  const runs = await Promise.all(
    [
      { OPERATOR_TOKEN, BOT_URL: url },
      { OPERATOR_TOKEN, BOT_URL: 'here' },
      { OPERATOR_TOKEN, PORT: '1' },
      { OPERATOR_TOKEN: 'another-token', BOT_URL: url },
    ].map((env) => startProcess('src/cli/operations.ts', env, ['list', '--json'])),
  );
  const codes = await Promise.all(runs.map(async ({ ended }) => (await ended).code));
  expect(codes).toEqual([0, EXIT_CONFIG, 1, 1]);
  const [listed = '', wrong, nobody, refused] = runs.map(({ lines }) => lines.join('\n'));
  expect(JSON.parse(listed)).toMatchObject({ operations: [], deadLetters: [] });
  expect(wrong).toMatch(/^.*OPERATOR_TOKEN.*BOT_URL.*$/);
  expect(nobody).toContain('No bot with OPERATOR_TOKEN answers at http://localhost:1');
  expect(refused).toContain('The operator token is missing or wrong.');
});

test('every program ends with code 2 after an option that it does not know, and without a stack', async () => {
  const programs = await Promise.all(PROGRAMS.map((path) => startProcess(path, {}, ['--bogus'])));
  for (const [index, { ended, lines }] of programs.entries()) {
    expect([PROGRAMS[index], (await ended).code]).toEqual([PROGRAMS[index], 2]);
    expect(lines.join('\n')).toMatch(/^(?!.*\n +at )./s);
  }
});
