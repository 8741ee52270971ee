import { expect, it, onTestFinished } from 'vitest';
import { Transport } from '../../src/http/transport.ts';
import { closedPort, serve } from '../support/server.ts';

/* Connections, deadlines and what counts as sent: test/loyalty/antcrm-transport.test.ts. */

/** A server that answers with this, and a transport that may ask it and nobody else. */
async function start(content: string) {
  const server = await serve((_, response) => response.writeHead(201, { 'x-a': '1' }).end(content));
  const transport = new Transport({ origin: server.url });
  onTestFinished(async () => {
    await transport.close();
    await server[Symbol.asyncDispose]();
  });
  const post = { method: 'POST', origin: server.url, path: '/a', body: '{}' } as const;
  return { transport, post: { ...post, timeoutMs: 2000, maxBytes: 1000 } };
}

it('calls no origin but those it may, and none once it is closed', async () => {
  const { transport, post } = await start('yes');
  const foreign = { ...post, origin: await closedPort() };
  expect(await transport.exchange(foreign)).toEqual({ kind: 'unsent', reason: 'ForeignOrigin' });
  await transport.close();
  expect(await transport.exchange(post)).toMatchObject({ kind: 'unsent' });
});

it('reads no more of an answer than it may', async () => {
  const { transport, post } = await start('x'.repeat(1001));
  expect(await transport.exchange(post)).toEqual({ kind: 'large' });
});
