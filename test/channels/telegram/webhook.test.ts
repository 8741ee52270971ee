import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TelegramOptions } from '../../../src/channels/telegram/telegram.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { readSamples, recordedSchema } from '../../support/samples.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { kindsOf } from '../harness.ts';
import { createBot, SECRET } from './harness.ts';

const minh = createPerson(42);
const PROBLEM = 'application/problem+json; charset=utf-8';

/** A bot, and how it answers what is posted as Telegram does; `secret` null: without one. */
async function createHook(options: Partial<TelegramOptions> = {}) {
  const bot = await createBot(options);
  async function post(sent: object | string, secret: string | null = SECRET, type = 'application/json') {
    const shown = secret === null ? {} : { 'x-telegram-bot-api-secret-token': secret };
    const headers = { 'content-type': type, ...shown };
    const payload = typeof sent === 'string' ? sent : JSON.stringify(sent);
    return bot.app.inject({ method: 'POST', url: '/webhooks/telegram', headers, payload });
  }
  return { ...bot, post };
}

describe('POST /webhooks/telegram', () => {
  it('answers 200 with an empty body once the message is stored', async () => {
    const stored = Promise.withResolvers<'accepted'>();
    const { post } = await createHook({ accept: () => stored.promise });
    const answer = post(minh.writes('hi'));
    expect(await Promise.race([answer, delay(100)])).toBeUndefined();
    stored.resolve('accepted');
    expect(await answer).toMatchObject({ statusCode: 200, payload: '' });
  });

  it.each(['wrong', '', `${SECRET}x`, null])(
    'answers 401 to the secret %j, whatever the body',
    async (secret) => {
      const { post, accepted, said } = await createHook();
      for (const body of [minh.writes('hi'), '{', 'x'.repeat(300 * 1024)]) {
        const { statusCode, headers } = await post(body, secret);
        expect([statusCode, headers['content-type']]).toEqual([401, PROBLEM]);
      }
      expect(accepted).toEqual([]);
      expect(said).toContain('["update","telegram","refused"]');
    },
  );

  it.each([
    ['no JSON', '{', 400],
    ['a form', 'update_id=1', 400, 'application/x-www-form-urlencoded'],
    ['an array', '[]', 400],
    ['no update_id', '{"message":{}}', 400],
    ['an update_id that is no integer', '{"update_id":"7"}', 400],
    ['more than 256 KB', minh.writes('x'.repeat(257 * 1024)), 413],
  ])('answers %s as a problem', async (_what, body, status, type?: string) => {
    const { post } = await createHook();
    const { statusCode, headers } = await post(body, SECRET, type);
    expect([statusCode, headers['content-type']]).toEqual([status, PROBLEM]);
  });

  it('answers 503 with Retry-After while the message cannot be stored', async () => {
    const { post } = await createHook({ accept: () => Promise.reject(new StoreUnavailable('away')) });
    const { statusCode, headers } = await post(minh.writes('hi'));
    expect([statusCode, headers['retry-after']]).toEqual([503, '2']);
  });

  it('answers one too many with 200, and is absent while polling', async () => {
    const full = await createHook({ accept: async () => 'full' });
    const polling = await createHook({ secret: undefined });
    const answers = await Promise.all([full, polling].map(({ post }) => post(minh.writes('hi'))));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 404]);
  });

  it('takes what was recorded for what it is', async () => {
    const { channel, post, accepted } = await createHook();
    await channel.start?.();
    for (const { name, says, sent } of readSamples('replay/telegram.jsonl', recordedSchema)) {
      const { statusCode } = await post(JSON.stringify(sent));
      const heard = kindsOf(accepted.splice(0));
      expect([name, statusCode, ...heard]).toEqual([name, 200, ...(says === null ? [] : [says])]);
    }
  });
});
