import { expect, onTestFinished, test } from 'vitest';
import { startBot } from '../support/app.ts';
import { startProcess } from '../support/processes.ts';

/* What the operators' routes do: test/operators/routes.test.ts. */

const OPERATOR_TOKEN = 'an-operator-token-of-some-length';

/** Runs the command as a process of its own. */
async function operations(words: string, env: Record<string, string>) {
  const { ended, lines, output } = await startProcess('src/cli/operations.ts', env, words.split(' '));
  const { code } = await ended;
  return { code, output: output.join('\n'), errors: lines.filter((line) => !output.includes(line)) };
}

test('the command shows what a bot answers, says in one line what it lacks, and why a bot refuses', async () => {
  const { url, stop } = await startBot({ OPERATOR_TOKEN });
  onTestFinished(stop);
  const [listed, unknown, wrong, nobody, refused, help] = await Promise.all([
    operations('list --json', { OPERATOR_TOKEN, BOT_URL: url }),
    operations('settle K7M2Q9X001 done --as lan', { OPERATOR_TOKEN, BOT_URL: url }),
    operations('list', { OPERATOR_TOKEN, BOT_URL: 'here' }),
    operations('list', { OPERATOR_TOKEN, PORT: '1' }),
    operations('list', { OPERATOR_TOKEN: 'another-token', BOT_URL: url }),
    operations('--help', { PORT: 'wrong' }),
  ]);
  expect(listed).toMatchObject({ code: 0, errors: [] });
  expect(JSON.parse(listed.output)).toMatchObject({ operations: [], deadLetters: [] });
  expect(unknown.code).toBe(1);
  expect(wrong).toMatchObject({ code: 78, output: '' });
  expect(wrong.errors).toEqual([expect.stringMatching(/OPERATOR_TOKEN.*BOT_URL/)]);
  expect(nobody.errors.join()).toContain('No bot with OPERATOR_TOKEN answers at http://localhost:1');
  expect(refused).toMatchObject({ code: 1, output: 'The operator token is missing or wrong.' });
  expect(help).toMatchObject({ code: 0 });
  expect(help.output).toContain('npm run operations -- ');
});
