import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/channels/staff/client.ts';
import { written } from '../../src/engine/bodies.ts';
import { createCell } from '../../src/engine/cell.ts';
import { newRecord } from '../../src/engine/record.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import { realWorld } from '../../src/engine/world.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { incoming } from '../engine/bot.ts';
import { openRecords } from '../store/redis/kit.ts';
import { startBot } from '../support/app.ts';
import { startChild } from '../support/children.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const PROGRAM = new URL('../../src/cli/operations.ts', import.meta.url).pathname;
const PHONE = '0867123456';
const OPERATOR_TOKEN = 'an-operator-token-of-some-length';
/** Runs the command as a process of its own. */
async function operations(words: string, env: Record<string, string>) {
  // Not the repository's folder: a developer's .env must not get in.
  const child = startChild(process.execPath, [PROGRAM, ...words.split(' ')], { env, cwd: '/' });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { code, stdout, stderr };
}

const listSchema = z.strictObject({
  operations: z.array(
    z.strictObject({
      reference: z.string(),
      kind: z.enum(['accumulate', 'redeem']),
      at: z.iso.datetime(),
      waitsFor: z.enum(['bot', 'staff']),
      checkedUntil: z.iso.datetime(),
      channel: z.string(),
      conversation: z.string(),
    }),
  ),
  deadLetters: z.array(
    z.strictObject({
      id: z.string(),
      reason: z.string(),
      holds: z.string(),
      at: z.iso.datetime(),
      channel: z.string(),
      conversation: z.string(),
    }),
  ),
});

describe('beside a running bot on Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    return () => redis.stop();
  });

  /** A bot in this process, which the commands ask. */
  async function startBeside() {
    const env = { REDIS_URL: redis.url, OPERATION_CHECKS: '1h,2h', OPERATOR_TOKEN };
    const { url, config, stop } = await startBot(env);
    onTestFinished(stop);
    const client = createClient(url);

    const command = (words: string) => operations(`${words} --as lan`, { BOT_URL: url, OPERATOR_TOKEN });
    return {
      url,
      client,
      keys: config.keys,
      command,
      list: async () => listSchema.parse(JSON.parse((await command('list --json')).stdout)),
      /** The reply with that key, as the event stream brings it. */
      async hears(conversation: string, key: string): Promise<string> {
        const ended = new AbortController();
        for await (const event of client.events(conversation, 0, ended.signal)) {
          if (event.key === key) return event.text;
        }
        throw new Error('the event stream ended');
      },
    };
  }

  /** A customer confirms a redemption whose answer is lost. */
  async function loseAnswer({ url, client }: Awaited<ReturnType<typeof startBeside>>, conversation: string) {
    const headers = { 'content-type': 'application/json' };
    const fault = JSON.stringify({ call: 'redeem', fault: 'lose-answer' });
    await fetch(`${url}/sandbox/faults`, { method: 'POST', headers, body: fault });
    const asked = await client.send({ conversation, locale: 'en', text: `redeem DAUMAY01 ${PHONE}` });
    if (asked.status === 'refused') throw new Error(asked.problem.title);
    const confirm = asked.replies.at(-1)?.choices?.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
    const answered = await client.send({ conversation, locale: 'en', choice: confirm });
    expect(answered).toMatchObject({ replies: [{ key: 'operation.checking' }] });
    return confirm.slice('confirm:'.length);
  }

  test('one of several codes is shown and settled by the reference of its own', async () => {
    const bot = await startBeside();
    const says = async (content: { text: string } | { choice: string }) => {
      const answer = await bot.client.send({ conversation: 'qa-several', locale: 'en', ...content });
      if (answer.status === 'refused') throw new Error(answer.problem.title);
      return answer.replies;
    };
    const asked = await says({ text: 'earn TIVI000000701 TIVI000000702 0912345678 minh@example.vn' });
    const confirm = asked.at(-1)?.choices?.[0]?.id ?? '';
    const headers = { 'content-type': 'application/json' };
    const fault = JSON.stringify({ call: 'accumulate', fault: 'lose-answer' });
    await fetch(`${bot.url}/sandbox/faults`, { method: 'POST', headers, body: fault });
    const told = await says({ choice: confirm });
    expect(told.map(({ key }) => key)).toEqual(['accumulate.done', 'operation.checking']);

    const reference = `${confirm.slice('confirm:'.length)}.1`;
    expect(await bot.list()).toMatchObject({ operations: [{ reference, kind: 'accumulate' }] });
    const shown = await bot.command(`show ${reference.toLowerCase()} --json`);
    expect(JSON.parse(shown.stdout)).toMatchObject({ reference, kind: 'accumulate', code: 'TIVI***701' });
    expect((await bot.command(`settle ${reference} done`)).code).toBe(0);
    expect(await bot.hears('qa-several', 'operation.resolved.done')).toContain('TIVI000000701');
    expect(await bot.list()).toMatchObject({ operations: [] });
  });

  test('an operation without an outcome is listed, shown and settled, and the customer is told', async () => {
    const bot = await startBeside();
    const reference = await loseAnswer(bot, 'qa-1');

    expect(await bot.list()).toMatchObject({
      operations: [{ reference, kind: 'redeem', waitsFor: 'bot', channel: 'staff' }],
      deadLetters: [],
    });

    const shown = await bot.command(`show ${reference.toLowerCase()} --json`);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      ...{ reference, kind: 'redeem', code: 'DAUMAY01', customerId: '475', knownRecords: [] },
      identifier: { kind: 'phone', value: '0867 *** 456' },
    });
    expect(shown.stdout).not.toContain(PHONE);

    const revealed = await bot.command(`show ${reference} --reveal`);
    expect(revealed.stdout).toMatch(new RegExp(`^phone +${PHONE}$`, 'm'));
    expect(revealed.stderr).toBe('');

    for (const whom of ['--staff qa-1', `--phone ${PHONE}`]) {
      const found = await bot.command(`find ${whom} --json`);
      expect(JSON.parse(found.stdout)).toMatchObject({ operations: [{ reference }] });
      expect(found.stdout).not.toMatch(/qa-1|867/);
    }
    for (const whom of ['--staff qa-2', '--telegram qa-1', '--phone 0912345678']) {
      const found = await bot.command(`find ${whom} --json`);
      expect(JSON.parse(found.stdout)).toMatchObject({ operations: [], deadLetters: [] });
    }

    const settled = await bot.command(`settle ${reference} done --json`);
    expect(settled.code).toBe(0);
    expect(JSON.parse(settled.stdout)).toEqual({ status: 'filed' });
    expect(await bot.hears('qa-1', 'operation.resolved.done')).toContain(reference);

    const shownLater = await bot.command(`show ${reference}`);
    expect(shownLater.stdout).toMatch(new RegExp(`lan settled ${reference} \\(redeem\\): done`));
    const again = await bot.command(`settle ${reference} not-applied --json`);
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ title: 'Not Found' });
  });

  test('a dead letter is listed and its message answered after replay; one without a message is refused', async () => {
    const bot = await startBeside();
    const encryption = createEncryption({ key: bot.keys.state, hashKey: bot.keys.hash });
    const { store } = await openRecords(redis.url);
    const cell = createCell(CONVERSATION, {
      ...{ store, sealer: encryption, world: realWorld, onBroken() {} },
    });
    const body = written(incoming('help', { channel: 'staff', conversation: 'qa-2', address: null }));
    await cell.change(encryption.name('conversation', 'staff\0qa-2'), (_, nowMs) => ({
      record: {
        ...newRecord(nowMs),
        dead: [
          { id: 'one', reason: 'threw', atMs: nowMs, body },
          { id: 'two', reason: 'state', atMs: nowMs, body: { of: 'no shape' } },
        ],
      },
      answer: null,
    }));

    const listed = await bot.command('list');
    expect(listed.stdout).toMatch(/^ {2}id +reason +holds +age +channel +conversation\n/m);
    const [, replayable = ''] = /^ {2}(\S+) +threw +text +\d+ s +staff /m.exec(listed.stdout) ?? [];
    const [, hopeless = ''] = /^ {2}(\S+) +state +\? +\d+ s +\? /m.exec(listed.stdout) ?? [];
    expect(listed.stdout).not.toContain('help');

    const replayed = await bot.command(`replay ${replayable}`);
    expect(replayed.code).toBe(0);
    expect(await bot.hears('qa-2', 'help')).not.toBe('');
    expect(await bot.command(`replay ${hopeless}`)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('STATE_KEY_PREVIOUS'),
    });
    expect(await bot.command(`replay ${replayable} --json`)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"status": 404'),
    });

    const removed = await bot.command(`remove ${hopeless}`);
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('Removed.') });
    expect((await bot.command('list')).stdout).toContain('Dead letters: 0');
    expect(await bot.command(`remove ${hopeless}`)).toMatchObject({ code: 1 });
  });
});

describe('the command', () => {
  test('says in one line what it wants of the environment', async () => {
    for (const env of [{}, { OPERATOR_TOKEN, BOT_URL: 'here' }]) {
      const { code, stdout, stderr } = await operations('list', env);
      expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/OPERATOR_TOKEN.*BOT_URL/)]);
    }
  });

  test('says where no bot answers, and why one refuses', async () => {
    const { code, stderr } = await operations('list', { OPERATOR_TOKEN, PORT: '1' });
    expect(code).toBe(1);
    expect(stderr).toContain('No bot answers at http://localhost:1');
    const { url, stop } = await startBot({ OPERATOR_TOKEN });
    onTestFinished(stop);
    const refused = await operations('list', { OPERATOR_TOKEN: 'another-token', BOT_URL: url });
    expect(refused).toMatchObject({ code: 1, stdout: 'The operator token is missing or wrong.\n' });
    const wrong = await operations('find --phone abc', { OPERATOR_TOKEN, BOT_URL: url });
    expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('as people write it') });
  });

  test('shows its usage when asked, and when called wrongly', async () => {
    const asked = await operations('settle --help', {});
    expect([asked.code, asked.stderr]).toEqual([0, '']);
    expect(asked.stdout).toContain('settle REF done|not-applied');
    const { code, stderr } = await operations('settle X', {});
    expect(code).toBe(2);
    expect(stderr).toContain('settle REF done|not-applied');
  });
});
