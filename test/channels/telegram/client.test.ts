import { once } from 'node:events';
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
  expect(await client.call('getMe', {})).toEqual({ ok: false, kind: 'failed', why: 'ETIMEDOUT' });
});

it('calls go over one connection, one after the other', async () => {
  const { double } = await createBot();
  const client = createClient({ token: double.token, apiRoot: double.url });
  for (const text of ['a', 'b', 'c']) await client.call('sendMessage', { chat_id: 1, text });
  expect(double.connections()).toBe(1);
});

it('an API root may have a path, with or without a slash at its end', async () => {
  const { double } = await createBot();
  for (const apiRoot of [double.url, `${double.url}/`]) {
    const client = createClient({ token: double.token, apiRoot });
    expect(await client.call('getMe', {})).toMatchObject({ ok: true });
  }
  const below = createClient({ token: double.token, apiRoot: `${double.url}/telegram` });
  expect(await below.call('getMe', {})).toMatchObject({ kind: 'refusedToken' });
});

it('a method that an old Bot API server does not know is no refusal of the token', async () => {
  const { double } = await createBot();
  const client = createClient({ token: double.token, apiRoot: double.url });
  expect(await client.call('getMyName', {})).toMatchObject({ kind: 'rejected' });
});

it('an aborted call ends at once', async () => {
  const { double } = await createBot();
  double.script('getMe', 'hang');
  const aborting = new AbortController();
  const client = createClient({ token: double.token, apiRoot: double.url });
  const call = client.call('getMe', {}, { signal: aborting.signal });
  await double.called('getMe');
  aborting.abort();
  expect(await call).toMatchObject({ ok: false, kind: 'ambiguous' });
});
