import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

const MAIN = new URL('../../src/loyalty/sandbox/main.ts', import.meta.url).pathname;

const start = (env: Record<string, string>) =>
  spawn(process.execPath, [MAIN], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });

test('the sandbox alone prints its URL, answers with and without the prefix, and stops when told', async () => {
  const child = start({ PORT: '0' });
  const [line] = await once(createInterface(child.stdout), 'line');
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(line))?.[0];
  const headers = { apikey: 'any', 'content-type': 'application/json' };
  const body = JSON.stringify({
    code: 'TIVInpmx8b98pfg',
    data: { phones: [{ type: 'Work', value: '0867123456' }] },
  });
  const earn = async (path: string) => (await fetch(url + path, { method: 'POST', headers, body })).json();
  expect(await earn('/accumulate')).toEqual({ success: 1 });
  expect(await earn('/sandbox/accumulate')).toMatchObject({ success: 0 });
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

test('the sandbox says why it cannot listen', async () => {
  const child = start({ HOST: '192.0.2.1', PORT: '0' });
  const said: string[] = [];
  child.stderr.on('data', (chunk) => said.push(String(chunk)));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(said.join('')).toContain('EADDRNOTAVAIL');
});
