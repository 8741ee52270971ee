import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { activities, anything, brokenOf, bytesOf, nasty, requests, updates } from '../support/fuzz.ts';
import { fc } from '../support/properties.ts';
import { textActivity } from '../support/teams-activities.ts';

/*
 * Whatever is sent to whichever route: never a 5xx, a crash, a second's silence or a changed prototype.
 * `FAULTS=long` sends 100,000. A failure prints fast-check's seed and path: `FAULTS_SEED` runs the same cases again.
 */

const LONG = process.env.FAULTS === 'long';
const CASES = Number(process.env.FAULTS_CASES ?? (LONG ? 100_000 : 1200));
/** Sent at once: what one request does to the others counts, too. */
const TOGETHER = 10;
const SILENCE_MS = 1000;
const SECRET = 'fuzz-secret';

let bot: Running;
/** Telegram's API and the Bot connector in one: takes whatever the bot says, where a double would remember it. */
let platform: http.Server;
let platformUrl: string;
const dispatcher = new Agent({ connections: TOGETHER });

beforeAll(async () => {
  platform = http.createServer((message, response) => {
    message.resume();
    response
      .setHeader('content-type', 'application/json')
      .end('{"ok":true,"result":{"message_id":1},"id":"1"}');
  });
  platform.listen(0, '127.0.0.1');
  await once(platform, 'listening');
  platformUrl = `http://127.0.0.1:${portOf(platform.address())}`;
  bot = await startBot({
    TELEGRAM_BOT_TOKEN: '42:fuzz',
    TELEGRAM_API_ROOT: platformUrl,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    TEAMS_AUTH: 'off',
  });
});
afterAll(async () => {
  await bot.stop();
  await dispatcher.destroy();
  platform.closeAllConnections();
  platform.close();
});

const portOf = (address: net.AddressInfo | string | null): number =>
  address && typeof address === 'object' ? address.port : 0;

type Shot = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Buffer;
  readonly type?: string;
};

async function fire({ method, path, body, type }: Shot): Promise<{ status: number; ms: number }> {
  const start = performance.now();
  const response = await request(`${bot.url}${path}`, {
    method,
    dispatcher,
    headers: {
      'content-type': type ?? 'application/json',
      'x-telegram-bot-api-secret-token': SECRET,
    },
    ...(body && { body }),
  });
  // An event stream never ends.
  if (path.endsWith('/events')) response.body.on('error', () => {}).destroy();
  else await response.body.dump();
  return { status: response.statusCode, ms: performance.now() - start };
}

async function survives(shot: Shot): Promise<void> {
  const { status, ms } = await fire(shot);
  expect(status).toBeLessThan(500);
  if (ms > SILENCE_MS) await expectQuick(shot);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
}

/** A busy machine is slow now and then, by itself; what a request does to the bot, it does every time. */
async function expectQuick(shot: Shot): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < 5 && !times.some((ms) => ms < SILENCE_MS); n++) times.push((await fire(shot)).ms);
  expect(Math.min(...times)).toBeLessThan(SILENCE_MS);
}

function volley(shot: fc.Arbitrary<Shot>, cases: number): Promise<void> {
  const seed = process.env.FAULTS_SEED;
  return fc.assert(
    fc.asyncProperty(fc.array(shot, { minLength: TOGETHER, maxLength: TOGETHER }), async (shots) => {
      await Promise.all(shots.map(survives));
    }),
    { numRuns: Math.ceil(cases / TOGETHER), ...(seed !== undefined && { seed: Number(seed) }) },
  );
}

const posts = (path: string, body: fc.Arbitrary<unknown>): fc.Arbitrary<Shot> =>
  fc.record({
    method: fc.constant('POST' as const),
    path: fc.constant(path),
    body: bytesOf(body),
    type: fc.constantFrom(
      'application/json',
      'application/json',
      'application/json',
      'text/plain',
      'a/b; charset=x',
    ),
  });

const typed = fc.record({
  update_id: fc.integer({ min: 1 }),
  message: fc.record({
    message_id: fc.nat(),
    chat: fc.record({ id: fc.integer({ min: 1, max: 20 }), type: fc.constant('private') }),
    from: fc.record({ id: fc.integer({ min: 1, max: 20 }), language_code: nasty, first_name: nasty }),
    text: nasty,
  }),
});

const said = fc.record(
  {
    conversation: fc.constantFrom('f1', 'f2', 'f3', 'f4'),
    text: nasty,
    name: nasty,
    id: nasty,
  },
  { requiredKeys: ['conversation', 'text'] },
);

/** Activities whose answers go to the platform, once it is there. */
function ofTeams(): fc.Arbitrary<unknown> {
  const serviceUrl = `${platformUrl}/`;
  const written = nasty.map((text) => textActivity(text, { serviceUrl, from: { id: text, name: text } }));
  return fc.oneof(brokenOf(activities(serviceUrl)), written);
}

const paths = fc.oneof(
  fc.constantFrom(
    '/',
    '/metrics',
    '/health/ready',
    '/health/live',
    '/console',
    '/docs',
    '/docs/json',
    '/sandbox/state',
  ),
  fc.webPath({ size: 'small' }),
  nasty.map((text) => `/webhooks/staff/${encodeURIComponent(text.toWellFormed())}/events`),
  nasty.map((text) => `/sandbox/history-point?phone=${encodeURIComponent(text.toWellFormed())}`),
);

describe('the routes survive', () => {
  const share = Math.ceil(CASES / 7);
  const timeoutMs = 120_000 + CASES * 10;

  test('broken and odd updates of Telegram', { timeout: 2 * timeoutMs }, async () => {
    await volley(posts('/webhooks/telegram', fc.oneof(brokenOf(updates), typed, anything)), 2 * share);
  });

  test('broken and odd messages of staff', { timeout: 2 * timeoutMs }, async () => {
    await volley(posts('/webhooks/staff', fc.oneof(brokenOf(requests), said, anything)), 2 * share);
  });

  test('broken and odd activities of Teams', { timeout: 2 * timeoutMs }, async () => {
    await volley(posts('/webhooks/teams', fc.oneof(ofTeams(), anything)), share);
  });

  test('any path, with and without a body', { timeout: timeoutMs }, async () => {
    const shot = fc.oneof(
      fc.record({ method: fc.constant('GET' as const), path: paths }),
      fc.record({ method: fc.constant('POST' as const), path: paths, body: bytesOf(anything) }),
    );
    await volley(shot, share);
  });

  test('a megabyte, and nesting without end', { timeout: timeoutMs }, async () => {
    const bodies = [
      JSON.stringify({ update_id: 1, message: { text: 'x'.repeat(1024 * 1024) } }),
      `{"update_id":1,"message":${'['.repeat(120_000)}${']'.repeat(120_000)}}`,
      `{"conversation":"f1","text":${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}}`,
      `{"conversation":"f1","text":"${'tích điểm 0912345678 '.repeat(10_000)}"}`,
      `{"update_id":2,"message":{"chat":{"id":3,"type":"private"},"text":"${'0912 345 678 a@b '.repeat(12_000)}"}}`,
    ];
    for (const path of [
      '/webhooks/telegram',
      '/webhooks/teams',
      '/webhooks/staff',
      '/nowhere',
      '/sandbox/accumulate',
    ]) {
      for (const body of bodies) {
        const shot: Shot = { method: 'POST', path, body: Buffer.from(body) };
        await survives(shot);
      }
    }
  });
});
