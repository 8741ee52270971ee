import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { health } from '../../src/http/health.ts';
import { notFound, problemHandler } from '../../src/http/problem.ts';
import { createServer } from '../../src/http/server.ts';
import { StoreUnavailable } from '../../src/store/port.ts';

it('every error is a problem document, a bug is logged and a secret is in none', async () => {
  const errors: unknown[] = [];
  const app = Fastify({ bodyLimit: 100 });
  app.setErrorHandler(problemHandler({ error: (fields) => errors.push(fields) }));
  app.setNotFoundHandler(notFound);
  app.post('/echo', async ({ body }) => body);
  app.get('/down', async () => Promise.reject(new StoreUnavailable('redis://secret@host')));
  app.get('/bug', async () => Promise.reject(new Error('0867123456')));
  const json = { 'content-type': 'application/json' };
  for (const [request, status, title] of [
    [{ url: '/nothing' }, 404, 'Not Found'],
    [{ url: '/echo', method: 'POST', headers: json, body: '{' }, 400, 'Bad Request'],
    [{ url: '/down' }, 503, 'Service Unavailable'],
    [{ url: '/bug' }, 500, 'Internal Server Error'],
  ] as const) {
    expect(errors).toEqual([]);
    const response = await app.inject(request);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ type: 'about:blank', status, title });
    expect(response.headers['retry-after']).toBe(status === 503 ? '2' : undefined);
    expect(response.body).not.toMatch(/secret|0867123456/);
  }
  expect(errors).toHaveLength(1);
});

it('readiness is lost with the store alone, whose bug is told without its words', async () => {
  const ask = async (store: () => Promise<string[]>) => {
    const app = Fastify();
    await app.register(health({ store, others: () => new Map([['antcrm', ['no answer']]]) }));
    const ready = await app.inject('/health/ready');
    return [ready.statusCode, ready.json()];
  };
  const antcrm = { status: 'degraded', faults: ['no answer'] };
  const degraded = { status: 'degraded', dependencies: { store: { status: 'ok' }, antcrm } };
  expect(await ask(async () => [])).toEqual([200, degraded]);
  const down = { status: 'down', dependencies: { store: { status: 'down' }, antcrm } };
  expect(await ask(() => Promise.reject(new Error('redis://secret@host')))).toEqual([503, down]);
});

const head = 'GET /bug HTTP/1.1\r\nhost: x\r\n';
it.each([
  ['a path that cannot be decoded', 400, 'GET /%c3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ['what is no HTTP', 400, 'hello\r\n\r\n'],
  ['headers that are too large', 431, `${head}a: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['a request that does not end', 408, head],
])('what reaches no route is answered with a problem, too: %s', async (_what, status, sent) => {
  const requestMs = status === 408 ? 100 : 60_000;
  const server = createServer({ logLevel: 'silent' }, { requestMs });
  onTestFinished(() => server.close());
  const { port } = new URL(await server.listen());
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(sent);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head.toLowerCase()).toContain('content-type: application/problem+json');
  expect(JSON.parse(body)).toMatchObject({ type: 'about:blank', status });
});
