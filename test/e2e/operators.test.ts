import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { listSchema } from '../../src/operators/api.ts';
import { startBot } from '../support/app.ts';
import { startChild } from '../support/children.ts';

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

describe('beside a running bot', () => {
  /** A bot in this process, which the commands ask. */
  async function startBeside() {
    const env = { OPERATION_CHECKS: '1h,2h', OPERATOR_TOKEN };
    const { url, stop } = await startBot(env);
    onTestFinished(stop);
    const client = createClient(url);

    const command = (words: string) => operations(`${words} --as lan`, { BOT_URL: url, OPERATOR_TOKEN });
    return {
      url,
      client,
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

    const found = await bot.command(`find --phone ${PHONE} --json`);
    expect(JSON.parse(found.stdout)).toMatchObject({ operations: [{ reference }] });
    expect(found.stdout).not.toMatch(/qa-1|867/);

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
});

describe('the command', () => {
  test('says in one line what it wants of the environment', async () => {
    const { code, stdout, stderr } = await operations('list', { OPERATOR_TOKEN, BOT_URL: 'here' });
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/OPERATOR_TOKEN.*BOT_URL/)]);
  });

  test('says where no bot answers, and why one refuses', async () => {
    const { code, stderr } = await operations('list', { OPERATOR_TOKEN, PORT: '1' });
    expect(code).toBe(1);
    expect(stderr).toContain('No bot answers at http://localhost:1');
    const { url, stop } = await startBot({ OPERATOR_TOKEN });
    onTestFinished(stop);
    const refused = await operations('list', { OPERATOR_TOKEN: 'another-token', BOT_URL: url });
    expect(refused).toMatchObject({ code: 1, stdout: 'The operator token is missing or wrong.\n' });
  });
});
