import { expect, it } from 'vitest';
import { createBot } from './harness.ts';

const get = (app: Awaited<ReturnType<typeof createBot>>['app'], code?: string) =>
  app.inject({ url: '/telegram/qr', query: code === undefined ? {} : { code } });

it('staff get the QR code of a code’s link, once the bot knows its name', async () => {
  const { app, channel } = await createBot({ staff: async () => {} });
  expect((await get(app, 'TIVI01')).statusCode).toBe(503);
  await channel.start?.();
  const drawn = await get(app, 'TIVI01');
  expect(drawn.headers['content-type']).toContain('image/svg+xml');
  expect(drawn.payload).toMatch(/^<svg /);
  expect((await get(app, 'TIVI02')).payload).not.toBe(drawn.payload);
  expect((await get(app)).statusCode).toBe(400);
  expect((await get(app, 'x'.repeat(65))).statusCode).toBe(400);
});

it('nobody else gets one', async () => {
  const { app } = await createBot({ staff: async (_request, reply) => reply.code(401).send() });
  expect((await get(app, 'TIVI01')).statusCode).toBe(401);
  const without = await createBot();
  expect((await get(without.app, 'TIVI01')).statusCode).toBe(404);
});
