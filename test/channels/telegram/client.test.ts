import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../../src/channels/telegram/client.ts';
import { createBot } from './harness.ts';

it('a connection that does not come about is a sure failure, not an ambiguous one', async () => {
  const sockets: net.Socket[] = [];
  const mute = net.createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  await once(mute, 'listening');
  const address = mute.address();
  const port = address && typeof address === 'object' ? address.port : 0;
  // TLS never gets an answer here.
  const client = createClient({ token: '1:t', apiRoot: `https://127.0.0.1:${port}`, connectMs: 50 });
  expect(await client.call('getMe', {})).toEqual({
    ok: false,
    kind: 'undelivered',
    why: 'UND_ERR_CONNECT_TIMEOUT',
  });
});

it('an API root may have a path, with or without a slash at its end', async () => {
  const { double } = await createBot();
  for (const apiRoot of [double.url, `${double.url}/`]) {
    const client = createClient({ token: double.token, apiRoot });
    expect(await client.call('getMe', {})).toMatchObject({ ok: true });
  }
  const below = createClient({ token: double.token, apiRoot: `${double.url}/telegram` });
  expect(await below.call('getMe', {})).toMatchObject({ kind: 'unauthorized' });
});

it('a call that is given up before it is connected is never sent', async () => {
  const { double } = await createBot();
  const client = createClient({ token: double.token, apiRoot: double.url });
  const aborting = new AbortController();
  const call = client.call('sendMessage', { chat_id: 1, text: 'never' }, { signal: aborting.signal });
  aborting.abort();
  expect(await call).toMatchObject({ ok: false });
  expect(await client.call('getMe', {}, { signal: aborting.signal })).toMatchObject({ ok: false });
  // Whatever was sent before this would have been heard by then.
  expect(await client.call('sendMessage', { chat_id: 1, text: 'sent' })).toMatchObject({ ok: true });
  await double.called('sendMessage', ({ text }) => text === 'sent');
  expect(double.calls().map(({ payload }) => payload.text)).toEqual(['sent']);
});

it('a refusal is told without the token and without what was sent', async () => {
  const { double } = await createBot();
  const client = createClient({ token: double.token, apiRoot: double.url });
  double.script('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
  const told = JSON.stringify(await client.call('sendMessage', { chat_id: 42, text: '0867123456' }));
  expect(told).toContain('403: Forbidden');
  expect(told).not.toContain(double.token);
  expect(told).not.toContain('0867123456');
});

it('no redirect is followed: the token stays with the API root', async () => {
  let strayed = 0;
  const elsewhere = http.createServer((_request, response) => {
    strayed += 1;
    response.end('{"ok":true,"result":true}');
  });
  const moved = http.createServer((request, response) => {
    response.writeHead(307, { location: `${urlOf(elsewhere)}${request.url}` }).end();
  });
  for (const server of [elsewhere, moved]) await listen(server);
  const client = createClient({ token: '1:t', apiRoot: urlOf(moved) });
  expect(await client.call('getMe', {})).toMatchObject({ ok: false, kind: 'undelivered' });
  expect(strayed).toBe(0);
});

async function listen(server: http.Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
}

function urlOf(server: http.Server): string {
  const address = server.address();
  return `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
}
