import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { tryTexts } from '../src/cli/answers.ts';
import { chat } from '../src/cli/chat.ts';
import { freshSecrets } from '../src/cli/keys.ts';
import { readCommand } from '../src/cli/operations.ts';
import { readConfig } from '../src/config.ts';
import type { Lookup } from '../src/conversation/effect.ts';
import { WORDING } from '../src/i18n.ts';
import { describe as describeLookup } from '../src/operators/operation.ts';
import { type Kit, startKit } from './channels/staff/kit.ts';
import { startProcess } from './support/processes.ts';
import { serve } from './support/server.ts';

it('npm run answers shows the act of a text, the likely acts, and the answer', () => {
  const read = readConfig({});
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const texts = ['mấy giờ mở cửa', 'điểm hết hạn khi nào', 'đổi quà'];
  const [hours, expiry, gift] = tryTexts(texts, read.config);
  const { vi, en } = WORDING;
  expect(hours).toMatch(/→ ask answer hours \(ask hours \d/);
  expect(hours?.split('\n').slice(1)).toEqual([`  vi: ${vi['answer.hours']}`, `  en: ${en['answer.hours']}`]);
  expect(expiry).toContain('→ ask answer points.expiry, which only the shop can answer (');
  expect(gift).toBe('đổi quà → start redeem (start redeem 1.00; like "đổi quà")');
  const own = [{ id: 'points.expiry', answer: { vi: 'Không hết hạn.', en: 'Never.' }, lacks: [] }];
  const [result] = tryTexts(['điểm hết hạn khi nào'], { ...read.config, answers: own });
  expect(result?.split('\n').slice(1)).toEqual(['  vi: Không hết hạn.', '  en: Never.']);
});

it('npm run keys prints a file of variables that the configuration takes as they are', async () => {
  const keys = await startProcess('src/cli/keys.ts');
  expect((await keys.ended).code).toBe(0);
  const env = parseEnv(keys.output.join('\n'));
  expect(Object.keys(env).toSorted()).toEqual(Object.keys(freshSecrets()).toSorted());
  const read = readConfig({ ...env, TELEGRAM_BOT_TOKEN: '1:a' });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const { keys: used, staffToken, telegram } = read.config;
  expect(used.state.toString('base64')).toBe(env.STATE_KEY);
  expect(used.hash.toString('base64')).toBe(env.HASH_KEY);
  expect(staffToken).toBe(env.STAFF_TOKEN);
  expect(telegram).toMatchObject({ secret: env.TELEGRAM_WEBHOOK_SECRET });
});

it.each([
  ['list', '/operations', undefined],
  ['show abc --reveal --as lan', '/operations/abc?reveal=true&by=lan', undefined],
  ['settle abc not-applied --as lan', '/operations/abc/settle', { result: 'not-applied', by: 'lan' }],
  ['close abc --as lan', '/operations/abc/close', { by: 'lan' }],
  ['read 7/ab --as lan', '/operations/letters/7%2Fab?by=lan', undefined],
  ['remove 7/ab --as lan', '/operations/letters/7%2Fab/remove', { by: 'lan' }],
  ['find --phone +84867123456', '/operations/find', { phone: '+84867123456' }],
])('npm run operations asks the bot to %s', (words, path, body) => {
  const asked = readCommand(words.split(' '));
  expect([asked.path, asked.body, asked.json]).toEqual([path, body, false]);
});

it('npm run operations says which command or option it does not know, and which was meant', () => {
  const saidOf = (words: string) => {
    try {
      readCommand(words.split(' '));
      return '';
    } catch (error) {
      return String(error);
    }
  };
  expect(saidOf('setle abc done')).toContain('There is no command setle: did you mean settle?');
  expect(saidOf('dance')).toMatch(/There is no command dance$/);
  expect(saidOf('list --jsno')).toContain('--jsno');
  expect(saidOf('show')).toContain('show wants other words');
});

it.each(['', 'show', 'settle a', 'list --reveal', 'find', 'list --jsno'])(
  'npm run operations refuses "%s"',
  (words) => {
    expect(() => readCommand(words.split(' ').filter(Boolean))).toThrow();
  },
);

it('an answer is shown as names and tables; a product code is masked as a person is, a gift code is not', async () => {
  const identifier = '0867 *** 456';
  const operations = [{ reference: 'REF', kind: null }];
  await using bot = await serve((_, response) => {
    response.end(JSON.stringify({ code: 'LOA01', identifier, operations, knownRecords: ['64db'] }));
  });
  const env = { BOT_URL: bot.url, OPERATOR_TOKEN: 'any' };
  const { output, ended } = await startProcess('src/cli/operations.ts', env, ['list']);
  expect((await ended).code).toBe(0);
  const shown = output.join('\n');
  expect(shown).toMatch(
    /^code +LOA01\nidentifier +0867 \*{3} 456\noperations \(1\)\n {2}reference {2}kind\n {2}REF {8}\?\nknownRecords \(1\)\n {2}64db/,
  );

  const lookup: Lookup = {
    kind: 'accumulate',
    by: { kind: 'email', value: 'minh@example.vn' },
    code: 'TIVInpmx8b98pfg',
    fromMs: 0,
    deadlineMs: 8000,
    baseline: ['64db'],
    locks: ['code:tivinpmx8b98pfg'],
  };
  const masked = { code: 'TIVI***pfg', identifier: { value: 'mi***@example.vn' }, knownRecords: ['64db'] };
  expect(describeLookup(lookup, false)).toMatchObject(masked);
  const full = { code: 'TIVInpmx8b98pfg', identifier: { value: 'minh@example.vn' } };
  expect(describeLookup(lookup, true)).toMatchObject(full);
});

it('a list has a column for each name that any of its entries has', async () => {
  const operations = [{ reference: 'REF1' }, { reference: 'REF2', lost: true }];
  await using bot = await serve((_, response) => {
    response.end(JSON.stringify({ operations }));
  });
  const env = { BOT_URL: bot.url, OPERATOR_TOKEN: 'any' };
  const { output, ended } = await startProcess('src/cli/operations.ts', env, ['list']);
  expect((await ended).code).toBe(0);
  expect(output.join('\n')).toMatch(/reference {2}lost\n {2}REF1 {7}\?\n {2}REF2 {7}true/);
});

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

it('says why a message was refused, and fails', async () => {
  const kit = await startKit();
  const { input, ended, shown } = start(kit, 'nobody');
  input.end('hello\n');
  expect(await ended).toBe(1);
  expect(shown()).toMatch(/as: /);
  expect(kit.accepted).toEqual([]);
});

it('npm run chat talks to the bot that its options name, with the token of the environment', async () => {
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
