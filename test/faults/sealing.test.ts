import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import type { AntCrm } from '../../src/loyalty/antcrm.ts';
import { DEAD_CAP, type DeadLetter } from '../../src/store/dead-letters.ts';
import { conversationName } from '../../src/store/messages.ts';
import { connectRedis, type RedisClient } from '../../src/store/redis/client.ts';
import { keysOf } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import { createSeal } from '../../src/store/seal.ts';
import { createSealing, type Sealing } from '../../src/store/sealing.ts';
import type { ConversationStore } from '../../src/store/store.ts';
import { all, change, leased } from '../contract/store/kit.ts';
import { memoryLog } from '../store/redis/kit.ts';
import { type Running, startBot } from '../support/app.ts';
import { newState, readState } from '../support/conversation.ts';
import { scanLater } from '../support/logs.ts';
import { addressOf, dump, type RedisServer, startRedis } from '../support/redis.ts';
import { incoming } from '../turns/kit.ts';

/*
 * Somebody who can write to Redis, or a process with the wrong keys, puts things there that do not open. A bot that
 * runs says so, puts them aside, and the conversation goes on.
 */

const [stateKey, hashKey] = [randomBytes(32), randomBytes(32)];
const encoded = (key: Buffer): string => key.toString('base64');

type Watched = Running & {
  /** The alarms of one conversation. */
  alarms(conversation: string): string[];
};

/** A bot on this Redis with short leases, whose log is read. */
async function startWatched(env: Readonly<Record<string, string>>, onCall: () => void = () => {}) {
  const lines: string[] = [];
  const settings = { REDIS_URL: redis.url, HASH_KEY: encoded(hashKey), ...env };
  scanLater(lines, settings);
  const counting = (port: AntCrm): AntCrm => ({
    ...port,
    accumulate(request) {
      onCall();
      return port.accumulate(request);
    },
  });
  const bot = await startBot(settings, {
    limits: { leaseMs: 1500, renewMs: 300, sweepMs: 50, attempts: 2 },
    store: { leaseMs: 1500 },
    log: { write: (line) => lines.push(line) },
    around: { antcrm: counting },
  });
  const alarms = (conversation: string): string[] =>
    lines
      .filter((line) => line.includes(conversation))
      .flatMap((line) => /"alarm":"(\w+)"/.exec(line)?.[1] ?? []);
  return { ...bot, alarms } satisfies Watched;
}

let redis: RedisServer;
let admin: Redis;
let client: RedisClient;
let store: ConversationStore;
let bot: Watched;
let calls = 0;
beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
  client = await connectRedis(addressOf(redis.url), memoryLog());
  store = createRedisStore(client);
  bot = await startWatched({ STATE_KEY: encoded(stateKey) }, () => {
    calls += 1;
  });
});
afterAll(async () => {
  await bot.stop();
  await store.close();
  await client.close();
  admin.disconnect();
  await redis.stop();
});

const seal = createSeal({ key: stateKey, hashKey });
const envelopesOf = (key?: Buffer): Sealing => createSealing(createSeal({ key, hashKey }), readState);
const ours = envelopesOf(stateKey);

/** Makes a blob for a conversation. */
type Make = (sealing: Sealing, conversation: string) => Buffer;
/** How it is made so that it does not open there. */
type Wrong = (make: Make, conversation: string) => Buffer;

const WRONGS: readonly [what: string, wrong: Wrong][] = [
  ['of another conversation', (make) => make(ours, seal.name('conversation', 'another'))],
  ['cut short', (make, conversation) => make(ours, conversation).subarray(0, -1)],
  ['of a key long gone', (make, conversation) => make(envelopesOf(randomBytes(32)), conversation)],
  ['without a key', (make, conversation) => make(envelopesOf(), conversation)],
];

const someState = () => ({ state: newState(0), origin: null, wakeAtMs: null });

let people = 0;

/** A customer who was here before. */
async function customer() {
  const conversation = `qa-${++people}`;
  const name = conversationName(seal, 'staff', conversation);
  const { send, events } = createClient(bot.url);
  const keysOf = async (request: { text: string } | { choice: string }): Promise<string[]> => {
    const answer = await send({ conversation, locale: 'en', as: 'telegram', ...request });
    return answer.status === 'refused' ? [answer.problem.title] : answer.replies.map(({ key }) => key);
  };
  const one = {
    name,
    says: (text: string) => keysOf({ text }),
    /** The answer leaves before the lease is given back. */
    isFree: () => expect.poll(async () => (await store.peek(name))?.leasedUntilMs).toBeNull(),
    presses: (choice: string) => keysOf({ choice }),
    /** Reads the event stream up to a reply with that key. */
    async hears(key: string): Promise<void> {
      const enough = new AbortController();
      for await (const event of events(conversation, 0, enough.signal)) if (event.key === key) break;
      enough.abort();
    },
    message: (text: string) => incoming(text, { channel: 'staff', conversation, address: null }),
    letters: async (): Promise<Pick<DeadLetter, 'reason' | 'body'>[]> =>
      (await all(store.deadLetters()))
        .filter((letter) => letter.conversation === name)
        .map(({ reason, body }) => ({ reason, body })),
  };
  expect(await one.says('earn TIVI000000017 0912345678 minh@example.vn')).toEqual(['accumulate.summary']);
  await one.isFree();
  return one;
}

describe.each(WRONGS)('a blob %s', (_what, wrong) => {
  test('in place of a message becomes a dead letter, the customer is told, and the next message is answered', async () => {
    const { name, message, hears, letters, says } = await customer();
    const body = wrong((sealing, whose) => sealing.message.seal(whose, message('my points')), name);
    await store.accept({ conversation: name, id: randomUUID(), body, nonce: randomUUID(), take: false });
    await hears('turn.failed');
    expect(await letters()).toEqual([{ reason: 'unreadable', body }]);
    expect(bot.alarms(name)).toEqual(['seal_broken', 'dead_letter']);
    expect(await says('cancel')).toEqual(['cancel.done']);
  });

  test('in place of a reply is passed over with an alarm, and the reply behind it is delivered', async () => {
    const { name, message, hears, letters, says } = await customer();
    const { conversation } = message('');
    const reply = (key: string): Make => {
      const shared = { channel: 'staff', conversation, address: null, locale: 'en', state: {} } as const;
      const outgoing = { ...shared, reply: { key }, first: true, last: true, atMs: Date.now() };
      return (sealing, whose) => sealing.outbox.seal(whose, { kind: 'reply', outgoing });
    };
    const work = await leased(store, name);
    const outbox = [wrong(reply('menu'), name), reply('help')(ours, name)];
    const state = work.state ?? Buffer.alloc(0);
    const committed = await store.commit(work, change(work, { state, outbox }));
    await store.release(work, committed ? committed.firstSeq - 1 : 0, { afterMs: 0 });
    await hears('help');
    expect(bot.alarms(name)).toEqual(['seal_broken']);
    expect(await letters()).toEqual([]);
    expect(await says('cancel')).toEqual(['cancel.done']);
  });

  test('in place of a state becomes a dead letter, and the conversation begins anew', async () => {
    const { name, letters, says } = await customer();
    const work = await leased(store, name);
    const { state: sealed } = work;
    if (sealed === null) throw new Error('there is no state');
    const stored = ours.state.open(name, sealed);
    const state = wrong((sealing, whose) => sealing.state.seal(whose, stored), name);
    await store.commit(work, change(work, { state }));
    await store.release(work, 0);
    expect(await says('cancel')).not.toContain('cancel.done');
    expect(await letters()).toEqual([{ reason: 'state', body: state }]);
    expect(bot.alarms(name)).toEqual(['seal_broken', 'dead_letter']);
    expect(await says('earn TIVI000000017')).toEqual(['accumulate.askPhone']);
  });

  test('in place of a state is kept, however many dead letters come after it', async () => {
    const { name, says, isFree } = await customer();
    const work = await leased(store, name);
    const state = wrong((sealing, whose) => sealing.state.seal(whose, someState()), name);
    await store.commit(work, change(work, { state }));
    await store.release(work, 0);
    expect(await says('cancel')).not.toContain('cancel.done');
    await isFree();
    const next = await leased(store, name);
    const dead = Array.from({ length: DEAD_CAP }, () => ({ reason: 'threw', body: Buffer.from('x') }));
    await store.commit(next, change(next, { state: next.state ?? Buffer.alloc(0), dead }));
    await store.release(next, 0);
    expect((await dump(admin)).some((part) => part.equals(state))).toBe(true);
  });

  test('in place of an intent calls nothing, ends in a dead letter, and the conversation goes on', async () => {
    const { name, message, letters, says, presses } = await customer();
    const work = await leased(store, name);
    const { step } = ours.state.open(name, work.state ?? Buffer.alloc(0)).state;
    if (step.at !== 'confirming') throw new Error('there is nothing to confirm');
    const { channel, conversation, address, sender } = message('');
    const origin = { channel, conversation, address, sender };
    const body = wrong((sealing, whose) => sealing.intent.seal(whose, { origin, body: {} }), name);
    await store.intend(work, step.operation, body);
    await store.commit(work, change(work, { state: work.state ?? Buffer.alloc(0) }));
    await store.release(work, 0);

    const before = calls;
    expect(await presses(`confirm:${step.operation}`)).toEqual(['turn.failed']);
    expect(calls).toBe(before);
    expect(await letters()).toMatchObject([{ reason: 'attempts' }]);
    expect(bot.alarms(name)).toEqual(['seal_broken', 'seal_broken', 'dead_letter']);
    expect(await says('cancel')).toEqual(['cancel.done']);
    expect(await admin.hexists(keysOf(2).conversation(name).intents, `${name}|${step.operation}`)).toBe(1);
  });
});

describe('the state key is changed without a pause', () => {
  const next = encoded(randomBytes(32));
  const old = encoded(stateKey);
  const before = { STATE_KEY: old };
  const reading = { STATE_KEY: old, STATE_KEY_PREVIOUS: next };
  const writing = { STATE_KEY: next, STATE_KEY_PREVIOUS: old };
  const after = { STATE_KEY: next };

  test('one conversation goes on over processes of neighbouring rounds, and none has anything to complain of', async () => {
    const conversation = 'rotation';
    const name = conversationName(seal, 'staff', conversation);
    const says = async (to: Watched, request: { text: string } | { choice: string }) => {
      const answer = await createClient(to.url).send({ conversation, locale: 'en', ...request });
      if (answer.status !== 'done') throw new Error(`${answer.status}`);
      return answer.replies;
    };
    const rounds = [
      [before, reading],
      [reading, writing],
      [writing, after],
    ] as const;
    for (const [index, [older, newer]] of rounds.entries()) {
      const [one, other] = await Promise.all([startWatched(older), startWatched(newer)]);
      onTestFinished(async () => void (await Promise.all([one.stop(), other.stop()])));
      const text = `earn TIVI00000020${index} 0912345678`;
      expect(await says(other, { text })).toMatchObject([{ key: 'accumulate.askEmail' }]);
      const [summary] = await says(one, { text: 'minh@example.vn' });
      const confirm = summary?.choices?.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
      const [done, consent] = await says(other, { choice: confirm });
      expect(done).toMatchObject({ key: 'accumulate.done' });
      if (consent) await says(one, { choice: 'consent:decline' });
      expect([...one.alarms(name), ...other.alarms(name)]).toEqual([]);
      await Promise.all([one.stop(), other.stop()]);
    }
  });
});
