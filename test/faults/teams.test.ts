import { afterAll, expect, test } from 'vitest';
import { says } from '../e2e/wording.ts';
import { leftIn, startFaultsWorld } from '../support/faults-world.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { TENANT } from '../support/teams-activities.ts';
import { createTeamsCustomer, type TeamsCustomer } from '../support/teams-customer.ts';
import { type Fault, startTeamsDouble } from '../support/teams-double.ts';

const APP_ID = '00000000-0000-4000-8000-000000004243';

const world = await startFaultsWorld();
const redis = await startRedis();
const double = await startTeamsDouble();
const latePort = await freePort();
const bot = await world.bot(redis.url, {
  MICROSOFT_APP_ID: APP_ID,
  MICROSOFT_APP_TYPE: 'UserAssignedMSI',
  MICROSOFT_APP_TENANT_ID: TENANT,
  TEAMS_SERVICE_HOSTS: `${double.host},127.0.0.1:${latePort}`,
  ...double.endpoints,
  ...double.identity,
});
afterAll(async () => {
  await bot.kill();
  await Promise.all([world.stop(), double.close()]);
  await redis.stop();
});

const at = { url: bot.url, appId: APP_ID };
const customer = (): TeamsCustomer => createTeamsCustomer(double, at);

const answer = (status: number, more: { code?: string; retryAfter?: number } = {}): Fault => ({
  status,
  ...more,
});
const times = (count: number, fault: Fault): Fault[] => Array.from({ length: count }, () => fault);

const CODES = ['TIVI700000001', 'TIVI700000002', 'TIVI700000003'];
const PHONE = '0930000001';
const PATIENCE = { timeout: 90_000 };

/** The code that a summary was given last: it names those before, too. */
const newestIn = (text: string): string | undefined => CODES.findLast((code) => text.includes(code));

/** The codes that the chat's messages are about, in order; whatever else it shows, as it is. */
const codesIn = (who: Pick<TeamsCustomer, 'said'>): string[] =>
  who.said().map((text) => newestIn(text) ?? text);

async function asks(who: TeamsCustomer): Promise<void> {
  for (const code of CODES) await who.writes(`earn ${code} ${PHONE} garnacho@example.vn`);
}

test.concurrent.for<[what: string, faults: Fault[]]>([
  ['a storm of 429 that may be waited out', times(2, answer(429, { retryAfter: 1 }))],
  [
    'a 429 that asks for longer than a turn waits',
    [3, 1, 3].map((retryAfter) => answer(429, { retryAfter })),
  ],
  ['a storm of 429 that does not say for how long', times(6, answer(429))],
  ['a conversation that is written to by another', times(3, answer(412))],
  ['a connector that is busy', [answer(503, { retryAfter: 2 })]],
  ['a gateway that answers 502', [answer(502)]],
  ['a connector that answers 408', [answer(408)]],
  ['a message that is never answered', ['hang']],
  ['a bot that may not write for a while', times(3, answer(403, { code: 'NotEnoughPermissions' }))],
])('every reply arrives once and in order after %s', async ([, faults], { expect }) => {
  const who = customer();
  double.scriptFor(who.chat, ...faults);
  await asks(who);
  await expect.poll(() => codesIn(who), PATIENCE).toEqual(CODES);
});

test('a bot that may not write is an alarm', async () => {
  const who = customer();
  double.scriptFor(who.chat, answer(403, { code: 'NotEnoughPermissions' }));
  await who.writes('help');
  await bot.line(/"alarm":"channel_token_refused"/);
});

test('a reply that was perhaps delivered comes again, and nothing overtakes it', async () => {
  const who = customer();
  double.scriptFor(who.chat, 'reset');
  await asks(who);
  await expect.poll(() => codesIn(who), PATIENCE).toEqual([CODES[0], ...CODES]);
});

test('replies wait for a connector that does not listen yet', async () => {
  const who = customer();
  const far = createTeamsCustomer(double, { ...at, service: `http://127.0.0.1:${latePort}/connector/` });
  await asks(far);
  // So long that the repeat within the turn is over.
  double.scriptFor(who.chat, answer(429, { retryAfter: 3 }));
  await asks(who);
  await expect.poll(() => codesIn(who), PATIENCE).toEqual(CODES);
  const other = await startTeamsDouble(latePort);
  const shown = () => other.shown(far.chat).map((one) => JSON.stringify(one));
  await expect.poll(() => shown().map(newestIn), PATIENCE).toEqual(CODES);
  await other.close();
});

test('a chat that has to wait holds nobody else up', async () => {
  const [waits, other] = [customer(), customer()];
  double.scriptFor(waits.chat, answer(429, { retryAfter: 2 }), answer(429, { retryAfter: 10 }));
  await asks(waits);
  await asks(other);
  await expect.poll(() => codesIn(other), PATIENCE).toEqual(CODES);
  expect(waits.said(), 'the other one was answered while it waited').toEqual([]);
  await expect.poll(() => codesIn(waits), PATIENCE).toEqual(CODES);
});

test.concurrent.for<[who: string, fault: Fault]>([
  ['blocked the bot', answer(403, { code: 'MessageWritesBlocked' })],
  ['blocked the conversation', answer(403, { code: 'ConversationBlockedByUser' })],
  ['removed the bot', answer(403, { code: 'BotNotInConversationRoster' })],
  ['may not use the bot any more', answer(403, { code: 'BotDisabledByAdmin' })],
  ['deleted the conversation', answer(404, { code: 'ConversationNotFound' })],
])(
  'what a customer confirmed who then %s is done once, and nothing waits for them',
  async ([, fault], { expect }) => {
    const who = customer();
    const code = world.code();
    await who.writes(`earn ${code} ${PHONE} garnacho@example.vn`);
    await expect.poll(() => who.said().join('\n'), PATIENCE).toContain(code);
    const shown = who.said().length;
    const sent = postsTo(who);
    double.scriptFor(who.chat, fault, fault);
    await who.presses('confirm');
    await expect.poll(() => postsTo(who), PATIENCE).toBe(sent + 2);

    // They are back, and get the answer to what they say now.
    await who.writes('help');
    await expect.poll(() => who.said()[shown] ?? '', PATIENCE).not.toBe('');
    expect(who.said()[shown]).toSatisfy((text: string) => says(text, 'help', 'en'));
    expect(await world.antcrm.successes('accumulate', PHONE, code)).toBe(1);
  },
);

/** Messages that were sent, whatever the connector said to them. */
const postsTo = ({ chat }: TeamsCustomer): number =>
  double
    .calls('POST')
    .filter(({ path, body }) => path.includes(encodeURIComponent(chat)) && body.type === 'message').length;

test('a profile that cannot be read now is asked for again, and nobody is told to have no e-mail', async () => {
  const who = customer();
  double.scriptFor(who.member, answer(503));
  await who.writes('points');
  await who.writes('points');
  await expect.poll(() => who.said().length, PATIENCE).toBe(2);
  expect(who.said().map((text) => says(text, 'identity.unread', 'en'))).toEqual([true, false]);
  expect(who.said().some((text) => says(text, 'identity.noEmail', 'en'))).toBe(false);
});

test('a customer who installs the bot is greeted once, though Teams reports it in two ways', async () => {
  const who = customer();
  await who.installs();
  await who.writes('help');
  await expect.poll(() => who.said().some((text) => says(text, 'help', 'en')), PATIENCE).toBe(true);
  const greetings = who.said().filter((text) => says(text, 'welcome', 'en') || says(text, 'welcome', 'vi'));
  expect(greetings).toHaveLength(1);
  expect(who.said()).toHaveLength(2);
});

test('nothing is left in the store of chats that cannot be reached', async () => {
  expect(await leftIn(redis.url)).toEqual([]);
});
