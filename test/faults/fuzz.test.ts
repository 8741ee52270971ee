import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { fc } from '../support/properties.ts';
import { readSamples, recordedSchema } from '../support/samples.ts';
import { serve, type TestServer } from '../support/server.ts';
import { textActivity } from '../support/teams-activities.ts';
import { createPerson } from '../support/telegram-updates.ts';

/*
 * Whatever is sent to whichever route: never a 5xx, a crash, a second's silence or a changed prototype. What
 * is sent knows what the routes expect, so that most of it gets past the first check. `FAULTS=long` sends
 * 100,000.
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
  await platform[Symbol.asyncDispose]();
});

/**
 * Text that breaks what reads text: directions, controls, halves of characters, and feasts for a slow
 * pattern.
 */
const ODD = '\u202Etích điểm\u202C|\u0000|\u001B[2J|\uFEFF|\uD800|İ|__proto__|{{points}}'.split('|');
const LONG = '\u200B|e\u0301|👩‍👩‍👧‍👦|(| |0|@|.|a@|1/|a.|-|+84 |tích điểm '.split('|');
const WORDS = 'tích điểm|đổi quà|lịch sử|/start|/redeem|sdt|mã|/forget|confirm:|gift:'.split('|');
const binary = fc.string({ unit: 'binary', maxLength: 60 });
const nasty: fc.Arbitrary<string> = fc.oneof(
  binary,
  fc.constantFrom(...ODD),
  fc.constantFrom(...LONG).map((part) => part.repeat(3000 / part.length)),
  fc.tuple(fc.constantFrom(...WORDS), binary).map((it) => it.join(' ')),
);
const leaf: fc.Arbitrary<unknown> = fc.oneof(
  nasty,
  fc.constantFrom(undefined, null, true, [], {}, -1, 0.5, Number.MAX_SAFE_INTEGER, '', [null], { id: {} }),
);
const anything = fc.oneof(leaf, fc.jsonValue());

/** What was recorded or written by hand, with another value, or none, in place of each tenth. */
const brokenOf = (samples: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.tuple(fc.constantFrom(...samples), fc.nat({ max: 9 }), leaf).map(([sample, at, part]) => {
    let count = 0;
    return JSON.parse(JSON.stringify(sample), (_, value) => (count++ % 10 === at ? part : value));
  });

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
      return how === 'utf8' ? Buffer.from(json, 'latin1') : Buffer.from(json);
    });

type Shot = { readonly path: string; readonly body?: Buffer | undefined };

async function fire({ path, body }: Shot): Promise<{ status: number; ms: number }> {
  const start = performance.now();
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET };
  const post = body && { method: 'POST', body: new Uint8Array(body) };
  const response = await fetch(bot.url + path, { headers, ...post });
  // An event stream never ends.
  await (path.endsWith('/events') ? response.body?.cancel() : response.arrayBuffer());
  return { status: response.status, ms: performance.now() - start };
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

const recorded = (platform: string) =>
  readSamples(`replay/${platform}.jsonl`, recordedSchema).map(({ sent }) => sent);
const person = createPerson(7);
const requests = [
  { conversation: 'f1', text: 'tích điểm TIVI000000017', locale: 'vi', name: 'Garnacho' },
  { conversation: 'f2', contact: { phone: '0867123456', own: false }, as: 'telegram' },
  { conversation: 'f3', form: { code: 'TIVI000000017', phone: '0867123456' }, as: 'teams' },
  { conversation: 'f4', start: '_VElWSTAwMDAwMDAxNw', id: 'same' },
  { conversation: 'f5', photo: 'AAAA', as: 'teams', profile: { email: 'x@y.vn' } },
];
const activities = () =>
  recorded('teams').map((sent) => ({ ...Object(sent), serviceUrl: `${platform.url}/` }));

test.each<[path: string, samples: () => readonly unknown[], written: (text: string) => unknown]>([
  ['telegram', () => recorded('telegram'), (text) => person.writes(text)],
  ['staff', () => requests, (text) => ({ conversation: 'f1', text })],
  ['teams', activities, (text) => textActivity(text, { serviceUrl: `${platform.url}/`, from: { id: text } })],
])(
  'the webhook of %s survives what is broken and odd',
  { timeout: TIMEOUT_MS },
  async (name, samples, written) => {
    const bytes = bytesOf(fc.oneof(brokenOf(samples()), nasty.map(written), anything));
    await volley(bytes.map((body) => ({ path: `/webhooks/${name}`, body })));
  },
);

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
