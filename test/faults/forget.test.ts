import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { createClient } from '../../src/channels/staff/client.ts';
import type { RequestSchema } from '../../src/channels/staff/schemas.ts';
import { conversationName } from '../../src/engine/messages.ts';
import type { AntCrmClient } from '../../src/loyalty/antcrm.ts';
import type { HistoryQuery } from '../../src/loyalty/port.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import type { Encryption } from '../../src/store/port.ts';
import { startBot } from '../support/app.ts';
import { dueSoon, dump, startRedis, until } from '../support/redis.ts';

/** A whole bot on a Redis of its own, with a bug that makes turns throw when it is on. */
async function startBeside() {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  const bug = { on: false };
  const buggy = (port: AntCrmClient): AntCrmClient => {
    const history = port.history.bind(port);
    return Object.assign(port, {
      async history(query: HistoryQuery) {
        if (bug.on) throw new Error('a bug');
        return history(query);
      },
    });
  };
  const running = await startBot({ REDIS_URL: redis.url }, { around: { antcrm: buggy } });
  onTestFinished(async () => {
    await running.stop();
    admin.disconnect();
    await redis.stop();
  });
  return { ...running, admin, bug };
}

/** What a thief who has the keys finds in Redis: everything as it is, and what opens under the conversation's name. */
async function openedIn(admin: Redis, encryption: Encryption, name: string): Promise<string[]> {
  const keys = (await admin.keys('*')).filter((key) => key.includes(name));
  const found: string[] = [];
  for (const key of keys) {
    const isList = (await admin.type(key)) === 'list';
    const values = isList ? await admin.lrangeBuffer(key, 0, -1) : [await admin.getBuffer(key)];
    for (const bytes of values) {
      if (bytes !== null)
        found.push(...['c', 'f'].flatMap((kind) => open(encryption, `${kind}:${name}`, bytes)));
    }
  }
  return found;
}

/** An event of the feed has its number in front. */
function open(encryption: Encryption, name: string, bytes: Buffer): string[] {
  for (let at = 0; at < Math.min(bytes.length, 24); at++) {
    try {
      return [encryption.open(name, bytes.subarray(at)).toString()];
    } catch {}
  }
  return [];
}

const GIVEN = 'TIVI000000017 TIVI000000018 DAUMAY01 912345678 867123456 minh@example.vn Garnacho'.split(' ');

test('nothing that a customer gave is left in Redis once they asked to be forgotten', async () => {
  const { url, config, admin, bug } = await startBeside();
  const encryption = createEncryption({ key: config.keys.state, hashKey: config.keys.hash });
  const name = conversationName(encryption, 'staff', 'qa');
  const { send } = createClient(url);
  let choices: readonly string[] = [];
  const does = async (request: Pick<z.input<RequestSchema>, 'text' | 'choice' | 'contact'>) => {
    const person = { conversation: 'qa', locale: 'vi', as: 'telegram', name: 'Garnacho' } as const;
    const answer = await send({ ...person, ...request });
    if (answer.status !== 'done') throw new Error(answer.status);
    choices = answer.replies.flatMap((reply) => reply.choices ?? []).map(({ id }) => id);
    return answer.replies.map(({ key }) => key);
  };
  const confirms = () => does({ choice: choices.find((id) => id.startsWith('confirm:')) ?? 'none' });
  /** All that Redis holds, sealed and opened, once everything is delivered. */
  const kept = async (): Promise<string> => {
    await until(async () => (await dueSoon(admin)) === 0);
    return [...(await dump(admin)).map(String), ...(await openedIn(admin, encryption, name))].join('\n');
  };

  await does({ text: 'tích điểm TIVI000000017 0912345678 minh@example.vn' });
  expect(await confirms()).toEqual(['accumulate.done', 'privacy.consent']);
  await does({ choice: 'consent:accept' });
  await does({ text: 'đổi quà DAUMAY01' });
  await does({ contact: { phone: '0867123456' } });
  expect(await confirms()).toContain('redeem.done');
  bug.on = true;
  expect(await does({ text: 'lịch sử tích điểm 30 ngày' })).toEqual(['turn.failed']);
  await does({ text: 'tích điểm TIVI000000018 0912345678' });
  const before = await kept();
  expect(GIVEN.filter((word) => !before.includes(word))).toEqual([]);
  expect(before).toContain('"reason":"threw"');

  expect(await does({ text: '/forget' })).toEqual(['privacy.erased']);
  const after = await kept();
  expect(GIVEN.filter((word) => after.includes(word))).toEqual([]);
  expect(after).toContain('"draft":{},"profile":{},"operations":[]');
  // The record, the last event, and the ids of AntCRM's records that settled a redemption; what the store says of itself.
  const kinds = (await admin.keys('*')).map((key) => /\}(\w+)/.exec(key)?.[1]);
  expect([...new Set(kinds)].sort()).toEqual(['c', 'f', 'layout', 'u']);
}, 120_000);
