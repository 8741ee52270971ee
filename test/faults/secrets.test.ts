import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { createClient } from '../../src/channels/staff/client.ts';
import type { RequestSchema } from '../../src/channels/staff/schemas.ts';
import { conversationName } from '../../src/engine/messages.ts';
import type { AntCrmClient } from '../../src/loyalty/antcrm.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import type { Encryption } from '../../src/store/port.ts';
import { startBot } from '../support/app.ts';
import { dump, startRedis, until } from '../support/redis.ts';

/*
 * What a bot with keys keeps of a customer who uses all that it can do. Its log is searched as every bot's is
 * (`test/support/logs.ts`).
 */

const newKey = () => randomBytes(32).toString('base64');
const keys = { STATE_KEY: newKey(), HASH_KEY: newKey() };
const STAFF_TOKEN = 'a-token-of-the-staff';

const GIVEN = 'TIVI000000017 TIVI000000018 DAUMAY01 912345678 867123456 minh@example.vn Garnacho'.split(' ');
const SECRET = [...GIVEN, ...Object.values(keys), STAFF_TOKEN, '0912 345 678'];

const among = (words: readonly string[], text: string) =>
  words.filter((word) => text.toLowerCase().includes(word.toLowerCase()));

async function startWatched() {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  const commands: string[] = [];
  // ioredis takes a command that another connection sends while it begins to watch for an answer of its own.
  await admin.ping();
  const watcher = await admin.monitor();
  watcher.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
  const bug = { on: false };
  const buggy = (client: AntCrmClient): AntCrmClient => {
    const history = client.history.bind(client);
    return Object.assign(client, {
      history: async (query: Parameters<typeof history>[0]) => {
        if (bug.on) throw new Error('a bug at 0912345678, minh@example.vn');
        return history(query);
      },
    });
  };
  const env = { REDIS_URL: redis.url, STAFF_TOKEN, ...keys };
  const { url, config, stop } = await startBot(env, { around: { antcrm: buggy } });
  onTestFinished(async () => {
    await stop();
    watcher.disconnect();
    admin.disconnect();
    await redis.stop();
  });
  const { send } = createClient(url, STAFF_TOKEN);
  let choices: readonly string[] = [];
  async function does(request: Pick<z.input<RequestSchema>, 'text' | 'choice' | 'contact'>) {
    const person = { conversation: 'qa', locale: 'vi', as: 'telegram', name: 'Garnacho' } as const;
    const answer = await send({ ...person, ...request });
    if (answer.status !== 'done') throw new Error(answer.status);
    choices = answer.replies.flatMap((reply) => reply.choices ?? []).map(({ id }) => id);
    return answer.replies.map(({ key }) => key);
  }
  const says = async (text: string) => does({ text });
  const confirms = () => does({ choice: choices.find((id) => id.startsWith('confirm:')) ?? 'none' });
  return { url, config, admin, commands, bug, does, says, confirms };
}

/** The conversations that a process works on, or has to within a minute. */
async function dueSoon(admin: Redis): Promise<number> {
  const keys = await admin.keys('*}due');
  const counts = await Promise.all(keys.map((key) => admin.zcount(key, '-inf', Date.now() + 60_000)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The bytes of what is kept under these names, once all that was to be said is said. */
async function sizeOf(admin: Redis, kinds: RegExp): Promise<number> {
  await until(async () => (await dueSoon(admin)) === 0);
  const names = (await admin.keys('*')).filter((name) => kinds.test(name));
  const sizes = await Promise.all(names.map((name) => admin.call('MEMORY', 'USAGE', name, 'SAMPLES', '0')));
  return sizes.reduce((sum: number, size) => sum + Number(size ?? 0), 0);
}

/** All that opens in Redis for a thief who has the keys; an event of staff has its number in front. */
async function openAll(admin: Redis, encryption: Encryption): Promise<string> {
  await until(async () => (await dueSoon(admin)) === 0);
  const name = conversationName(encryption, 'staff', 'qa');
  const opened: string[] = [];
  for (const bytes of await dump(admin)) {
    for (const key of [`c:${name}`, `f:${name}`])
      for (let at = 0; at < Math.min(bytes.length, 24); at++)
        try {
          opened.push(encryption.open(key, bytes.subarray(at)).toString());
        } catch {}
  }
  return opened.join('\n');
}

/** The counter's records of redeemed gifts. */
async function openGifts(admin: Redis, encryption: Encryption): Promise<string> {
  const keys = (await admin.keys('*')).filter((key) => key.includes('}g:'));
  const opened = keys.map(async (key) => {
    const bytes = await admin.getBuffer(key);
    return bytes && encryption.open(key.slice(key.indexOf('}') + 1), bytes).toString();
  });
  return (await Promise.all(opened)).join('\n');
}

test('nothing personal is readable in Redis, nor in what was ever sent to it; after /forget, not even with the keys', async () => {
  const { url, config, admin, commands, bug, does, says, confirms } = await startWatched();
  const encryption = createEncryption({ key: config.keys.state, hashKey: config.keys.hash });

  await says('tích điểm TIVI000000017 0912345678 minh@example.vn');
  expect(await confirms()).toEqual(['accumulate.done', 'privacy.consent']);
  await does({ choice: 'consent:accept' });
  await says('đổi quà DAUMAY01');
  await does({ contact: { phone: '0867123456' } });
  expect(await confirms()).toContain('redeem.done');
  bug.on = true;
  expect(await says('lịch sử tích điểm 30 ngày')).toEqual(['turn.failed']);
  await says('tích điểm TIVI000000018 0912345678');
  const wrong = { 'content-type': 'application/json', authorization: 'Bearer wrong' };
  const body = '{"conversation":"qa-0912345678","text":"minh@example.vn"';
  for (const headers of [wrong, { ...wrong, authorization: `Bearer ${STAFF_TOKEN}` }])
    expect((await fetch(`${url}/webhooks/staff`, { method: 'POST', headers, body })).ok).toBe(false);
  for (const path of ['/nowhere', '/webhooks/staff/qa-0912345678/events', '/sandbox/history-point'])
    await fetch(`${url}${path}?phone=0912345678&email=minh@example.vn`);

  const before = await openAll(admin, encryption);
  expect(among(GIVEN, before)).toEqual(GIVEN);
  expect(before).toContain('"reason":"threw"');
  expect(commands.length).toBeGreaterThan(50);
  expect(among(SECRET, [...(await dump(admin)), ...commands].join('\n'))).toEqual([]);

  expect(await openGifts(admin, encryption)).toContain('"whose":"0867 *** 456"');
  expect(await says('/forget')).toEqual(['privacy.erased']);
  await expect
    .poll(() => openGifts(admin, encryption))
    .toMatch(/^\{"redemption":\{[^}]*DAUMAY01.*"whose":null\}$/);
  const after = await openAll(admin, encryption);
  expect(among(GIVEN, after)).toEqual([]);
  expect(after).toContain('"draft":{},"profile":{},"operations":[]');
  // The record, the last event, a redeemed gift without whose it is, and the ids of AntCRM's records that
  // settled a redemption; what the store says of itself.
  const kinds = (await admin.keys('*')).map((key) => /\}(\w+)/.exec(key)?.[1]);
  expect([...new Set(kinds)].sort()).toEqual(['c', 'f', 'g', 'layout', 'u']);
  await admin.set('control', 'Minh@example.vn');
  await expect.poll(() => among(SECRET, commands.join('\n'))).toEqual(['minh@example.vn']);
});

test('after five operations of each kind a conversation costs under 6 KB when just used, half of it at rest', async () => {
  const { admin, does, says, confirms } = await startWatched();
  const earning = (n: number) => says(`tích điểm TIVI00000010${n} 0867123456 minh@example.vn`);
  for (let n = 1; n < 6; n++) {
    await earning(n);
    expect(await confirms()).toContain('accumulate.done');
    if (n === 1) await does({ choice: 'consent:accept' });
  }
  await says('điểm của tôi');
  await does({ contact: { phone: '0867123456' } });
  for (let n = 0; n < 5; n++) {
    await says('đổi quà DAUMAY01');
    expect(await confirms()).toContain('redeem.done');
  }
  // As after a day: the records of the last redemptions have lapsed.
  expect(await sizeOf(admin, /\}c:/)).toBeLessThan(2816);
  await earning(9);
  for (let n = 0; n < 100; n++) await says('trợ giúp');
  // Without the events, which only staff have, what the store says of itself, and the five redeemed gifts.
  expect(await sizeOf(admin, /\}(?!layout|keys|f|g)/)).toBeLessThan(6144);
  expect(await sizeOf(admin, /\}g:/)).toBeLessThan(5 * 450);
});
