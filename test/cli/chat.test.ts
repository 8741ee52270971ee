import { execFile } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { chat } from '../../src/cli/chat.ts';
import type { Message } from '../../src/conversation/message.ts';
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
async function pipe(
  { client }: Pick<Kit, 'client'>,
  lines: readonly string[],
  options: { as?: 'telegram'; lingerMs?: number } = {},
) {
  const input = new PassThrough();
  const output = new PassThrough();
  const { as = 'staff', lingerMs = 0 } = options;
  const manner = { conversation: 'qa', as, locale: 'vi' } as const;
  input.end(lines.map((line) => `${line}\n`).join(''));
  const code = chat({ client, manner, lingerMs, input, output, interactive: false });
  void code.finally(() => output.end());
  return { shown: await text(output), code: await code };
}

const messages = (kit: Kit): Message[] => kit.accepted.map(({ message }) => message);

describe('npm run chat', () => {
  it('shows replies with numbered choices, each once, and presses by number', async () => {
    const kit = await startKit({ answer: () => [{ ...MENU, choices: [...MENU.choices] }] });
    const { shown, code } = await pipe(kit, ['xin chào', '2']);
    const menu = 'vi:menu\n  1. vi:menu.accumulate\n  2. vi:menu.redeem\n';
    expect(shown).toBe(`> xin chào\n${menu}> 2\n${menu}`);
    expect(code).toBe(0);
    expect(messages(kit)).toEqual([
      { kind: 'text', text: 'xin chào' },
      { kind: 'choice', choice: 'redeem', view: 'v1' },
    ]);
  });

  it('shares contacts and opens deep links by commands', async () => {
    const kit = await startKit();
    await pipe(kit, ['/contact 0867123456', '/contact 0912345678 other', '/start TIVI1', '/help'], {
      as: 'telegram',
    });
    expect(messages(kit)).toEqual([
      { kind: 'contact', phone: '0867123456', own: true },
      { kind: 'contact', phone: '0912345678', own: false },
      { kind: 'start', payload: 'TIVI1' },
      { kind: 'text', text: '/help' },
    ]);
    expect(kit.accepted[0]?.sender).toEqual({ channel: 'telegram', proof: 'contact', locale: 'vi' });
  });

  it('waits at the end for an answer that is late', async () => {
    const kit: Kit = await startKit({
      answerMs: 10,
      answer: ({ conversation, id }) => {
        setTimeout(() => void kit.deliver(conversation, [{ key: 'late' }], id), 60);
        return null;
      },
    });
    const { shown, code } = await pipe(kit, ['xin chào']);
    expect(shown).toMatch(/the answer will follow[\s\S]*vi:late\n$/);
    expect(code).toBe(0);
  });

  it('lingers for what the bot says unasked', async () => {
    const kit: Kit = await startKit({
      answer: ({ conversation }) => {
        setTimeout(() => void kit.deliver(conversation, [{ key: 'operation.resolved.done' }]), 50);
        return [{ key: 'operation.checking' }];
      },
    });
    const { shown } = await pipe(kit, ['ok'], { lingerMs: 300 });
    expect(shown).toBe('> ok\nvi:operation.checking\nvi:operation.resolved.done\n');
  });

  it('says why a message was refused, and fails', async () => {
    const kit = await startKit();
    const { shown, code } = await pipe(kit, ['/contact 0912345678 other', 'xin chào']);
    expect(shown).toMatch(/Bad Request[\s\S]*contact\.own: Only with[\s\S]*vi:help\.text/);
    expect(code).toBe(1);
  });
});

describe('as a command', () => {
  const run = (args: readonly string[], input: string, env: Record<string, string> = {}, cwd = '.') =>
    new Promise<{ code: number | string; stdout: string; stderr: string }>((resolve) => {
      const options = { env: { PATH: process.env.PATH, ...env }, cwd };
      const child = execFile(
        process.execPath,
        [resolvePath('src/cli/chat.ts'), ...args],
        options,
        (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
      child.stdin?.end(input);
    });

  it('talks to the bot that the options name, with the token of the environment', async () => {
    const kit = await startKit({ access: { sandbox: true, token: 'secret' } });
    const args = ['--url', kit.url, '--conversation', 'qa-42', '--locale', 'en', '--name', 'Gá'];
    const { code, stdout } = await run(args, 'hello\n', { STAFF_TOKEN: 'secret' });
    expect([code, stdout]).toEqual([0, '> hello\nvi:help.text\n']);
    expect(kit.accepted[0]).toMatchObject({ conversation: 'qa-42', sender: { locale: 'en', name: 'Gá' } });
  });

  it.each([['--linger', 'long', /^--linger: .*expected number.*\n$/]])(
    'says in one line what is wrong with %s %s',
    async (option, value, line) => {
      const { code, stderr } = await run([option, value], 'hello\n');
      expect(code).toBe(2);
      expect(stderr).toMatch(line);
    },
  );
});
