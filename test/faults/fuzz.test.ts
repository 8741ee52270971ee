import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { fc } from '../support/properties.ts';
import { readSamples, recordedSchema } from '../support/samples.ts';
import { serve, type TestServer } from '../support/server.ts';
import { activity, pressActivity, textActivity } from '../support/teams-activities.ts';

/*
 * Whatever is sent to whichever route: never a 5xx, a crash, a second's silence or a changed prototype. What is sent knows what
 * the routes expect, so that most of it gets past the first check. `FAULTS=long` sends 100,000.
 */

const CASES = process.env.FAULTS === 'long' ? 100_000 : 1000;
/** Sent at once: what one request does to the others counts, too. */
const TOGETHER = 10;
const SILENCE_MS = 1000;
const SECRET = 'fuzz-secret';
const TIMEOUT_MS = 120_000 + CASES * 10;

let bot: Running;
/** Telegram's API and the Bot connector in one: takes whatever the bot says. */
let platform: TestServer;
const dispatcher = new Agent({ connections: TOGETHER });

beforeAll(async () => {
  platform = await serve((message, response) => {
    message.resume();
    const json = '{"ok":true,"result":{"message_id":1},"id":"1"}';
    response.setHeader('content-type', 'application/json').end(json);
  });
  bot = await startBot({
    TELEGRAM_BOT_TOKEN: '42:fuzz',
    TELEGRAM_API_ROOT: platform.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    TEAMS_AUTH: 'off',
  });
});
afterAll(async () => {
  await bot.stop();
  await dispatcher.destroy();
  await platform[Symbol.asyncDispose]();
});

/** Text that breaks what reads text: directions, controls, halves of characters, and feasts for a slow pattern. */
const ODD = '\u202Etích điểm\u202C|\u0000|\u001B[2J|\uFEFF|\uD800|İ|__proto__|{{points}}'.split('|');
const LONG = '\u200B|e\u0301|👩‍👩‍👧‍👦|(| |0|@|.|a@|1/|a.|-|+84 |tích điểm '.split('|');
const WORDS = 'tích điểm|đổi quà|lịch sử|/start|/redeem|sdt|mã|/forget|confirm:|gift:'.split('|');
const nasty: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom(...ODD),
  fc.constantFrom(...LONG).map((part) => part.repeat(3000 / part.length)),
  fc.tuple(fc.constantFrom(...WORDS), fc.string({ unit: 'binary', maxLength: 30 })).map((it) => it.join(' ')),
);

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  nasty,
  fc.double(),
  fc.constantFrom<unknown>(null, true, [], {}, -1, 0, Number.MAX_SAFE_INTEGER, '', [null], { id: {} }),
);

/** Any JSON, with the names that change prototypes among its keys. */
const anything: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(nasty, fc.constantFrom('__proto__', 'text', 'id')), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** The same value with some of its parts replaced or left out, as `chances` say. */
function mutate(value: unknown, chances: () => number, part: () => unknown): unknown {
  if (chances() < 0.06) return part();
  if (Array.isArray(value)) return value.map((one) => mutate(one, chances, part));
  if (typeof value !== 'object' || value === null) return value;
  const left = Object.entries(value).filter(() => chances() >= 0.05);
  return Object.fromEntries(left.map(([key, one]) => [key, mutate(one, chances, part)]));
}

/** What was recorded or written by hand, more or less broken. */
const brokenOf = (samples: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc
    .tuple(
      fc.constantFrom(...samples),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.infiniteStream(leaf),
    )
    .map(([sample, chances, parts]) =>
      mutate(
        sample,
        () => chances.next().value ?? 1,
        () => parts.next().value,
      ),
    );

/** JSON as bytes that no library would write: cut, not UTF-8, too deep, with a prototype in it. */
const bytesOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      value.map((one) => JSON.stringify(one) ?? 'null'),
      fc.constantFrom('as it is', 'as it is', 'as it is', 'cut', 'proto', 'utf8', 'deep'),
      fc.nat({ max: 400 }),
    )
    .map(([json, how, at]) => {
      if (how === 'cut') return Buffer.from(json.slice(0, at));
      if (how === 'proto') return Buffer.from(json.replace(/\{/, '{"__proto__":{"polluted":1},'));
      if (how === 'deep')
        return Buffer.from(json.replace(/:/, `:${'['.repeat(9 * at)}${']'.repeat(9 * at)},"x":`));
      const split = how === 'utf8' ? [Buffer.from([0xff, 0xc0, 0x80]), Buffer.from(json.slice(at))] : [];
      return Buffer.concat([Buffer.from(how === 'utf8' ? json.slice(0, at) : json), ...split]);
    });

type Shot = { readonly path: string; readonly body?: Buffer | undefined };

const posts = (path: string, body: fc.Arbitrary<unknown>): fc.Arbitrary<Shot> =>
  bytesOf(body).map((bytes) => ({ path, body: bytes }));

async function fire({ path, body }: Shot): Promise<{ status: number; ms: number }> {
  const start = performance.now();
  const response = await request(`${bot.url}${path}`, {
    ...{ method: body === undefined ? 'GET' : 'POST', dispatcher, body: body ?? null },
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET },
  });
  // An event stream never ends.
  if (path.endsWith('/events')) response.body.on('error', () => {}).destroy();
  else await response.body.dump();
  return { status: response.statusCode, ms: performance.now() - start };
}

async function survives(shot: Shot): Promise<void> {
  let { status, ms } = await fire(shot);
  expect(status).toBeLessThan(500);
  // A busy machine is slow now and then; what a request does to the bot, it does every time.
  for (let again = 0; again < 5 && ms > SILENCE_MS; again++) ({ ms } = await fire(shot));
  expect(ms).toBeLessThan(SILENCE_MS);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
}

const volley = (shot: fc.Arbitrary<Shot>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(shot, { minLength: TOGETHER, maxLength: TOGETHER }), async (shots) => {
      await Promise.all(shots.map(survives));
    }),
    { numRuns: CASES / 5 / TOGETHER },
  );

test('the routes survive broken and odd updates of Telegram', { timeout: TIMEOUT_MS }, async () => {
  const updates = readSamples('replay/telegram.jsonl', recordedSchema).map(({ sent }) => sent);
  const person = fc.record({ id: fc.integer({ min: 1, max: 20 }), type: fc.constant('private') });
  const typed = fc.record({
    update_id: fc.integer({ min: 1 }),
    message: fc.record({ message_id: fc.nat(), chat: person, from: person, text: nasty }),
  });
  await volley(posts('/webhooks/telegram', fc.oneof(brokenOf(updates), typed, anything)));
});

test('the routes survive broken and odd messages of staff', { timeout: TIMEOUT_MS }, async () => {
  const requests = [
    { conversation: 'f1', text: 'tích điểm TIVI000000017', locale: 'vi', name: 'Garnacho' },
    { conversation: 'f2', contact: { phone: '0867123456', own: false }, as: 'telegram' },
    { conversation: 'f3', form: { code: 'TIVI000000017', phone: '0867123456' }, as: 'teams' },
    { conversation: 'f4', start: '_VElWSTAwMDAwMDAxNw', id: 'same' },
    { conversation: 'f5', photo: 'AAAA', as: 'teams', profile: { email: 'x@y.vn' } },
  ];
  const said = fc.record({ conversation: fc.constantFrom('f1', 'f2', 'f3'), text: nasty });
  await volley(posts('/webhooks/staff', fc.oneof(brokenOf(requests), said, anything)));
});

test('the routes survive broken and odd activities of Teams', { timeout: TIMEOUT_MS }, async () => {
  const serviceUrl = `${platform.url}/`;
  const activities = [
    pressActivity('card', { choice: 'accumulate' }, { serviceUrl }),
    activity('conversationUpdate', { serviceUrl, membersAdded: [{ id: 'x' }] }),
    activity('invoke', { serviceUrl, name: 'adaptiveCard/action', value: { action: { data: {} } } }),
    activity('installationUpdate', { serviceUrl }),
  ];
  const written = nasty.map((text) => textActivity(text, { serviceUrl, from: { id: text, name: text } }));
  await volley(posts('/webhooks/teams', fc.oneof(brokenOf(activities), written, anything)));
});

test('the routes survive any path, with and without a body', { timeout: TIMEOUT_MS }, async () => {
  const odd = nasty.map((text) => encodeURIComponent(text.toWellFormed()));
  const path = fc.oneof(
    fc.constantFrom('/', '/metrics', '/health/ready', '/console', '/docs/json', '/sandbox/state'),
    fc.webPath({ size: 'small' }),
    odd.map((text) => `/webhooks/staff/${text}/events`),
    odd.map((text) => `/sandbox/history-point?phone=${text}`),
  );
  await volley(fc.record({ path, body: fc.option(bytesOf(anything), { nil: undefined }) }));
});

test('the routes survive a megabyte, and nesting without end', async () => {
  const bodies = [
    JSON.stringify({ update_id: 1, message: { text: 'x'.repeat(1024 * 1024) } }),
    `{"update_id":1,"message":${'['.repeat(120_000)}${']'.repeat(120_000)}}`,
    `{"conversation":"f1","text":${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}}`,
    `{"conversation":"f1","text":"${'tích điểm 0912345678 '.repeat(10_000)}"}`,
  ];
  for (const path of ['telegram', 'teams', 'staff'])
    for (const body of bodies) await survives({ path: `/webhooks/${path}`, body: Buffer.from(body) });
});
