import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../../src/channels/telegram/client.ts';
import { startProcess } from '../../support/processes.ts';
import { createPerson } from '../../support/telegram-updates.ts';

/** The double in its own process, as end-to-end tests and the benchmark use it. */
async function startDouble() {
  const child = await startProcess('test/support/telegram-double-main.ts');
  onTestFinished(() => void child.kill());
  const [line] = await child.line(/^\{.*/);
  const { url, token, control } = z
    .object({ url: z.string(), token: z.string(), control: z.string() })
    .parse(JSON.parse(line));
  const post = (path: string, body: unknown) =>
    fetch(control + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { child, client: createClient({ token, apiRoot: url }), control, post };
}

it('the double of Telegram works as a process of its own', async () => {
  const { child, client, control, post } = await startDouble();
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

  expect(await child.stop()).toEqual({ code: 0, signal: null });
});
