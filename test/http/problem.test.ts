import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { notFound, problemHandler } from '../../src/http/problem.ts';
import { createServer } from '../../src/http/server.ts';
import { StoreUnavailable } from '../../src/store/port.ts';

const errors: unknown[] = [];

function app() {
  errors.length = 0;
  const app = Fastify({ bodyLimit: 100 });
  app.setErrorHandler(problemHandler({ error: (fields) => errors.push(fields) }));
  app.setNotFoundHandler(notFound);
  app.post('/echo', async ({ body }) => body);
  app.get('/down', async () => Promise.reject(new StoreUnavailable('redis://secret@host')));
  app.get('/bug', async () => Promise.reject(new Error('0867123456')));
  return app;
}

describe('every error is a problem document', () => {
  it.each([
    ['an absent route', { url: '/nothing' }, 404, 'Not Found'],
    [
      'broken JSON',
      { url: '/echo', method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' },
      400,
      'Bad Request',
    ],
    ['an unreachable store', { url: '/down' }, 503, 'Service Unavailable'],
    ['a bug', { url: '/bug' }, 500, 'Internal Server Error'],
  ] as const)('%s', async (_name, request, status, title) => {
    const response = await app().inject(request);
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ type: 'about:blank', status, title });
    expect(response.body).not.toMatch(/secret|0867123456/);
  });

  it('a path that cannot be decoded', async () => {
    const settings = {
      listen: { host: '', port: 0 },
      adminPort: undefined,
      logLevel: 'silent',
      trustProxy: undefined,
    };
    const response = await createServer(settings, {}).inject('/%c3');
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ type: 'about:blank', status: 400, title: 'Bad Request' });
  });
});

it('asks to come again where the store is down', async () => {
  const response = await app().inject('/down');
  expect(response.headers['retry-after']).toBe('2');
  expect(errors).toEqual([]);
});

it('logs what is our own fault', async () => {
  await app().inject('/bug');
  expect(errors).toHaveLength(1);
});
