import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { anything, nasty, requests, say, updates } from '../support/fuzz.ts';
import { fc } from '../support/properties.ts';
import { TENANT, textActivity } from '../support/teams-activities.ts';
import { startTeamsDouble, type TeamsDouble } from '../support/teams-double.ts';
import type { TokenOptions } from '../support/teams-tokens.ts';

/*
 * Whatever is shown instead of the right secret or token: refused, never a 5xx, never a silence. `FAULTS=long` shows
 * 20,000; `FAULTS_SEED` runs the same cases again.
 */

const CASES = Number(process.env.FAULTS_CASES ?? (process.env.FAULTS === 'long' ? 20_000 : 600));
const SEED = process.env.FAULTS_SEED;
/** Shown at once. */
const TOGETHER = 10;

const APP_ID = randomUUID();
const TELEGRAM_SECRET = 'credentials-secret';
const STAFF_TOKEN = 'credentials-staff-token';

let service: TeamsDouble;
let bot: Running;

beforeAll(async () => {
  service = await startTeamsDouble();
  bot = await startBot({
    MICROSOFT_APP_ID: APP_ID,
    MICROSOFT_APP_TYPE: 'UserAssignedMSI',
    MICROSOFT_APP_TENANT_ID: TENANT,
    TEAMS_SERVICE_HOSTS: service.host,
    ...service.endpoints,
    ...service.identity,
    TELEGRAM_BOT_TOKEN: '42:credentials',
    TELEGRAM_API_ROOT: service.serviceUrl,
    TELEGRAM_WEBHOOK_SECRET: TELEGRAM_SECRET,
    STAFF_TOKEN,
  });
});
afterAll(async () => {
  await bot.stop();
  await service.close();
});

/** A request as it should be, but for what is shown. */
type Door = { readonly path: string; readonly header: string; readonly body: () => unknown };

const TEAMS: Door = {
  path: '/webhooks/teams',
  header: 'authorization',
  body: () => textActivity('hello', { serviceUrl: service.serviceUrl }),
};
const STAFF: Door = { path: '/webhooks/staff', header: 'authorization', body: () => requests[0] };
const TELEGRAM: Door = {
  path: '/webhooks/telegram',
  header: 'x-telegram-bot-api-secret-token',
  body: () => updates[0],
};

let knocks = 0;

/** Each time from another address: an address that was refused too often is not listened to. */
async function knock({ path, header, body }: Door, shown: string): Promise<number> {
  knocks += 1;
  const from = `127.1.${Math.floor(knocks / 250)}.${1 + (knocks % 250)}`;
  const json = Buffer.from(JSON.stringify(body()));
  const lines = [
    ...[`POST ${path} HTTP/1.1`, 'host: bot.example', 'connection: close', 'content-type: application/json'],
    `content-length: ${json.length}`,
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n${header}: ${shown}\r\n\r\n`);
  const answer = await say(bot.url, Buffer.concat([head, json]), { from, listens: true });
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

/** Neither noise nor what is nearly right nor any of `wrong` is let in, and what is right still is. */
async function nobodyPasses(door: Door, right: string, wrong: fc.Arbitrary<string> = nasty): Promise<void> {
  const noise = nasty.map((text) => `Bearer ${text}`);
  const shown = fc.oneof(wrong, nasty, noise, nearly(right)).filter((one) => plain(one) !== plain(right));
  await fc.assert(
    fc.asyncProperty(fc.array(shown, { minLength: TOGETHER, maxLength: TOGETHER }), async (all) => {
      for (const status of await Promise.all(all.map((one) => knock(door, one)))) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }
    }),
    { numRuns: Math.ceil(CASES / 3 / TOGETHER), ...(SEED !== undefined && { seed: Number(SEED) }) },
  );
  expect(await knock(door, right)).toBe(200);
}

/** Spaces around a header, and more than one within, mean nothing. */
const plain = (shown: string): string => shown.trim().replace(/\s+/g, ' ');

/** What is right, but for a part of it. */
const nearly = (right: string): fc.Arbitrary<string> =>
  fc.tuple(fc.nat({ max: right.length - 1 }), nasty).chain(([at, noise]) => {
    const [before, after] = [right.slice(0, at), right.slice(at)];
    return fc.constantFrom(
      before,
      before + noise,
      before + (noise || 'x') + after,
      right + after,
      right.toUpperCase(),
    );
  });

/** Tokens that have all but one thing: what they say of themselves, or who signed them. */
function wrongTokens(): fc.Arbitrary<string> {
  const bearer = (options: TokenOptions) => `Bearer ${service.mint(APP_ID, options)}`;
  return fc.oneof(
    fc
      .tuple(fc.constantFrom('iss', 'aud', 'serviceurl'), anything)
      .map(([claim, value]) => bearer({ claims: { [claim]: value } })),
    nasty.map((exp) => bearer({ claims: { exp } })),
    fc
      .tuple(fc.constantFrom('kid', 'alg'), fc.oneof(nasty, anything))
      .map(([field, value]) => bearer({ header: { [field]: value } })),
    fc
      .tuple(fc.constantFrom('other', 'none', 'hmac'), fc.dictionary(nasty, anything, { maxKeys: 3 }))
      .map(([sign, claims]) => bearer({ sign, claims })),
  );
}

const timeout = 120_000 + CASES * 20;

test('no token but the right one gets an activity of Teams in', { timeout }, async () => {
  await nobodyPasses(TEAMS, `Bearer ${service.mint(APP_ID)}`, wrongTokens());
});

test('no token but the right one gets a message of staff in', { timeout }, async () => {
  await nobodyPasses(STAFF, `Bearer ${STAFF_TOKEN}`);
});

test('no secret but the right one gets an update of Telegram in', { timeout }, async () => {
  await nobodyPasses(TELEGRAM, TELEGRAM_SECRET);
});
