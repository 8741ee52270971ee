import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createClient, type StaffClient } from '../../src/channels/staff/client.ts';
import { gate } from '../engine/bot.ts';
import { startBot } from '../support/app.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/*
 * More messages of one conversation wait than are kept. What was refused was not taken: it may come again.
 */

const OPERATOR = 'an-operator-token-of-some-length';
const PHONE = '0867123456';
/** More than are kept of one conversation. */
const MANY = 60;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each([
  ['memory', () => ({})],
  ['Redis', () => ({ REDIS_URL: redis.url })],
])('a full conversation, kept in %s', (_where, env) => {
  test('takes a refused message when it comes again, under the same id', async () => {
    const { client, busy } = await start(env());
    const { rest, goOn } = await busy('qa-1');
    const refused = (await rest.refused()).map(({ id }) => id);
    expect(refused.length).toBeGreaterThan(0);
    await goOn();
    const again = await Promise.all(
      refused.map((id) => client.send({ conversation: 'qa-1', locale: 'en', text: 'help', id })),
    );
    expect(again.map(({ status }) => status)).toEqual(refused.map(() => 'done'));
  });

  test('takes an operator’s decision all the same, once, and the customer is told', async () => {
    const { client, busy, settle } = await start(env());
    const reference = await loseAnswer(client, 'qa-2');
    const { rest, goOn } = await busy('qa-2');
    expect(await rest.refused()).not.toEqual([]);
    expect(await settle(reference, 'done')).toBe(200);
    expect(await settle(reference, 'not-applied')).toBe(409);
    await goOn();
    const enough = new AbortController();
    for await (const { key } of client.events('qa-2', 0, enough.signal)) {
      if (key === 'operation.resolved.done') break;
    }
    enough.abort();
  });
});

async function start(env: Readonly<Record<string, string>>) {
  const [reached, open] = [gate(), gate()];
  let isHeld = false;
  const bot = await startBot(
    { OPERATION_CHECKS: '1h,2h', OPERATOR_TOKEN: OPERATOR, ...env },
    {
      around: {
        antcrm: (port) => ({
          ...port,
          async contact(...args) {
            if (isHeld) {
              reached.open();
              await open.opened;
            }
            return port.contact(...args);
          },
        }),
      },
    },
  );
  onTestFinished(async () => {
    open.open();
    bot.cut();
    await bot.stop();
  });
  const client = createClient(bot.url);

  /** A turn that goes on until `goOn`, and more messages behind it than are kept. */
  async function busy(conversation: string) {
    isHeld = true;
    const says = (text: string, id = randomUUID()) =>
      client.send({ conversation, locale: 'en', text, id }).then(
        ({ status }) => ({ id, status }),
        () => ({ id, status: 'cut' }),
      );
    const first = says(`my points ${PHONE}`);
    await reached.opened;
    const rest = Array.from({ length: MANY }, () => says('help'));
    const refused = async () => {
      const some = await Promise.race([first, ...rest]);
      expect(some.status).toBe('refused');
      return (await settled(rest)).filter(({ status }) => status === 'refused');
    };
    return {
      rest: { refused },
      async goOn() {
        isHeld = false;
        open.open();
        await Promise.all([first, ...rest]);
      },
    };
  }

  async function settle(reference: string, result: string): Promise<number> {
    const { status } = await fetch(`${bot.adminUrl}/operations/${reference}/settle`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' },
      body: JSON.stringify({ result }),
    });
    return status;
  }
  return { client, busy, settle };
}

/** What has been answered by the time that nothing more is for a while. */
async function settled<T>(all: readonly Promise<T>[]): Promise<T[]> {
  const done: T[] = [];
  for (const one of all) void one.then((value) => done.push(value));
  let before = -1;
  await expect
    .poll(() => {
      const same = done.length === before;
      before = done.length;
      return same && done.length > 0;
    })
    .toBe(true);
  return done;
}

/** A customer confirms a redemption whose answer is lost; the reference. */
async function loseAnswer(client: StaffClient, conversation: string): Promise<string> {
  await client.sandbox('faults', { call: 'redeem', fault: 'lose-answer' });
  const summary = await client.send({ conversation, locale: 'en', text: `redeem DAUMAY01 ${PHONE}` });
  const choice = JSON.stringify(summary).match(/confirm:(\w+)/)?.[1] ?? '';
  const told = await client.send({ conversation, locale: 'en', choice: `confirm:${choice}` });
  expect(JSON.stringify(told)).toContain('operation.checking');
  return choice;
}
