import { describe, expect, it } from 'vitest';
import { ChannelRegistry } from '../../src/channels/registry.ts';
import { CHANNELS } from '../../src/channels.ts';
import type { Delivery } from '../../src/engine/messages.ts';
import type { Fault as TeamsFault } from '../support/teams-double.ts';
import type { Fault as TelegramFault } from '../support/telegram-double.ts';
import * as teams from './teams/harness.ts';
import * as telegram from './telegram/harness.ts';

/**
 * Where the platform does not answer, a call need not take long; a busy machine takes a while to get there.
 */
const SHORT = { timeoutMs: 1000 };

const UNDELIVERED: Delivery = { kind: 'undelivered' };

const error = (code: number, description = 'x', retryAfter?: number): TelegramFault => ({
  code,
  description,
  ...(retryAfter !== undefined && { parameters: { retry_after: retryAfter } }),
});
const errors = (...codes: number[]) => codes.map((code) => error(code));
const statuses = (...codes: number[]) => codes.map((status) => ({ status }));
const wait = (status: number, retryAfter: number) => ({ status, retryAfter });
const refusals = (...codes: string[]) => codes.map((code) => ({ status: 403, code }));

/**
 * docs/how-it-works.md, "What a platform's answer means": an answer, what it means, how each platform words
 * it.
 */
const TABLE: readonly [string, Delivery, readonly TelegramFault[], readonly TeamsFault[]][] = [
  ['429 with a time', { kind: 'throttled', afterMs: 7000 }, [error(429, 'x', 7)], [wait(429, 7)]],
  ['429 without a time, 412', { kind: 'throttled' }, errors(429), statuses(429, 412)],
  ['408, 5xx', { kind: 'uncertain' }, errors(408, 500, 504), statuses(408, 500, 503)],
  ['503 with a time', { kind: 'uncertain', afterMs: 30_000 }, [error(503, 'x', 30)], [wait(503, 30)]],
  ['no whole one', { kind: 'uncertain' }, ['hang', 'reset', 'garbage'], ['hang', 'reset']],
  [
    '401, Telegram’s 404, the connector’s 403 without a reason of the customer’s',
    { kind: 'unauthorized' },
    errors(401, 404),
    [...refusals('NotEnoughPermissions'), ...statuses(401, 403)],
  ],
  [
    '403, because the customer blocked the bot',
    { kind: 'unreachable', blocked: true },
    [error(403, 'Forbidden: bot was blocked by the user')],
    refusals('MessageWritesBlocked', 'ConversationBlockedByUser', 'BotNotInConversationRoster'),
  ],
  [
    'another 403 about the customer, or the conversation is not found',
    { kind: 'unreachable' },
    [error(403, 'Forbidden: user is deactivated'), error(400, 'Bad Request: chat not found')],
    [...refusals('BotDisabledByAdmin', 'ForbiddenOperationException'), ...statuses(404)],
  ],
  [
    'another 4xx',
    { kind: 'rejected' },
    [...errors(400, 413), error(404, 'Not Found: method not found')],
    statuses(400, 422),
  ],
  ['a redirect, which is not followed', UNDELIVERED, errors(302), statuses(307)],
];

/**
 * Sends one reply while the platform answers so; tells what it came to, and how often the platform was asked.
 */
async function byTelegram(fault: TelegramFault) {
  const { channel, double } = await telegram.createBot(fault === 'hang' ? SHORT : {});
  double.script('sendMessage', fault);
  const delivery = await channel.deliver(telegram.outgoing({ key: 'k' }), 1);
  return { delivery, calls: double.calls('sendMessage').length };
}

async function byTeams(...faults: TeamsFault[]) {
  const { channel, double, outgoing } = await teams.createBot(faults.includes('hang') ? SHORT : {});
  double.script(...faults);
  const delivery = await channel.deliver(outgoing({ key: 'k' }), 1);
  return { delivery, calls: double.calls().length };
}

describe.each(TABLE)('a platform’s answer: %s', (_answer, means, byBotApi, byConnector) => {
  it.each(byBotApi)('Telegram: %j', async (fault) => {
    expect(await byTelegram(fault)).toEqual({ delivery: means, calls: 1 });
  });

  it.each(byConnector)('the Bot connector: %j', async (fault) => {
    expect(await byTeams(fault)).toEqual({ delivery: means, calls: 1 });
  });
});

it.each([
  ['where nobody listens', 'double'],
  ['once the channel is closed', 'channel'],
] as const)('what was never sent is surely not delivered: %s', async (_when, closed) => {
  const atTelegram = await telegram.createBot();
  const atTeams = await teams.createBot();
  for (const bot of [atTelegram, atTeams]) await bot[closed].close?.();
  expect(await atTelegram.channel.deliver(telegram.outgoing({ key: 'k' }), 1)).toEqual(UNDELIVERED);
  expect(await atTeams.channel.deliver(atTeams.outgoing({ key: 'k' }), 1)).toEqual(UNDELIVERED);
  expect([atTelegram.double.calls(), atTeams.double.calls()]).toEqual([[], []]);
});

it('refuses two channels of one name, whose conversations would be the same', () => {
  expect(() => new ChannelRegistry([...CHANNELS, ...CHANNELS])).toThrow('Two channels are called staff');
});

it.each(['0867123456', 'a"} 1\nx', ''])('refuses the channel %j, whose name could be no label', (name) => {
  const entries = CHANNELS.slice(0, 1).map((entry) => ({ ...entry, traits: { ...entry.traits, name } }));
  expect(() => new ChannelRegistry(entries)).toThrow('wants a short word');
});
