import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createTransport } from '../../src/http/transport.ts';
import { closedPort } from '../loyalty/support/server.ts';

const LIMITS = { timeoutMs: 2000, maxBytes: 1000 };

async function listen(server: net.Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
}

/** A server that does this with each request, and what it received. */
async function start(answer: (request: http.IncomingMessage, response: http.ServerResponse) => void) {
  const received: string[] = [];
  let connections = 0;
  const server = http.createServer(async (request, response) => {
    received.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.on('connection', () => connections++);
  const origin = await listen(server);
  onTestFinished(() => server.closeAllConnections());
  const transport = createTransport({ allows: (one) => one === origin });
  const post = { method: 'POST', origin, path: '/a', body: '{}', ...LIMITS } as const;
  return { transport, post, received, connections: () => connections };
}

it('answers with status, headers and the whole body', async () => {
  const { transport, post } = await start((_, response) =>
    response.writeHead(201, { 'x-a': '1' }).end('yes'),
  );
  const exchange = await transport.exchange(post);
  expect(exchange).toMatchObject({ kind: 'answered', status: 201, headers: { 'x-a': '1' } });
  expect(exchange.kind === 'answered' && exchange.content.toString()).toBe('yes');
});

it('calls no origin but those it may', async () => {
  const { transport, post } = await start((_, response) => response.end());
  expect(await transport.exchange({ ...post, origin: 'http://127.0.0.1:1' })).toEqual({
    kind: 'unsent',
    reason: 'ForeignOrigin',
  });
});

it('is asked right before the first byte whether it may begin', async () => {
  const { transport, post, received } = await start((_, response) => response.end());
  expect(await transport.exchange({ ...post, mayBegin: () => false })).toEqual({
    kind: 'unsent',
    reason: 'TooLate',
  });
  expect(await transport.exchange({ ...post, path: '/b', mayBegin: () => true })).toMatchObject({
    status: 200,
  });
  expect(received).toEqual(['POST /b']);
});

it('takes a new connection where one is wanted, else one that stands', async () => {
  const { transport, post, connections } = await start((_, response) => response.end());
  for (let n = 0; n < 20; n++) await transport.exchange(post);
  const stood = connections();
  expect(stood).toBeLessThan(3);
  for (let n = 0; n < 2; n++) await transport.exchange({ ...post, isFresh: true });
  expect(connections()).toBe(stood + 2);
});

it.each<[how: string, answer: (request: http.IncomingMessage, response: http.ServerResponse) => void]>([
  [
    'the connection is reset',
    ({ socket }) => void (socket instanceof net.Socket && socket.resetAndDestroy()),
  ],
  ['it is cut', ({ socket }) => void socket.destroy()],
  ['no answer comes', () => {}],
  ['the answer breaks off', ({ socket }, response) => void response.write('half', () => socket.destroy())],
])('a call that was begun is lost where %s', async (_how, answer) => {
  const { transport, post, received } = await start(answer);
  expect(await transport.exchange({ ...post, timeoutMs: 300 })).toMatchObject({ kind: 'lost' });
  expect(received).toEqual(['POST /a']);
});

it('an error that names a host out of reach is lost, too, once the call was begun', async () => {
  const sockets: net.Socket[] = [];
  const { transport, post } = await start(({ socket }) => void sockets.push(socket));
  const { write } = net.Socket.prototype;
  // The kernel's word for a route that is lost under a connection that stands.
  const writing = vi.spyOn(net.Socket.prototype, 'write').mockImplementation(function writes(
    this: unknown,
    ...args
  ) {
    if (this instanceof net.Socket && String(args[0]).startsWith('POST /a')) {
      setImmediate(() => this.destroy(Object.assign(new Error('gone'), { code: 'EHOSTUNREACH' })));
    }
    return Reflect.apply(write, this, args);
  });
  onTestFinished(() => writing.mockRestore());
  expect(await transport.exchange(post)).toEqual({ kind: 'lost', reason: 'EHOSTUNREACH' });
});

it('nothing was sent where nobody listens, nor after it was closed', async () => {
  const origin = await closedPort();
  const transport = createTransport({ allows: () => true });
  const get = { method: 'GET', origin, path: '/', ...LIMITS } as const;
  expect(await transport.exchange(get)).toEqual({ kind: 'unsent', reason: 'ECONNREFUSED' });
  await transport.close();
  expect(await transport.exchange(get)).toMatchObject({ kind: 'unsent' });
});

it('reads no more of an answer than it may', async () => {
  const { transport, post } = await start((_, response) => response.end('x'.repeat(1001)));
  expect(await transport.exchange(post)).toEqual({ kind: 'large' });
});
