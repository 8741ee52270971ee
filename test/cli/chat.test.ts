import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
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

/** A chat that is no terminal, as a pipe is none. */
function start({ client }: Pick<Kit, 'client'>, as = 'staff') {
  const input = new PassThrough();
  const output = new PassThrough().setEncoding('utf8');
  let shown = '';
  output.on('data', (part) => {
    shown += part;
  });
  const ended = chat({ client, input, output, manner: { conversation: 'qa', as, locale: 'vi' } });
  return { input, ended, shown: () => shown };
}

it('shows replies with numbered choices, each once, presses by number, and shows what the bot says unasked', async () => {
  const kit = await startKit({ answer: () => [{ ...MENU, choices: [...MENU.choices] }] });
  const { input, ended, shown } = start(kit);
  input.write('xin chào\n2\n');
  const menu = 'vi:menu\n  1. vi:menu.accumulate\n  2. vi:menu.redeem\n';
  await expect.poll(shown).toBe(menu + menu);
  expect(kit.accepted.map(({ message }) => message)).toEqual([
    { kind: 'text', text: 'xin chào' },
    { kind: 'choice', choice: 'redeem', view: 'v1' },
  ]);
  await kit.deliver('qa', [{ key: 'operation.resolved.done' }]);
  await expect.poll(shown).toContain('operation.resolved.done');
  input.end();
  expect(await ended).toBe(0);
});

it('shares contacts and opens deep links by commands; says why a message was refused, and fails', async () => {
  const kit = await startKit();
  const { input, ended, shown } = start(kit, 'telegram');
  input.end('/contact\n/contact 0867123456\n/start TIVI1\n/help\n');
  expect(await ended).toBe(1);
  expect(shown()).toMatch(/contact[\s\S]*vi:help\.text/);
  expect(kit.accepted.map(({ message }) => message)).toEqual([
    { kind: 'contact', phone: '0867123456', own: true },
    { kind: 'start', payload: 'TIVI1' },
    { kind: 'text', text: '/help' },
  ]);
  expect(kit.accepted[0]?.sender).toEqual({ channel: 'telegram', proof: 'contact', locale: 'vi' });
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
