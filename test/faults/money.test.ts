import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { createClient, type StaffClient } from '../../src/channels/staff/client.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { type Running, startBot } from '../support/app.ts';
import { createHolds } from '../support/held.ts';
import { startRedis } from '../support/redis.ts';

/*
 * Money-like calls of whole bots before an AntCRM over real HTTP: nothing is called twice, and nothing false is told.
 */

const STAFF_TOKEN = 'staff-6fJq2v-token';
const PHONE = '0867123456';
const EMAIL = 'garnacho@gmail.com';
const EARNS = `tích điểm TIVI000000017 ${PHONE} ${EMAIL}`;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Antcrm = {
  readonly url: string;
  readonly posts: string[];
  fault(call: string, fault: string): Promise<void>;
};

/** The sandbox as a process of its own would be; `change` may answer otherwise. */
async function startAntcrm(change: (server: FastifyInstance) => void = () => {}): Promise<Antcrm> {
  const server = Fastify({ forceCloseConnections: true });
  const posts: string[] = [];
  server.addHook('onRequest', async ({ method, url }: FastifyRequest) => {
    if (method === 'POST' && url !== '/faults') posts.push(url);
  });
  change(server);
  await server.register(createSandbox());
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => server.close());
  const headers = { 'content-type': 'application/json' };
  return {
    url,
    posts,
    async fault(call, fault) {
      await fetch(`${url}/faults`, { method: 'POST', headers, body: JSON.stringify({ call, fault }) });
    },
  };
}

async function startOn(antcrm: Antcrm, env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const bot = await startBot({
    ...{ ANTCRM_BASE_URL: antcrm.url, ANTCRM_API_KEY: 'k3y-of-the-test', ANTCRM_TIMEOUT_MS: '1500' },
    ...{ OPERATION_CHECKS: '200ms,500ms,2s', STAFF_TOKEN, ...env },
  });
  closers.push(() => bot.stop());
  return bot;
}

/** One conversation: everything that it hears, in order. */
class Talk {
  readonly keys: string[] = [];
  readonly #client: StaffClient;
  readonly #name: string;

  constructor(bot: Running, name: string) {
    this.#client = createClient(bot.url, STAFF_TOKEN);
    this.#name = name;
    const over = new AbortController();
    void this.#listen(over.signal).catch(() => undefined);
    closers.push(async () => over.abort());
  }

  async #listen(over: AbortSignal): Promise<void> {
    for await (const { key } of this.#client.events(this.#name, 0, over)) this.keys.push(key);
  }

  /** What is answered at once; the id of what confirms it. */
  async send(request: { text: string } | { contact: { phone: string } } | { choice: string }) {
    const answer = await this.#client.send({ conversation: this.#name, ...request });
    if (answer.status === 'refused') throw new Error(answer.problem.title);
    const choices = answer.replies.flatMap(({ choices = [] }) => choices.map(({ id }) => id));
    const keys = answer.replies.map(({ key }) => key);
    return { keys, confirm: choices.find((id) => id.startsWith('confirm:')) ?? '' };
  }

  async confirm(...words: string[]): Promise<string[]> {
    let confirm = '';
    for (const text of words) ({ confirm } = await this.send({ text }));
    return (await this.send({ choice: confirm })).keys;
  }

  async hears(key: string): Promise<void> {
    await expect.poll(() => this.keys, { timeout: 10_000 }).toContain(key);
  }
}

const asksGift = (by: string) => ['đổi quà DAUMAY01', by];

test.each(['EHOSTUNREACH', 'ENETUNREACH', 'ECONNREFUSED'])(
  'one confirmation is one redemption, also where the connection then fails with %s',
  async (code) => {
    const sockets: Socket[] = [];
    const watch = (message: unknown) => void sockets.push(Reflect.get(Object(message), 'socket'));
    const antcrm = await startAntcrm((server) => {
      server.addHook('onSend', async ({ url }) => {
        if (url !== '/redeem') return;
        for (const socket of sockets) socket.destroy(Object.assign(new Error(code), { code }));
      });
    });
    const talk = new Talk(await startOn(antcrm), 'c');
    await talk.send({ text: 'đổi quà DAUMAY01' });
    const { confirm } = await talk.send({ text: PHONE });
    subscribe('net.client.socket', watch);
    closers.push(async () => unsubscribe('net.client.socket', watch));
    await talk.send({ choice: confirm });
    await talk.hears('operation.resolved.done');
    expect(antcrm.posts).toEqual(['/redeem']);
    expect(talk.keys.filter((key) => key.endsWith('.done'))).toEqual(['operation.resolved.done']);
  },
);

test('a customer whose redemption was cut off before its intent, and then cancelled, is free at once', async () => {
  const redis = await startRedis();
  closers.push(() => redis.stop());
  const holds = createHolds<string>();
  let isWatched = false;
  let isAway = false;
  const antcrm = await startAntcrm((server) => {
    server.addHook('onRequest', async ({ url }, reply) => {
      if (isAway && url.startsWith('/contacts')) return reply.code(503).send();
      if (isWatched && url.startsWith('/history-point')) await holds.pass(url);
    });
  });
  const first = await startOn(antcrm, { REDIS_URL: redis.url });
  const talk = new Talk(first, 'c1');
  await talk.send({ text: 'đổi quà DAUMAY01' });
  const { confirm } = await talk.send({ text: PHONE });
  isWatched = true;
  const baseline = holds.hold(() => true);
  const pressed = talk.send({ choice: confirm }).catch(() => undefined);
  await baseline.reached;
  // It has the locks, and reads the baseline.
  const stopped = first.stop();
  isWatched = false;
  baseline.letGo();
  await Promise.all([stopped, pressed]);

  // The turn is taken up, but gets no further; the customer cancels.
  isAway = true;
  const second = await startOn(antcrm, { REDIS_URL: redis.url });
  const again = new Talk(second, 'c1');
  await again.hears('service.unavailable');
  isAway = false;
  expect((await again.send({ choice: 'cancel' })).keys).toEqual(['cancel.done']);
  expect(await new Talk(second, 'c2').confirm(...asksGift(PHONE))).toContain('redeem.done');
  expect(antcrm.posts).toEqual(['/redeem']);
});

test.each([
  [PHONE, EMAIL],
  [EMAIL, PHONE],
])(
  'one customer has one redemption at a time, where nothing but the history says who it is: by %s, then by %s',
  async (one, other) => {
    const antcrm = await startAntcrm();
    const bot = await startOn(antcrm, { ANTCRM_CONTACTS: 'off' });
    const [first, second] = [new Talk(bot, 'c1'), new Talk(bot, 'c2')];
    await antcrm.fault('redeem', 'error-500');
    await first.confirm(...asksGift(one));
    await first.hears('operation.checking');
    expect(await second.confirm(...asksGift(other))).toContain('operation.busy');
    await first.hears('operation.resolved.notApplied');
    expect(antcrm.posts).toEqual(['/redeem']);
  },
);

test('a code that was told as not applied, and then is applied, is no case for staff', async () => {
  const antcrm = await startAntcrm();
  const bot = await startOn(antcrm);
  const talk = new Talk(bot, 'c');
  await antcrm.fault('accumulate', 'error-500');
  await talk.confirm(EARNS);
  await talk.hears('operation.resolved.notApplied');
  expect(await talk.confirm(EARNS)).toContain('accumulate.done');
  await expect.poll(() => openOperations(bot), { timeout: 10_000 }).toBe(0);
  expect(talk.keys).not.toContain('operation.escalated');
});

async function openOperations({ url }: Running): Promise<number> {
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
  const counts = [...metrics.matchAll(/^bot_open_operations\{.*\} (\d+)$/gm)].map(([, count]) =>
    Number(count),
  );
  return counts.reduce((sum, count) => sum + count);
}

test('one record of a code is one success, in whichever conversation, also where AntCRM tells no time', async () => {
  const antcrm = await startAntcrm((server) => {
    server.addHook('onSend', async (_, { raw }) => {
      raw.sendDate = false;
    });
  });
  const bot = await startOn(antcrm);
  const [first, second] = [new Talk(bot, 'c1'), new Talk(bot, 'c2')];
  await antcrm.fault('accumulate', 'error-500');
  await first.confirm(EARNS);
  expect(await second.confirm(EARNS)).toContain('accumulate.done');
  await first.hears('operation.escalated');
  expect(first.keys).not.toContain('operation.resolved.done');
});

test('points are not spent by a history that is somebody else’s', async () => {
  const antcrm = await startAntcrm((server) => {
    server.addHook('onSend', async ({ url }, _, payload) =>
      url.startsWith('/history-point') ? String(payload).replaceAll(PHONE, '0912345678') : payload,
    );
  });
  const talk = new Talk(await startOn(antcrm), 'c');
  // The first one is in the window of the second one's baseline.
  expect(await talk.confirm(...asksGift(PHONE))).toContain('redeem.done');
  expect(await talk.confirm(...asksGift(PHONE))).toContain('service.unavailable');
  expect(antcrm.posts).toEqual(['/redeem']);
});

test('after a downtime the lookups are not spent at once, so that AntCRM may come back, too', async () => {
  const redis = await startRedis();
  closers.push(() => redis.stop());
  let isAway = false;
  let isBack: (() => void) | undefined;
  const antcrm = await startAntcrm((server) => {
    server.addHook('onRequest', async ({ url }, reply) => {
      if (!isAway || !url.startsWith('/history-point')) return;
      isBack?.();
      return reply.code(503).send();
    });
  });
  const env = {
    ...{ REDIS_URL: redis.url, ANTCRM_TIMEOUT_MS: '500' },
    OPERATION_CHECKS: '100ms,1100ms,1200ms,1300ms,1400ms',
  };
  const first = await startOn(antcrm, env);
  await antcrm.fault('redeem', 'lose-answer');
  await new Talk(first, 'c').confirm(...asksGift(PHONE));
  isAway = true;
  await first.stop();
  const lastMs = Date.now() + 500 + 1400;
  await expect.poll(() => Date.now() > lastMs, { timeout: 5000 }).toBe(true);
  isBack = () => setTimeout(() => (isAway = false), 800);
  const again = new Talk(await startOn(antcrm, env), 'c');
  await again.hears('operation.resolved.done');
  expect(again.keys).not.toContain('operation.escalated');
});
