import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { chat } from '../../src/cli/chat.ts';
import { type Kit, startKit } from '../channels/staff/kit.ts';

const MENU = {
  key: 'menu',
  asks: 'menu',
  view: 'v1',
  choices: [
    { id: 'accumulate', label: { key: 'menu.accumulate' } },
    { id: 'redeem', label: { key: 'menu.redeem' } },
  ],
} as const;

/** Types lines into a chat that is no terminal, as a pipe does; resolves once it has ended. */
async function pipe({ client }: Pick<Kit, 'client'>, lines: readonly string[], as = 'staff') {
  const input = new PassThrough();
  const output = new PassThrough();
  input.end(lines.map((line) => `${line}\n`).join(''));
  const code = chat({ client, input, output, manner: { conversation: 'qa', as, locale: 'vi' } });
  void code.finally(() => output.end());
  return { shown: await text(output), code: await code };
}

it('shows replies with numbered choices, each once, and presses by number', async () => {
  const kit = await startKit({ answer: () => [{ ...MENU, choices: [...MENU.choices] }] });
  const menu = 'vi:menu\n  1. vi:menu.accumulate\n  2. vi:menu.redeem\n';
  expect(await pipe(kit, ['xin chào', '2'])).toEqual({ shown: menu + menu, code: 0 });
  expect(kit.accepted.map(({ message }) => message)).toEqual([
    { kind: 'text', text: 'xin chào' },
    { kind: 'choice', choice: 'redeem', view: 'v1' },
  ]);
});

it('shares contacts and opens deep links by commands', async () => {
  const kit = await startKit();
  await pipe(kit, ['/contact 0867123456', '/start TIVI1', '/help'], 'telegram');
  expect(kit.accepted.map(({ message }) => message)).toEqual([
    { kind: 'contact', phone: '0867123456', own: true },
    { kind: 'start', payload: 'TIVI1' },
    { kind: 'text', text: '/help' },
  ]);
  expect(kit.accepted[0]?.sender).toEqual({ channel: 'telegram', proof: 'contact', locale: 'vi' });
});

it('shows what the bot says unasked', async () => {
  const kit: Kit = await startKit({ answer: () => [{ key: 'operation.checking' }] });
  const input = new PassThrough();
  const output = new PassThrough();
  const ending = chat({ client: kit.client, input, output, manner: { conversation: 'qa' } });
  let shown = '';
  output.on('data', (part) => {
    shown += part;
  });
  input.write('ok\n');
  await expect.poll(() => shown).toContain('operation.checking');
  await kit.deliver('qa', [{ key: 'operation.resolved.done' }]);
  await expect.poll(() => shown).toContain('operation.resolved.done');
  input.end();
  expect(await ending).toBe(0);
});

it('says why a message was refused, and fails', async () => {
  const { shown, code } = await pipe(await startKit(), ['/contact', 'xin chào'], 'telegram');
  expect(shown).toMatch(/contact[\s\S]*vi:help\.text/);
  expect(code).toBe(1);
});

it('as a command it talks to the bot of the options, with the token of the environment', async () => {
  const kit = await startKit({ access: { sandbox: true, token: 'secret' } });
  const args = ['src/cli/chat.ts', '--url', kit.url, '--conversation', 'qa-42', '--locale', 'en'];
  const env = { PATH: process.env.PATH, STAFF_TOKEN: 'secret' };
  const stdout = await new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_error, output) => resolve(output));
    child.stdin?.end('hello\n');
  });
  expect(stdout).toBe('vi:help.text\n');
  expect(kit.accepted[0]).toMatchObject({ conversation: 'qa-42', sender: { locale: 'en' } });
});
