import type { IncomingMessage, RequestListener } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { createConnector } from '../../../src/channels/teams/connector.ts';
import { createHosts } from '../../../src/channels/teams/hosts.ts';
import { serve } from '../../loyalty/support/server.ts';

/** A connector before a service that answers so; `hosts` trusts every service of this machine. */
async function before(listener: RequestListener) {
  const server = await serve(listener);
  const connector = createConnector({
    cloud: { token: async () => 'token' },
    hosts: createHosts([], true),
    onTokenRefused: () => {},
  });
  onTestFinished(async () => {
    await connector.close();
    await server[Symbol.asyncDispose]();
  });
  return () => connector.call(`${server.url}/`, 'POST', 'v3/conversations/a/activities', {});
}

it('no redirect is followed: the token stays with the connector', async () => {
  let strayed = 0;
  const elsewhere = await serve((_request, response) => {
    strayed += 1;
    response.end('{}');
  });
  const call = await before((_request, response) => {
    response.writeHead(307, { location: `${elsewhere.url}/` }).end();
  });
  expect(await call()).toMatchObject({ ok: false });
  expect(strayed).toBe(0);
  await elsewhere[Symbol.asyncDispose]();
});

it('an answer without an end is not read to its end', async () => {
  let sent = 0;
  const call = await before((_request: IncomingMessage, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024;
    };
    response.on('drain', more);
    more();
  });
  await call();
  expect(sent).toBeLessThan(16 * 1024 * 1024);
});
