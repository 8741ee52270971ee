import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../../src/channels/telegram/client.ts';
import { createPerson } from '../../support/telegram-updates.ts';

/** The double in its own process, as end-to-end tests and the benchmark use it. */
async function startProcess() {
  const main = new URL('../../support/telegram-double-main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  const { url, token, control } = z
    .object({ url: z.string(), token: z.string(), control: z.string() })
    .parse(JSON.parse(String(line)));
  const post = (path: string, body: unknown) =>
    fetch(control + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { child, client: createClient({ token, apiRoot: url }), control, post };
}

it('the double of Telegram works as a process of its own', async () => {
  const { child, client, control, post } = await startProcess();
  await post('/script', {
    method: 'sendMessage',
    faults: [{ code: 403, description: 'Forbidden: blocked' }],
  });
  expect(await client.call('sendMessage', { chat_id: 42, text: 'a' })).toMatchObject({ kind: 'unreachable' });
  expect(await client.call('sendMessage', { chat_id: 42, text: 'b' })).toMatchObject({ ok: true });
  expect(await (await fetch(`${control}/chats/42`)).json()).toMatchObject({ shown: [{ text: 'b' }] });
  expect(await (await fetch(`${control}/calls?method=sendMessage`)).json()).toHaveLength(2);

  const update = createPerson(42).writes('hi');
  await post('/updates', update);
  expect(await client.call('getUpdates', { offset: 0, timeout: 5 })).toMatchObject({ result: [update] });

  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
