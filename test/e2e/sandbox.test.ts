import { expect, test } from 'vitest';
import { startProcess } from '../support/processes.ts';

const MAIN = 'src/sandbox/main.ts';

test('the sandbox alone prints its URL, answers with and without the prefix, and stops when told', async () => {
  const sandbox = await startProcess(MAIN);
  const [url] = await sandbox.line(/http:\/\/127\.0\.0\.1:\d+/);
  const headers = { apikey: 'any', 'content-type': 'application/json' };
  const body = JSON.stringify({
    code: 'TIVInpmx8b98pfg',
    data: { phones: [{ type: 'Work', value: '0867123456' }] },
  });
  const earn = async (path: string) => (await fetch(url + path, { method: 'POST', headers, body })).json();
  expect(await earn('/accumulate')).toEqual({ success: 1 });
  expect(await earn('/sandbox/accumulate')).toMatchObject({ success: 0 });
  expect(await sandbox.stop()).toEqual({ code: 0, signal: null });
});
