import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
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

test('an operation without an outcome is listed, shown, found and settled, and the customer is told', async () => {
  const { url, stop } = await startBot({ OPERATION_CHECKS: '1h,2h', OPERATOR_TOKEN });
  onTestFinished(stop);
  const { send, events } = createClient(url);
  const says = async (content: { text: string } | { choice: string }) => {
    const answered = await send({ conversation: 'qa-1', locale: 'en', ...content });
    if (answered.status === 'refused') throw new Error(answered.problem.title);
    return answered.replies.at(-1);
  };
  const command = async (words: string) => operations(`${words} --as lan`, { BOT_URL: url, OPERATOR_TOKEN });
  const answerOf = async (words: string): Promise<unknown> =>
    JSON.parse((await command(`${words} --json`)).stdout);

  // A redemption whose answer is lost.
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ call: 'redeem', fault: 'lose-answer' });
  await fetch(`${url}/sandbox/faults`, { method: 'POST', headers, body });
  const summary = await says({ text: `redeem DAUMAY01 ${PHONE}` });
  const choice = summary?.choices?.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
  expect(await says({ choice })).toMatchObject({ key: 'operation.checking' });
  const reference = choice.slice('confirm:'.length);

  const listed = { operations: [{ reference, kind: 'redeem', waitsFor: 'bot', channel: 'staff' }] };
  expect(await answerOf('list')).toMatchObject({ ...listed, deadLetters: [] });
  expect(await answerOf(`show ${reference.toLowerCase()}`)).toMatchObject({
    ...{ reference, kind: 'redeem', code: 'DAUMAY01', customerId: '475', knownRecords: [] },
    identifier: { kind: 'phone', value: '0867 *** 456' },
  });
  const revealed = await command(`show ${reference} --reveal`);
  expect(revealed).toMatchObject({ code: 0, stderr: '' });
  expect(revealed.stdout).toMatch(new RegExp(`^identifier +phone ${PHONE}$`, 'm'));
  expect(await answerOf(`find --phone ${PHONE}`)).toMatchObject({ operations: [{ reference }] });
  expect(await answerOf(`settle ${reference} done`)).toMatchObject({ status: 'filed', reference });
  for await (const event of events('qa-1', 0, AbortSignal.timeout(60_000)))
    if (event.key === 'operation.resolved.done') break;
  const later = await command(`show ${reference}`);
  expect(later.stdout).toMatch(/^settled +\S+Z done lan$/m);
  expect(await command(`settle ${reference} not-applied`)).toMatchObject({ code: 1 });
});

test('the command says in one line what it lacks, where no bot answers, and why one refuses', async () => {
  const { url, stop } = await startBot({ OPERATOR_TOKEN });
  onTestFinished(stop);
  const [wrong, nobody, refused] = await Promise.all([
    operations('list', { OPERATOR_TOKEN, BOT_URL: 'here' }),
    operations('list', { OPERATOR_TOKEN, PORT: '1' }),
    operations('list', { OPERATOR_TOKEN: 'another-token', BOT_URL: url }),
  ]);
  expect(wrong).toMatchObject({
    code: 78,
    stdout: '',
    stderr: expect.stringMatching(/^.*OPERATOR_TOKEN.*BOT_URL.*\n$/),
  });
  expect(nobody.stderr).toContain('No bot with OPERATOR_TOKEN answers at http://localhost:1');
  expect(refused).toMatchObject({ code: 1, stdout: 'The operator token is missing or wrong.\n' });
});
