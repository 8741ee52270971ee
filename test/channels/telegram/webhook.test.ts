import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { createBot, SECRET } from './harness.ts';

const minh = createPerson(42);
const url = '/webhooks/telegram';
const authentic = {
  'content-type': 'application/json',
  'x-telegram-bot-api-secret-token': SECRET,
};

describe('POST /webhooks/telegram', () => {
  it('answers 200 with an empty body once the message is stored', async () => {
    const stored = Promise.withResolvers<'accepted'>();
    const asked = Promise.withResolvers<void>();
    const { app } = await createBot({
      accept: () => {
        asked.resolve();
        return stored.promise;
      },
    });
    let answered = false;
    const answer = app
      .inject({ method: 'POST', url, headers: authentic, payload: minh.writes('hi') })
      .then((response) => {
        answered = true;
        return response;
      });
    await asked.promise;
    expect(answered).toBe(false);
    stored.resolve('accepted');
    expect(await answer).toMatchObject({ statusCode: 200, payload: '' });
  });

  it.each([['wrong'], [''], [`${SECRET}x`], [undefined]])(
    'answers 401 to the secret %j and hands nothing on',
    async (secret) => {
      const { app, accepted, said } = await createBot();
      const headers = {
        'content-type': 'application/json',
        ...(secret !== undefined && { 'x-telegram-bot-api-secret-token': secret }),
      };
      const response = await app.inject({ method: 'POST', url, headers, payload: minh.writes('hi') });
      expect(response.statusCode).toBe(401);
      expect(response.headers['content-type']).toContain('application/problem+json');
      expect(accepted).toEqual([]);
      expect(said).toContain('["update","telegram","refused"]');
    },
  );

  it('checks the secret before the body: no 400 and no 413 without it', async () => {
    const { app } = await createBot();
    const post = async (payload: string) =>
      (await app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload }))
        .statusCode;
    expect(await post('{')).toBe(401);
    expect(await post('x'.repeat(300 * 1024))).toBe(401);
  });

  it.each([
    ['no JSON', '{', 'application/json'],
    ['an empty body', '', 'application/json'],
    ['a form', 'update_id=1', 'application/x-www-form-urlencoded'],
    ['an array', '[]', 'application/json'],
    ['no update_id', '{"message":{}}', 'application/json'],
    ['an update_id that is no integer', '{"update_id":"7"}', 'application/json'],
  ])('answers 400 to %s', async (_what, payload, type) => {
    const { app } = await createBot();
    const headers = { ...authentic, 'content-type': type };
    const response = await app.inject({ method: 'POST', url, headers, payload });
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toContain('application/problem+json');
  });

  it('answers 413 to more than 256 KB', async () => {
    const { app } = await createBot();
    const payload = minh.writes('x'.repeat(257 * 1024));
    const response = await app.inject({ method: 'POST', url, headers: authentic, payload });
    expect(response.statusCode).toBe(413);
  });

  it('answers 503 with Retry-After from 1 to 5 seconds while the message cannot be stored', async () => {
    const { app } = await createBot({ accept: () => Promise.reject(new StoreUnavailable('redis is away')) });
    const response = await app.inject({
      method: 'POST',
      url,
      headers: authentic,
      payload: minh.writes('hi'),
    });
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toMatch(/^[1-5]$/);
    expect(response.headers['content-type']).toContain('application/problem+json');
  });

  it.each([['duplicate'], ['full']] as const)('answers 200 when accept says %s', async (result) => {
    const { app } = await createBot({ accept: async () => result });
    const response = await app.inject({
      method: 'POST',
      url,
      headers: authentic,
      payload: minh.writes('hi'),
    });
    expect(response.statusCode).toBe(200);
  });

  it('is not there while polling', async () => {
    const { app } = await createBot({ mode: 'polling' });
    const response = await app.inject({
      method: 'POST',
      url,
      headers: authentic,
      payload: minh.writes('hi'),
    });
    expect(response.statusCode).toBe(404);
  });

  it('is never opened without a secret', async () => {
    await expect(createBot({ secret: '' })).rejects.toThrow('needs a secret');
  });
});
